import { accountPaths } from '../../oauth/contract/paths.js';
import { html, type Html } from '../../oauth/pages/html.js';
import type { Page } from '../../oauth/pages/page.js';
import {
  requestClientDocument,
  requestsDocument,
  requestsMax,
  waitingClientDocument,
  type ClientRequest,
} from './application-documents.js';
import { NotThere, question } from './change-pages.js';
import type { Reader } from './parts.js';
import { time } from './words.js';

const advice: Readonly<Record<ClientRequest['status'], string>> = {
  WAITING: 'Waits for an administrator. Tell one of them its client id. It can do nothing until then.',
  ADMITTED: 'Admitted. Start again in the application.',
  REFUSED: 'An administrator keeps it out. Ask one of them why.',
  FORGOTTEN: 'Nobody decided in time. Start again in the application to ask anew.',
};

const card = ({ id, name, clientId, status, createdAt }: ClientRequest): Html =>
  html`<article class="card" aria-labelledby="application-${id}">
    <h3 id="application-${id}">${name}</h3>
    <p>${advice[status]}</p>
    <p class="soft">You asked ${time(createdAt)} · client id <code>${clientId}</code></p>
  </article>`;

/** The applications for which the person asked. Undefined where there is none. */
export async function applicationsPart({ visitor, person }: Reader): Promise<Html | undefined> {
  if (person.ownRequests === undefined) return undefined;
  const { clientRequests } = await visitor.run(requestsDocument, { filter: person.ownRequests });
  if (clientRequests.nodes.length === 0) return undefined;
  return html`<h2 id="applications">Applications that you asked for</h2>
    ${clientRequests.nodes.map(card)}
    ${
      clientRequests.pageInfo.hasNextPage
        ? html`<p class="soft">Only the newest ${requestsMax} are shown.</p>`
        : undefined
    }`;
}

/** Asks whether the administrators should be asked. It names the application: any page can have a link to this one. */
export async function askForApplication(reader: Reader, id: string): Promise<Page> {
  if (!reader.person.holds('clients:request')) throw new NotThere();
  const { waitingClient } = await reader.visitor.run(waitingClientDocument, { id });
  if (waitingClient === null) throw new NotThere();
  const { name, clientId, createdAt } = waitingClient;
  const consequence = html`<p>It calls itself <q>${name}</q>. Nobody has checked that.</p>
    <p class="soft">Client id: <code>${clientId}</code>, waiting since ${time(createdAt)}</p>
    <p>
      Administrators see that you asked, and decide. Until then the application can do nothing. Ask only where
      you started it yourself.
    </p>`;
  const texts = { title: 'Ask for this application?', consequence, yes: 'Ask', no: accountPaths.home };
  return question(reader, texts, `${accountPaths.applications}/${id}`);
}

/** Asks the administrators. Returns the address that shows the request. */
export async function requestApplication(reader: Reader, id: string, key: string): Promise<string> {
  if (!reader.person.holds('clients:request')) throw new NotThere();
  await reader.visitor.run(requestClientDocument, { id, key });
  return `${accountPaths.home}#applications`;
}

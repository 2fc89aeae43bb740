import type { WaitingClient } from '../clients/client-waits.js';
import { accountPaths } from '../contract/paths.js';
import { destination, hostInId } from './application-origin.js';
import { html, type Html } from './html.js';
import { moment } from './in-words.js';
import type { Page } from './page.js';

/** Tells the person why an application that nobody here knows gets nothing, and who can change that. */
export const waitingPage = ({ id, clientId, name, redirectUris, createdAt }: WaitingClient): Page => ({
  status: 403,
  title: 'This application waits for an administrator',
  body: html`<h1>This application waits for an administrator</h1>
    <p>
      Nobody has admitted it to this server yet, so it can neither sign you in nor ask you for a task. You
      have given it nothing.
    </p>
    <dl>
      <dt>Where it is from</dt>
      <dd>${origin(clientId)}</dd>
      <dt>Where your answers would go</dt>
      ${[...new Set(redirectUris.map(destination))].map((one) => html`<dd>${one}</dd>`)}
      <dt>What it calls itself; nobody has checked that</dt>
      <dd><q>${name}</q></dd>
      <dt>Waiting since</dt>
      <dd>${moment(createdAt)}</dd>
      <dt>Its client id</dt>
      <dd><code>${clientId}</code></dd>
    </dl>
    <p>
      You started it yourself? Ask the administrators to admit it; you sign in for that. Once it is admitted,
      start again in the application.
    </p>
    <p class="actions">
      <a class="button" href="${accountPaths.applications}/${id}">Ask an administrator</a>
    </p>
    <p class="soft">You do not know it, or did not start it? Close this page, and tell an administrator.</p>`,
});

function origin(clientId: string): Html {
  const host = hostInId(clientId);
  return host === undefined
    ? html`Nobody knows: it registered itself, which any program can do.`
    : html`<strong>${host}</strong>`;
}

import { html, type Html } from '../../oauth/pages/html.js';
import { counted } from '../../oauth/pages/in-words.js';
import type { Page } from '../../oauth/pages/page.js';
import { consentsMax, homeDocument, tasksDocument, type Consent, type Task } from './documents.js';
import {
  agentName,
  askLink,
  backLink,
  consentTitle,
  pageHead,
  recordsPart,
  rightsPart,
  taskFacts,
  type Reader,
} from './parts.js';
import { mayHandOver } from './hand-over.js';
import { withNames } from './names.js';
import { isOwn } from './person.js';
import { applicationsPart } from './application-pages.js';
import { signInsPart } from './sign-in-pages.js';
import { waitingPart } from './waiting-requests.js';
import { statusWords, time } from './words.js';

interface HomeQuery {
  readonly after: string | undefined;
  readonly tookBackAll: boolean;
  readonly endedSignIns: boolean;
  /** The id of a consent. */
  readonly withdrawn: string | undefined;
}

/** Anybody can make a link with these values, so a notice says only what the person's own rows show. */
function noticeOf(
  { after, tookBackAll, withdrawn }: HomeQuery,
  tasks: { readonly nodes: readonly Task[]; readonly pageInfo: { readonly hasNextPage: boolean } },
  consents: readonly Consent[],
): Html | undefined {
  const says = (text: string): Html => html`<p class="notice" role="status">${text}</p>`;
  if (consents.some(({ id, revokedAt }) => id === withdrawn && revokedAt !== null))
    return says('The consent is withdrawn, and the tasks that rested on it are taken back.');
  if (!tookBackAll || after !== undefined) return undefined;
  const { nodes, pageInfo } = tasks;
  if (nodes.length === 0)
    return says('No task is under way any more. Operations under ended tasks are refused.');
  const count = counted(nodes.length, 'task');
  return says(`Still under way: ${pageInfo.hasNextPage ? 'more than ' : ''}${count}.`);
}

const taskCard = (reader: Reader, task: Task): Html =>
  html`<article class="card" aria-labelledby="task-${task.id}">
    <h3 id="task-${task.id}"><a href="/account/tasks/${task.id}">${task.purpose}</a></h3>
    ${taskFacts(reader, task)}
    <details>
      <summary>What it may do<span class="hidden">: ${task.purpose}</span></summary>
      ${rightsPart(reader, task)}
    </details>
    <h4>What it did lately</h4>
    ${recordsPart(task)}
    ${
      reader.person.holds('delegations:revoke')
        ? html`<p class="actions">
            ${askLink(`/account/tasks/${task.id}/take-back`, 'Take back', task.purpose)}
          </p>`
        : undefined
    }
  </article>`;

const consentCard = (reader: Reader, consent: Consent): Html =>
  html`<article class="card" aria-labelledby="consent-${consent.id}">
    <h3 id="consent-${consent.id}">${consentTitle(consent)}</h3>
    <p class="soft">
      May begin tasks of its own with your sign-in, since ${time(consent.createdAt)} and until
      ${time(consent.expiresAt)}.
    </p>
    <details>
      <summary>What it may do<span class="hidden">: ${agentName(consent)}</span></summary>
      ${rightsPart(reader, consent)}
    </details>
    ${
      reader.person.holds('delegations:revoke')
        ? html`<p class="actions">
            ${askLink(`/account/consents/${consent.id}/withdraw`, 'Withdraw', agentName(consent))}
          </p>`
        : undefined
    }
  </article>`;

const unseen = html`<p>Your roles do not let you see tasks. Ask an administrator.</p>`;

/** Who is signed in, the tasks under way and the consents that stand. */
export async function homePage(reader: Reader, query: HomeQuery): Promise<Page> {
  const { visitor, person, now } = reader;
  const head = html`${pageHead(reader)}
    <h1>Your account</h1>
    ${person.ownPasskeys === undefined ? undefined : html`<p><a href="/account/passkeys">Your passkeys</a></p>`}`;
  const signIns = await signInsPart(reader, query.endedSignIns);
  const applications = await applicationsPart(reader);
  if (person.own === undefined) return page('Your account', html`${head}${unseen}${applications}${signIns}`);
  const { delegations, consents, backchannelRequests } = await visitor.run(homeDocument(person.holds), {
    filter: { ...person.own, status: 'ACTIVE' },
    after: query.after,
  });
  const tasks = delegations.nodes.filter((task) => isOwn(person, task));
  const own = consents.nodes.filter((consent) => isOwn(person, consent));
  const given = own.filter(({ revokedAt, expiresAt }) => revokedAt === null && Date.parse(expiresAt) > now);
  const named = await withNames(reader, [...tasks, ...given]);
  return page(
    'Your account',
    html`${head} ${noticeOf(query, { ...delegations, nodes: tasks }, own)} ${waitingPart(backchannelRequests)}
      <h2>Tasks of your agents</h2>
      ${tasks.length === 0 ? html`<p>No task is under way.</p>` : tasks.map((task) => taskCard(named, task))}
      ${more(delegations.pageInfo, '/account', 'More tasks')}
      <p class="actions">
        ${mayHandOver(reader) ? html`<a class="button" href="/account/hand-over">Hand over a task</a>` : undefined}
        <a class="button quiet" href="/account/tasks">All tasks, ended ones too</a>
        ${
          tasks.length > 0 && person.holds('delegations:revoke')
            ? html`<a class="button quiet" href="/account/take-back-all">Take back all tasks</a>`
            : undefined
        }
      </p>
      <h2>Consents</h2>
      ${
        given.length === 0
          ? html`<p>No agent may begin tasks with your sign-in.</p>`
          : given.map((consent) => consentCard(named, consent))
      }
      ${
        consents.pageInfo.hasNextPage
          ? html`<p class="soft">Consents older than the newest ${consentsMax} are not shown.</p>`
          : undefined
      }
      ${applications} ${signIns}`,
  );
}

/** Every task of the person, newest first. */
export async function tasksPage(reader: Reader, after: string | undefined): Promise<Page> {
  const { visitor, person } = reader;
  if (person.own === undefined)
    return page(
      'Your tasks',
      html`${pageHead(reader)}
        <h1>Your tasks</h1>
        ${unseen}${backLink}`,
    );
  const { delegations } = await visitor.run(tasksDocument(person.holds), { filter: person.own, after });
  return page(
    'Your tasks',
    html`${pageHead(reader)}
      <h1>Your tasks</h1>
      ${delegations.nodes.length === 0 ? html`<p>You have handed over no task.</p>` : undefined}
      <ul class="tasks">
        ${delegations.nodes.map(
          (task) =>
            html`<li>
              <a href="/account/tasks/${task.id}">${task.purpose}</a>
              <span class="soft"
                >${agentName(task)} · ${statusWords[task.status]} · since ${time(task.createdAt)}</span
              >
            </li>`,
        )}
      </ul>
      ${more(delegations.pageInfo, '/account/tasks', 'Older tasks')} ${backLink}`,
  );
}

const more = (
  { hasNextPage, endCursor }: { readonly hasNextPage: boolean; readonly endCursor: string | null },
  path: string,
  text: string,
): Html | undefined =>
  hasNextPage && endCursor !== null
    ? html`<p><a href="${path}?after=${encodeURIComponent(endCursor)}">${text}</a></p>`
    : undefined;

const page = (title: string, body: Html): Page => ({ status: 200, title, body, isWide: true });

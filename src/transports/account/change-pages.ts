import { html, type Html } from '../../oauth/pages/html.js';
import { counted } from '../../oauth/pages/in-words.js';
import type { Page } from '../../oauth/pages/page.js';
import {
  consentsDocument,
  taskDocument,
  tasksDocument,
  takeBackDocument,
  withdrawDocument,
  type Consent,
  type Task,
  type TaskLine,
  type TasksAnswer,
} from './documents.js';
import {
  agentName,
  askLink,
  backLink,
  consentTitle,
  form,
  pageHead,
  recordsPart,
  rightsPart,
  taskFacts,
  type Reader,
} from './parts.js';
import { withNames } from './names.js';
import { isOwn } from './person.js';

/** The thing that an address names is not there, or is not the person's own. */
export class NotThere extends Error {}

const wide = (title: string, body: Html): Page => ({ status: 200, title, body, isWide: true });

async function ownTask({ visitor, person }: Reader, id: string): Promise<Task> {
  if (person.own === undefined) throw new NotThere();
  const { delegation } = await visitor.run(taskDocument(person.holds), { id });
  if (delegation === null || !isOwn(person, delegation)) throw new NotThere();
  return delegation;
}

/** One task with its rights and its last records. */
export async function taskPage(reader: Reader, id: string): Promise<Page> {
  const task = await ownTask(reader, id);
  const mayLook = task.status === 'ACTIVE' && reader.hasExplorer;
  const mayEnd = task.status === 'ACTIVE' && reader.person.holds('delegations:revoke');
  return wide(
    task.purpose,
    html`${pageHead(reader)}
      <h1>${task.purpose}</h1>
      ${
        task.status === 'REVOKED'
          ? html`<p class="notice" role="status">
              This task is taken back. What its agent does under it is refused.
            </p>`
          : undefined
      }
      ${taskFacts(reader, task)}
      ${
        task.status === 'ACTIVE'
          ? html`<p class="soft">
              The agent gets its token for this task by the id <code>${task.id}</code>.
            </p>`
          : undefined
      }
      ${
        mayEnd || mayLook
          ? html`<p class="actions">
              ${mayLook ? html`<a class="button quiet" href="/graphql?delegation=${task.id}">See what it sees</a>` : undefined}
              ${mayEnd ? askLink(`/account/tasks/${task.id}/take-back`, 'Take back', task.purpose) : undefined}
            </p>`
          : undefined
      }
      <h2>What it may do</h2>
      ${rightsPart(await withNames(reader, [task]), task)}
      <h2>What it did lately</h2>
      ${recordsPart(task)} ${backLink}`,
  );
}

/** Asks before a change, on a page of its own. */
export const question = (
  reader: Reader,
  texts: { readonly title: string; readonly consequence: Html; readonly yes: string; readonly no: string },
  action: string,
): Page =>
  wide(
    texts.title,
    html`${pageHead(reader)}
      <h1>${texts.title}</h1>
      ${texts.consequence}
      ${form(
        reader.visitor,
        action,
        html`<div class="actions">
          <button type="submit">${texts.yes}</button>
          <a class="button quiet" href="${texts.no}">Cancel</a>
        </div>`,
      )}`,
  );

/** Asks before a task is taken back. */
export async function askTakeBack(reader: Reader, id: string): Promise<Page> {
  const task = await ownTask(reader, id);
  if (task.status !== 'ACTIVE') return taskPage(reader, id);
  const consequence = html`<p>
      <strong>${task.purpose}</strong>, handed to ${agentName(task)} (${task.task}).
    </p>
    <p>
      Its next operation is refused, and so are operations under tasks that were handed on from it. Finished
      work is not undone. A task that you took back cannot be resumed, but you can hand it over again.
    </p>`;
  const texts = { title: 'Take back this task?', consequence, yes: 'Take back', no: `/account/tasks/${id}` };
  return question(reader, texts, `/account/tasks/${id}/take-back`);
}

/** Takes a task back. Returns the address that shows its state. */
export async function takeBack(reader: Reader, id: string, key: string): Promise<string> {
  const { id: own } = await ownTask(reader, id);
  await reader.visitor.run(takeBackDocument, { id: own, key });
  return `/account/tasks/${own}`;
}

/** The most tasks that one form takes back. */
const tasksAtOnce = 200;

/** Tasks under way, the newest first. */
export async function underWay({
  visitor,
  person,
}: Pick<Reader, 'visitor' | 'person'>): Promise<readonly TaskLine[]> {
  if (person.own === undefined) throw new NotThere();
  const tasks: TaskLine[] = [];
  let after: string | null = null;
  do {
    const variables: object = { filter: { ...person.own, status: 'ACTIVE' }, after };
    const { delegations }: TasksAnswer = await visitor.run(tasksDocument(person.holds), { ...variables });
    tasks.push(...delegations.nodes);
    after = delegations.pageInfo.hasNextPage ? delegations.pageInfo.endCursor : null;
  } while (after !== null && tasks.length < tasksAtOnce);
  return tasks;
}

/** Asks before every task is taken back, and names them. */
export async function askTakeBackAll(reader: Reader): Promise<Page> {
  const tasks = await underWay(reader);
  const consequence = html`<p>${counted(tasks.length, 'task')} under way:</p>
    <ul>
      ${tasks.map((task) => html`<li>${task.purpose} <span class="soft">${agentName(task)}</span></li>`)}
    </ul>
    <p>The next operation under each of them is refused. Finished work is not undone.</p>`;
  const texts = { title: 'Take back all tasks?', consequence, yes: 'Take back all', no: '/account' };
  return question(reader, texts, '/account/take-back-all');
}

/** Each task is ended by an operation of its own, with its own record. */
export async function takeBackAll(reader: Reader, key: string): Promise<string> {
  const tasks = await underWay(reader);
  for (const { id } of tasks) await reader.visitor.run(takeBackDocument, { id, key: `${key}-${id}` });
  return '/account?done=all';
}

async function ownConsent({ visitor, person }: Reader, id: string): Promise<Consent> {
  if (person.own === undefined) throw new NotThere();
  const { consents } = await visitor.run(consentsDocument(person.holds));
  const consent = consents.nodes.find((one) => one.id === id && isOwn(person, one));
  if (consent === undefined) throw new NotThere();
  return consent;
}

/** Asks before a consent is withdrawn. */
export async function askWithdraw(reader: Reader, id: string): Promise<Page> {
  const consent = await ownConsent(reader, id);
  const consequence = html`<p><strong>${consentTitle(consent)}</strong></p>
    <p>
      The agent can begin no more tasks with your sign-in. Your tasks with this agent in this role are taken
      back. You can consent again when the agent asks.
    </p>`;
  const texts = { title: 'Withdraw this consent?', consequence, yes: 'Withdraw', no: '/account' };
  return question(reader, texts, `/account/consents/${id}/withdraw`);
}

/** Withdraws a consent. Returns the address that says so. */
export async function withdraw(reader: Reader, id: string, key: string): Promise<string> {
  const consent = await ownConsent(reader, id);
  await reader.visitor.run(withdrawDocument, { id: consent.id, key });
  return `/account?withdrawn=${consent.id}`;
}

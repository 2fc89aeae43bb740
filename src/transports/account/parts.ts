import { html, type Html } from '../../oauth/pages/html.js';
import { counted } from '../../oauth/pages/in-words.js';
import { newSecret } from './cookies.js';
import type { Task, TaskLine, Dimension, Consent } from './documents.js';
import type { Person } from './person.js';
import type { AccountParts, Visitor } from './visitor.js';
import { boundaryLines, duration, recordLine, statusWords, time } from './words.js';

/** The page's reader, and the time at which it is read. */
export interface Reader {
  readonly visitor: Visitor;
  readonly person: Person;
  readonly now: number;
  readonly scopes: AccountParts['scopes'];
  readonly changing: AccountParts['changing'];
  readonly customerScopes: AccountParts['customerScopes'];
  readonly hasExplorer: boolean;
  /** Names of values of boundaries. */
  readonly names: ReadonlyMap<string, string>;
}

/** The hidden fields of a form of the session. By its key, a form that is sent twice makes one change. */
export const formFields = (visitor: Visitor): Html =>
  html`<input type="hidden" name="form" value="${visitor.formToken}" />
    <input type="hidden" name="key" value="${newKey()}" />`;

/** An idempotency key of these pages. */
export const newKey = (): string => `account-${newSecret(16)}`;

export const form = (visitor: Visitor, action: string, body: Html): Html =>
  html`<form method="post" action="${action}" novalidate>${formFields(visitor)} ${body}</form>`;

/** The head of every page: who is signed in, and the button to sign out. */
export const pageHead = ({ visitor, person }: Reader): Html => signedInAs(visitor, person);

/** @param link to another page, beside the button */
export const signedInAs = (visitor: Visitor, person: Person, link?: Html): Html =>
  html`<header class="bar">
    <p>Signed in as <strong>${person.displayName}</strong> <span class="soft">(${person.name})</span></p>
    ${link} ${form(visitor, '/account/sign-out', html`<button type="submit" class="quiet">Sign out</button>`)}
  </header>`;

export const backLink: Html = html`<p><a href="/account">Back to your account</a></p>`;

export const agentName = ({ agent }: Pick<TaskLine, 'agent'>): string =>
  agent?.displayName ?? 'An agent that you may not see';

/** Scopes in words, and the boundary; the name of each scope stands beside its words. */
export const rightsPart = (
  { scopes, person, names }: Reader,
  rights: { readonly scopes: readonly string[]; readonly boundary: readonly Dimension[] },
): Html =>
  html`<ul>
      ${rights.scopes.map(
        (name) => html`<li>${scopes.get(name)?.description} <code class="soft">${name}</code></li>`,
      )}
    </ul>
    <p class="label">Only for</p>
    <ul>
      ${boundaryLines(rights.boundary, person.id, names).map((line) => html`<li>${line}</li>`)}
    </ul>`;

const leftOf = ({ limits }: Task): Html =>
  html`${limits.operationsLeft.toLocaleString('en')} of ${counted(limits.operations, 'operation')},
  ${limits.rowsLeft.toLocaleString('en')} of ${counted(limits.rows, 'row')};
  ${
    limits.depthLeft === 0
      ? 'it may not be handed on'
      : `it may be handed on ${counted(limits.depthLeft, 'more time')}`
  }`;

function endOf(task: Task, now: number): Html {
  const { status, expiresAt, endedAt, endedBy, standing } = task;
  if (status === 'ACTIVE') {
    const left = Date.parse(expiresAt) - now;
    return html`${time(expiresAt)}, in
    ${duration(left)}${standing ? '; a standing task of an agent on a schedule' : ''}`;
  }
  const by = !endedBy ? '' : ` by ${endedBy.displayName}`;
  return html`${statusWords[status]}${by}, ${time(status === 'EXPIRED' ? expiresAt : (endedAt ?? expiresAt))}`;
}

/** The facts of a task, with the limits that are left. */
export const taskFacts = (reader: Reader, task: Task): Html =>
  html`<dl class="facts">
    <div>
      <dt>Task</dt>
      <dd>${task.task}</dd>
    </div>
    <div>
      <dt>Agent</dt>
      <dd>
        ${agentName(task)} ${!task.agent ? undefined : html`<code class="soft">${task.agent.name}</code>`}
      </dd>
    </div>
    ${
      !task.role
        ? undefined
        : html`<div>
            <dt>Role</dt>
            <dd><code>${task.role.name}</code></dd>
          </div>`
    }
    ${
      task.parent === null
        ? undefined
        : html`<div>
            <dt>Handed on from</dt>
            <dd><a href="/account/tasks/${task.parent.id}">${task.parent.purpose}</a></dd>
          </div>`
    }
    <div>
      <dt>${task.status === 'ACTIVE' ? 'Ends' : 'Ended'}</dt>
      <dd>${endOf(task, reader.now)}</dd>
    </div>
    <div>
      <dt>Left</dt>
      <dd>${leftOf(task)}</dd>
    </div>
  </dl>`;

export const recordsPart = (task: Task): Html => {
  if (!task.records) return html`<p class="soft">Your roles do not let you read its records.</p>`;
  const { nodes } = task.records;
  if (nodes.length === 0) return html`<p class="soft">It has done nothing yet.</p>`;
  return html`<ul class="records">
    ${nodes.map(recordLine)}
  </ul>`;
};

/** A link with the look of a button. It leads to the page that asks before the change. */
export const askLink = (href: string, text: string, of: string): Html =>
  html`<a class="button quiet" href="${href}">${text}<span class="hidden"> ${of}</span></a>`;

export const consentTitle = (consent: Consent): Html =>
  html`${agentName(consent)}${!consent.role ? undefined : html` as <code>${consent.role.name}</code>`}`;

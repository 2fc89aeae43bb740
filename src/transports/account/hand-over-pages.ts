import { consentRights } from '../../oauth/pages/consent-rights.js';
import { html, type Html } from '../../oauth/pages/html.js';
import { durationOptions } from '../../oauth/pages/durations.js';
import { faultSummary, input, type Fault, type Page } from '../../oauth/pages/page.js';
import type { OfferedAgent, OfferedRole } from './documents.js';
import { backLink, form, pageHead, type Reader } from './parts.js';
import { boundaryLines } from './words.js';

/** An agent, one of its roles, and the scopes of the role that the person can hand over. */
export interface Offer {
  readonly agent: OfferedAgent;
  readonly role: OfferedRole;
  readonly scopes: readonly string[];
}

/** The values of the form so far. */
export interface Entries {
  readonly purpose: string;
  readonly task: string;
  /** Numbers of customers, with commas or spaces between them. */
  readonly customers: string;
  readonly scopes: readonly string[];
  readonly seconds: number;
}

const page = (status: number, title: string, body: Html): Page => ({ status, title, body, isWide: true });

/** Asks for the agent and its role. */
export const choicePage = (reader: Reader, offers: readonly Offer[]): Page =>
  page(
    200,
    'Hand over a task',
    html`${pageHead(reader)}
      <h1>Hand over a task</h1>
      <h2>Which agent should do it?</h2>
      ${
        offers.length === 0
          ? html`<p>No agent has a role with anything that you may do yourself. Ask an administrator.</p>`
          : undefined
      }
      ${offers.map(
        ({ agent, role }) =>
          html`<article class="card" aria-labelledby="${agent.name}-${role.name}">
            <h3 id="${agent.name}-${role.name}">
              <a
                href="/account/hand-over?agent=${encodeURIComponent(agent.name)}&role=${encodeURIComponent(role.name)}"
                >${agent.displayName}</a
              >
              as <code>${role.name}</code>
            </h3>
            <p>${agent.businessTask} <span class="soft">${role.description}</span></p>
          </article>`,
      )}
      ${backLink}`,
  );

function secondsPart({ role }: Offer, { seconds }: Entries, faults: readonly Fault[]): Html {
  const max = role.limits?.expirySeconds ?? 3_600;
  return html`<label for="seconds">How long</label>
    ${faultText('seconds', faults)}
    <select id="seconds" name="seconds" ${described('seconds', faults)}>
      ${durationOptions(max, seconds)}
    </select>`;
}

const mine = (field: string, faults: readonly Fault[]): readonly Fault[] =>
  faults.filter((fault) => fault.field === field);

const faultText = (field: string, faults: readonly Fault[]): Html | undefined =>
  mine(field, faults).length === 0
    ? undefined
    : html`<p class="fault" id="${field}-fault">${mine(field, faults).map(({ message }) => message)}</p>`;

const described = (field: string, faults: readonly Fault[]): Html | undefined =>
  mine(field, faults).length === 0 ? undefined : html`aria-describedby="${field}-fault"`;

function scopesPart(
  { scopes: known, changing }: Reader,
  offer: Offer,
  entries: Entries,
  faults: readonly Fault[],
): Html {
  const offered = offer.scopes.map((name) => ({
    name,
    description: known.get(name)?.description ?? '',
    changes: changing.has(name),
  }));
  return html`<div
    id="scopes"
    role="group"
    tabindex="-1"
    aria-labelledby="scopes-title"
    ${described('scopes', faults)}
  >
    <h2 id="scopes-title">What it may do</h2>
    <p class="hint">These are the rights that both you and the agent’s role have.</p>
    ${faultText('scopes', faults)} ${consentRights(offered, new Set(entries.scopes))}
  </div>`;
}

const customersPart = (
  { role }: Offer,
  { customers }: Entries,
  faults: readonly Fault[],
): Html | undefined =>
  role.boundary.some(({ dimension }) => dimension === 'customer')
    ? input({
        id: 'customers',
        label: 'Only for these customers',
        type: 'text',
        autocomplete: 'off',
        isOptional: true,
        hint: 'Their numbers, with commas between them. If you leave it empty: all customers that both you and the role reach.',
        value: customers,
        faults,
      })
    : undefined;

/** The task: purpose, reference, scopes and end, with the faults beside their fields. */
export const formPage = (reader: Reader, offer: Offer, entries: Entries, faults: readonly Fault[]): Page =>
  page(
    faults.length === 0 ? 200 : 422,
    faults.length === 0 ? 'Hand over a task' : 'Error: Hand over a task',
    html`${pageHead(reader)}
      <h1>Hand over a task</h1>
      <p>To <strong>${offer.agent.displayName}</strong> as <code>${offer.role.name}</code>.</p>
      ${faultSummary(faults)}
      ${form(
        reader.visitor,
        '/account/hand-over',
        html`<input type="hidden" name="agent" value="${offer.agent.name}" />
          <input type="hidden" name="role" value="${offer.role.name}" />
          ${input({
            id: 'purpose',
            label: 'What it is for',
            type: 'text',
            autocomplete: 'off',
            hint: 'A sentence, for you and for those who read the records.',
            value: entries.purpose,
            faults,
          })}
          ${input({
            id: 'task',
            label: 'What it is about',
            type: 'text',
            autocomplete: 'off',
            hint: 'A reference such as ticket:T-4021. It is a label and limits nothing.',
            value: entries.task,
            faults,
          })}
          ${scopesPart(reader, offer, entries, faults)}
          <h2>How far</h2>
          <ul>
            ${boundaryLines(offer.role.boundary, reader.person.id, reader.names).map((line) => html`<li>${line}</li>`)}
          </ul>
          <p class="hint">
            The role reaches no more than this. The task also reaches no more than you do yourself.
          </p>
          ${customersPart(offer, entries, faults)} ${secondsPart(offer, entries, faults)}
          <div class="actions">
            <button type="submit">Hand over</button>
            <a class="button quiet" href="/account/hand-over">Another agent</a>
          </div>`,
      )}
      ${backLink}`,
  );

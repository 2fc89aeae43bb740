import type { Fault, Page } from '../../oauth/pages/page.js';
import { agentsDocument, handOverDocument } from './documents.js';
import { choicePage, formPage, type Entries, type Offer } from './hand-over-pages.js';
import type { Reader } from './parts.js';
import { OperationFailed } from './visitor.js';
import { NotThere } from './change-pages.js';

const hourSeconds = 3_600;
const needed = ['delegations:create', 'agents:read', 'roles:read'];

/** Whether the person can hand over a task here. */
export const mayHandOver = ({ person }: Reader): boolean => needed.every(person.holds);

/** For each role of each agent, the scopes that the person holds and may hand over. */
async function offersOf(reader: Reader, name?: string): Promise<readonly Offer[]> {
  if (!mayHandOver(reader)) throw new NotThere();
  const filter = { status: 'ACTIVE', ...(name === undefined ? {} : { name }) };
  const { agents } = await reader.visitor.run(agentsDocument, { filter });
  return agents.nodes.flatMap((agent) =>
    (agent.roles?.nodes ?? []).flatMap((role) => {
      const scopes = role.scopes.filter((scope) => isHandedOver(reader, scope));
      return scopes.length === 0 ? [] : [{ agent, role, scopes }];
    }),
  );
}

const isHandedOver = ({ person, scopes }: Reader, name: string): boolean =>
  person.holds(name) && name !== 'session:read' && scopes.get(name)?.peopleOnly === false;

async function offerOf(reader: Reader, values: URLSearchParams): Promise<Offer> {
  const name = values.get('agent') ?? '';
  const offers = name === '' ? [] : await offersOf(reader, name);
  const offer = offers.find(({ role }) => role.name === values.get('role'));
  if (offer === undefined) throw new NotThere();
  return offer;
}

/** Asks for agent and role first, then for the task. */
export async function askHandOver(reader: Reader, values: URLSearchParams): Promise<Page> {
  if (!values.has('agent')) return choicePage(reader, await offersOf(reader));
  return formPage(reader, await offerOf(reader, values), entriesOf(new URLSearchParams()), []);
}

const entriesOf = (form: URLSearchParams): Entries => ({
  purpose: form.get('purpose') ?? '',
  task: form.get('task') ?? '',
  customers: form.get('customers') ?? '',
  scopes: form.getAll('scope'),
  seconds: Number(form.get('seconds') ?? hourSeconds),
});

function missing({ purpose, task, scopes, seconds }: Entries): Fault[] {
  return [
    ...(purpose.trim() === '' ? [{ field: 'purpose', message: 'Say what the task is for.' }] : []),
    ...(task.trim() === '' ? [{ field: 'task', message: 'Say what the task is about.' }] : []),
    ...(scopes.length === 0
      ? [{ field: 'scopes', message: 'Choose at least one thing that it may do.' }]
      : []),
    ...(Number.isSafeInteger(seconds) && seconds > 0
      ? []
      : [{ field: 'seconds', message: 'Choose how long.' }]),
  ];
}

const fields: Readonly<Record<string, string>> = {
  purpose: 'purpose',
  task: 'task',
  boundary: 'customers',
  expiresInSeconds: 'seconds',
};

/** The form's field for the faulty input of a refused operation. */
function faultOf({ code, message, hint, path }: OperationFailed): Fault {
  const input = path?.replace(/^input\./, '').split('.')[0] ?? '';
  const field = fields[input] ?? (code === 'LIMIT_EXCEEDED' ? 'seconds' : 'scopes');
  // The hint of bad input is for programs: the page has hints of its own.
  const isHelpful = hint !== undefined && code !== 'BAD_USER_INPUT';
  return { field, message: isHelpful ? `${message} ${hint}` : message };
}

const told: ReadonlySet<string> = new Set([
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'LIMIT_EXCEEDED',
  'NOT_FOUND',
  'CONFLICT',
]);

/** Hands the task over. Gives the address of the task, or the form again with its faults. */
export async function handOver(reader: Reader, form: URLSearchParams): Promise<string | Page> {
  const offer = await offerOf(reader, form);
  const entries = entriesOf(form);
  const faults = missing(entries);
  if (faults.length > 0) return formPage(reader, offer, entries, faults);
  const customers = entries.customers.split(/[\s,;]+/).filter((one) => one !== '');
  const input = {
    agent: offer.agent.name,
    role: offer.role.name,
    purpose: entries.purpose,
    task: entries.task,
    scopes: entries.scopes,
    expiresInSeconds: entries.seconds,
    ...(customers.length === 0 ? {} : { boundary: [{ dimension: 'customer', values: customers }] }),
  };
  try {
    const { delegate } = await reader.visitor.run(handOverDocument, { input, key: form.get('key') ?? '' });
    return `/account/tasks/${delegate.delegation.id}`;
  } catch (error) {
    if (!(error instanceof OperationFailed) || !told.has(error.code)) throw error;
    return formPage(reader, offer, entries, [faultOf(error)]);
  }
}

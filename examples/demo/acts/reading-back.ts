import { readRecords } from '../documents.js';
import type { Answer } from '../graphql.js';
import type { Caller, Sent, Step } from '../step.js';
import { task, type Handed } from './handing-over.js';

/** An audit record, as the auditor reads it. */
export interface AuditRecord {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly outcome: string;
  readonly task: string | null;
  readonly operationName: string | null;
  readonly operationType: string | null;
  readonly variables: string | null;
  readonly rowCount: number;
  readonly chain: {
    readonly person: { readonly displayName: string } | null;
    readonly agents: readonly { readonly displayName: string; readonly role: string }[];
  } | null;
  readonly decisions: readonly {
    readonly coordinate: string;
    readonly scope: string;
    readonly layer: string;
  }[];
  readonly resources: readonly {
    readonly type: string;
    readonly action: string;
    readonly count: number;
    readonly ids: readonly string[];
  }[];
  readonly changes: readonly { readonly type: string; readonly id: string; readonly after: string | null }[];
  readonly errors: readonly { readonly code: string }[];
}

export interface Told {
  readonly since: string;
  readonly sent: readonly Sent[];
  readonly handed: Handed;
  readonly reply: string;
}

/** The auditor reads every record of the story, oldest first, and finds each operation in it. */
export async function readBack(step: Step, auditor: Caller, told: Told): Promise<AuditRecord[]> {
  step.asks('query auditRecords since the story began.');
  step.why(
    'No answer leaves before its record is durable. Who asked, which agent acted, for what, on which rows, with what result.',
  );
  const records = await allRecords(step, auditor, told.since);
  const recorded = told.sent.filter(({ answer }) => answer.status !== 401);
  for (const sent of recorded) {
    const record = records.find(({ id }) => id === sent.answer.operationId);
    step.expect(
      `step ${String(sent.step)}: ${who(sent)} is on record`,
      record && summaryOf(record),
      expectedOf(sent),
    );
  }
  checkTicket(step, records, told);
  checkRefusals(step, records, told);
  step.gets(
    `${String(records.length)} records, and in them each of the ${String(recorded.length)} operations above:`,
  );
  return records;
}

export async function allRecords(step: Step, auditor: Caller, since: string): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (let after: unknown = null; ;) {
    const page = await step.ask(auditor, readRecords, { since, after });
    records.push(...(page.listAt('auditRecords.nodes') as unknown as AuditRecord[]));
    if (page.at('auditRecords.pageInfo.hasNextPage') !== true) return records.reverse();
    after = page.at('auditRecords.pageInfo.endCursor');
  }
}

const who = ({ caller }: Sent): string =>
  caller.agent === undefined ? caller.person : `${caller.person} → ${caller.agent}`;

const chainOf = ({ chain }: AuditRecord): string =>
  chain === null
    ? 'nobody'
    : [chain.person, ...chain.agents].flatMap((one) => one?.displayName ?? []).join(' → ');

const summaryOf = (record: AuditRecord): string =>
  [chainOf(record), record.task ?? 'in person', record.outcome, ...codesOf(record)].join(', ');

const codesOf = ({ errors }: AuditRecord): string[] => errors.map(({ code }) => code);

const expectedOf = (sent: Sent): string => {
  const codes = sent.answer.errors.map(({ extensions }) => String(extensions.code));
  return [who(sent), sent.caller.task ?? 'in person', outcomeOf(sent.answer), ...codes].join(', ');
};

/** The outcome that the record must have, from the answer. */
function outcomeOf({ data, errors }: Answer): string {
  if (errors.length === 0) return 'SUCCEEDED';
  const values: unknown[] = Object.values(data ?? {});
  if (values.some((value) => value !== null)) return 'PARTIAL';
  return errors.some(({ extensions }) => extensions.code === 'FORBIDDEN') ? 'REFUSED' : 'FAILED';
}

function checkTicket(step: Step, records: readonly AuditRecord[], { handed, reply }: Told): void {
  const written = records.filter(
    ({ operationName, outcome }) => operationName === 'AnswerTicket' && outcome === 'SUCCEEDED',
  );
  const touches = (written[0]?.resources ?? []).filter(({ action }) => action !== 'read');
  step.expect(
    'the reply is on record with the ticket and the new message',
    touches.map(({ type, action }) => `${action} ${type}`).sort(),
    ['create TicketMessage', 'update Ticket'],
  );
  step.expect('the ticket', touches.find(({ type }) => type === 'Ticket')?.ids, [handed.id]);
  step.expect('the task', written[0]?.task, task);
  step.expect(
    'the text of the reply is in no record',
    JSON.stringify(records).includes(reply.slice(0, 20)),
    false,
  );
}

function checkRefusals(step: Step, records: readonly AuditRecord[], { handed }: Told): void {
  const invoice = records.find(
    ({ operationName, outcome }) => operationName === 'ReadInvoice' && outcome === 'REFUSED',
  );
  step.expect(
    'the refused invoice is on record with scope and layer',
    invoice?.decisions.map(({ scope, layer }) => `${scope}, ${layer}`),
    ['invoices:read, delegation'],
  );
  const ended = records.find(({ operationName }) => operationName === 'Revoke');
  step.expect(
    'the revoked delegation is on record',
    ended?.changes.map(({ type, id }) => [type, id]),
    [['Delegation', handed.delegationId]],
  );
  const rejected = records.filter(({ kind }) => kind === 'REJECTED');
  step.expect('so is the token that had ended', rejected.map(codesOf), [['UNAUTHENTICATED']]);
}

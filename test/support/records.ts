import { expect } from 'vitest';
import { indexConsumer } from '../../src/audit/outbox/index-consumer.js';
import { Outbox } from '../../src/audit/outbox/outbox.js';
import type { AuditBody, RecordKind } from '../../src/audit/record.js';
import { among, naming, underDelegation, type Party } from '../../src/audit/record-index.js';
import { all, eq, type Condition } from '../../src/store/sql/condition.js';
import type { Database } from '../../src/store/sql/database.js';
import {
  auditDocuments,
  auditOutbox,
  auditRecords,
  auditSequence,
  auditSetAside,
  type AuditRecordRow,
} from '../../src/store/tables/audit.js';
import { prefixed } from '../../src/store/tables/table.js';

const parse = ({ body }: { body: string }): AuditBody => JSON.parse(body) as AuditBody;

/** The record of the operation with this answer; there must be exactly one. */
export async function recordOf(
  { read }: Pick<Database, 'read'>,
  answer: { readonly headers: Headers },
): Promise<AuditBody> {
  const rows = await read.select(auditRecords, eq('id', answer.headers.get('behalf-operation-id')));
  expect(rows).toHaveLength(1);
  return rows.map(parse)[0] as AuditBody;
}

/** Every record, or those of one kind, in the order in which they were made. */
export async function recordsOf({ read }: Pick<Database, 'read'>, kind?: RecordKind): Promise<AuditBody[]> {
  const rows = await read.select(auditRecords, kind === undefined ? all() : eq('kind', kind), {
    order: [{ column: 'id', direction: 'asc' }],
  });
  return rows.map(parse);
}

/** Every column of every table of the log, as text. */
export async function auditText({ read }: Pick<Database, 'read'>): Promise<string> {
  const index = read.dialect === 'mysql' ? [prefixed('audit_index')] : [];
  const queues = [auditOutbox.name, auditSequence.name, auditSetAside.name];
  const tables = [auditRecords.name, ...queues, auditDocuments.name, ...index];
  const rows = await Promise.all(tables.map((name) => read.query(`SELECT * FROM ${name}`)));
  return JSON.stringify(rows);
}

const noOne = { error: () => undefined };

/** An outbox as a server has it, run by the test. */
export const recordIndexer = (
  database: ConstructorParameters<typeof Outbox>[0],
  logger: ConstructorParameters<typeof Outbox>[2] = noOne,
): Outbox => new Outbox(database, [indexConsumer], logger);

/** The records that the index does not have, sorted. The index is the only consumer, so what waits waits for it. */
export async function unindexed({ read }: Pick<Database, 'read'>): Promise<string[]> {
  const [unplaced, placed, aside] = await Promise.all([
    read.select(auditOutbox, all()),
    read.select(auditSequence, all()),
    read.select(auditSetAside, all()),
  ]);
  return [...unplaced, ...placed, ...aside].map(({ recordId }) => recordId).sort();
}

const parties: Readonly<Record<Party, keyof AuditRecordRow>> = {
  '@person': 'userId',
  '@agent': 'agentId',
  '@delegation': 'delegationId',
  '@task': 'task',
};

/** Search terms of records for which a search does not find exactly those records, indexed or not. */
export async function misfound({ read }: Pick<Database, 'read'>): Promise<string[]> {
  const records = await read.select(auditRecords, all());
  const named = new Map<string, Set<string>>();
  const searches = new Map<string, Condition<AuditRecordRow>>();
  const note = (key: string, id: string, search: () => Condition<AuditRecordRow>): void => {
    named.set(key, (named.get(key) ?? new Set()).add(id));
    if (!searches.has(key)) searches.set(key, search());
  };
  for (const record of records) {
    for (const [party, column] of Object.entries(parties) as [Party, keyof AuditRecordRow][]) {
      const value = record[column];
      if (typeof value === 'string')
        note(`${party} ${value}`, record.id, () => all(eq(column, value), among(party, [value])));
    }
    const { resources, delegation } = parse(record);
    for (const { type, ids } of resources)
      for (const id of ids) note(`${type} ${id}`, record.id, () => naming(type, id));
    for (const id of delegation?.ids ?? []) note(`under ${id}`, record.id, () => underDelegation(id));
  }
  const wrong: string[] = [];
  for (const [key, search] of searches) {
    const found = (await read.selectColumns(auditRecords, ['id'], search)).map(({ id }) => id);
    if (JSON.stringify(found.sort()) !== JSON.stringify([...(named.get(key) ?? [])].sort())) wrong.push(key);
  }
  return wrong;
}

import { expect } from 'vitest';
import type { AuditBody, RecordKind } from '../../src/audit/record.js';
import { all, eq } from '../../src/store/condition.js';
import type { Database } from '../../src/store/database.js';
import { auditDelegations, auditRecords, auditResources } from '../../src/store/tables/audit.js';

const parse = ({ body }: { body: string }): AuditBody => JSON.parse(body) as AuditBody;

/** The record of the operation that was answered so; there must be exactly one. */
export async function recordOf(
  { read }: Pick<Database, 'read'>,
  answer: { readonly headers: Headers },
): Promise<AuditBody> {
  const rows = await read.select(auditRecords, eq('id', answer.headers.get('behalf-operation-id')));
  expect(rows).toHaveLength(1);
  return rows.map(parse)[0] as AuditBody;
}

/** Every record, of one kind where that is said, in the order of their making. */
export async function recordsOf({ read }: Pick<Database, 'read'>, kind?: RecordKind): Promise<AuditBody[]> {
  const rows = await read.select(auditRecords, kind === undefined ? all() : eq('kind', kind), {
    order: [{ column: 'id', direction: 'asc' }],
  });
  return rows.map(parse);
}

/** Every column of every table of the log, as text. */
export async function auditText({ read }: Pick<Database, 'read'>): Promise<string> {
  const tables = [auditRecords, auditDelegations, auditResources];
  const rows = await Promise.all(tables.map(({ name }) => read.query(`SELECT * FROM ${name}`)));
  return JSON.stringify(rows);
}

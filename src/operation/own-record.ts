import { inspectorOf, whoOf, type AuditBody } from '../audit/record.js';
import { notFound } from '../core/errors.js';
import type { Call } from '../graphql/execute/call.js';
import type { Connection } from '../store/sql/connection.js';
import { auditRecords } from '../store/tables/audit.js';

/**
 * The record of an earlier operation of the same task by the same agent. Any other id is `NOT_FOUND`, whether it has a
 * record or not.
 */
export async function ownRecord(connection: Connection, call: Call, operationId: string): Promise<AuditBody> {
  const row = await connection.byId(auditRecords, operationId);
  const body = row?.id === operationId ? (JSON.parse(row.body) as AuditBody) : undefined;
  if (body === undefined || !isOf(call, body)) throw notFound('An operation of this task with this id');
  return body;
}

function isOf({ authority, isInspection }: Call, { kind, chain, delegation }: AuditBody): boolean {
  const own = isInspection ? inspectorOf(authority) : whoOf(authority);
  return (
    (kind === 'graphql' || kind === 'rejected') &&
    chain?.person?.id === own.chain?.person?.id &&
    chain?.agents.at(-1)?.id === own.chain?.agents.at(-1)?.id &&
    delegation?.id === own.delegation?.id
  );
}

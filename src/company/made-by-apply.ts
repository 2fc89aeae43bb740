import type { AuditBody } from '../audit/record.js';
import { all, compare, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { auditRecords, type AuditRecordRow } from '../store/tables/audit.js';

/** The name of the command in its records. */
export const applyCommand = 'apply';

/** Something that may have been made from a company folder. */
export interface Made {
  readonly id: string;
  /** When it was made. */
  readonly at: string;
}

/** A record is written in the transaction of its changes, so soon after them. */
const longestMs = 3_600_000;

/**
 * The ids of those that `behalf apply` has made, by its own records: a record commits with what it tells of, so nothing is
 * taken for made here that somebody made by hand.
 */
export async function madeByApply(tx: Connection, things: readonly Made[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { id, at } of things) {
    const until = new Date(Date.parse(at) + longestMs).toISOString();
    const records = await tx.selectColumns(
      auditRecords,
      ['body'],
      all<AuditRecordRow>(
        compare('at', '>=', at),
        compare('at', '<=', until),
        eq('kind', 'command'),
        eq('operationName', applyCommand),
      ),
    );
    if (records.some(({ body }) => hasMade(body, id))) found.add(id);
  }
  return found;
}

const hasMade = (body: string, id: string): boolean =>
  (JSON.parse(body) as Pick<AuditBody, 'changes'>).changes.some(
    (change) => change.id === id && change.before === null,
  );

import { setImmediate as nextTurn } from 'node:timers/promises';
import { all, eq, quote } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import { auditCursors, auditOutbox, auditSequence } from '../../store/tables/audit.js';

/** The name of the cursor that holds the last position given. */
export const sequencerName = 'sequencer';

/** The most records of one transaction. On SQLite it holds up everybody. */
const batchMax = { mysql: 1_024, sqlite: 512 } as const;

/**
 * Gives every committed record its position. Ids cannot be the order: a transaction with a smaller id may
 * commit later, and a consumer that has read further would never see it. Here one replica at a time gives positions, under
 * the lock of the cursor, to records that are already committed; so positions become visible in their order.
 */
export async function placeRecords(
  database: Pick<Database, 'read' | 'transaction'>,
  signal?: AbortSignal,
): Promise<void> {
  if ((await database.read.select(auditOutbox, all(), { limit: 1 })).length === 0) return;
  while (signal?.aborted !== true && (await database.transaction(placeBatch))) await nextTurn();
}

/** Returns whether more records may wait. */
async function placeBatch(tx: Connection): Promise<boolean> {
  const last = await tx.one(auditCursors, eq('consumer', sequencerName), { lock: 'claim' });
  // Another replica is giving positions.
  if (last === undefined) return false;
  const placed = await tx.affecting(placing(batchMax[tx.dialect]), [last.position], true);
  if (placed === 0) return false;
  await tx.affecting(removing[tx.dialect], [last.position], true);
  await tx.update(auditCursors, eq('consumer', sequencerName), { position: last.position + placed });
  return placed === batchMax[tx.dialect];
}

const [outbox, sequence] = [quote(auditOutbox.name), quote(auditSequence.name)];

// The ids never leave the database: reading them would cost more than all other work here.
const placing = (records: number): string =>
  `INSERT INTO ${sequence} (\`position\`, \`record_id\`) ` +
  'SELECT CAST(? AS SIGNED) + ROW_NUMBER() OVER (ORDER BY `record_id`), `record_id` ' +
  `FROM (SELECT \`record_id\` FROM ${outbox} ORDER BY \`record_id\` LIMIT ${String(records)}) AS \`first\``;

/**
 * Deletes exactly the records that have got a position: others may have been committed since. By outdated statistics, the
 * outbox may look almost empty and worth a scan, so both statements rule a scan out.
 */
const removing = {
  mysql:
    `DELETE o FROM ${sequence} s STRAIGHT_JOIN ${outbox} o ON o.\`record_id\` = s.\`record_id\` ` +
    'WHERE s.`position` > ?',
  sqlite:
    `DELETE FROM ${outbox} INDEXED BY ${quote(`sqlite_autoindex_${auditOutbox.name}_1`)} ` +
    `WHERE \`record_id\` IN (SELECT \`record_id\` FROM ${sequence} WHERE \`position\` > ?)`,
} as const;

import { setImmediate as nextTurn } from 'node:timers/promises';
import { all, eq, padded, quote } from '../../store/sql/condition.js';
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
  const records = await tx.select(auditOutbox, all(), {
    order: [{ column: 'recordId', direction: 'asc' }],
    limit: batchMax[tx.dialect],
  });
  const ids = records.map(({ recordId }) => recordId);
  if (ids.length === 0) return false;
  await tx.insert(
    auditSequence,
    ids.map((recordId, at) => ({ position: last.position + at + 1, recordId })),
  );
  await removeFromOutbox(tx, ids);
  await tx.update(auditCursors, eq('consumer', sequencerName), { position: last.position + ids.length });
  return ids.length === batchMax[tx.dialect];
}

async function removeFromOutbox(tx: Connection, ids: readonly string[]): Promise<void> {
  const params = padded(ids);
  // Outdated statistics may say that the table is almost empty, and make SQLite scan it.
  const index =
    tx.dialect === 'sqlite' ? ` INDEXED BY ${quote(`sqlite_autoindex_${auditOutbox.name}_1`)}` : '';
  await tx.affecting(
    `DELETE FROM ${quote(auditOutbox.name)}${index} WHERE \`record_id\` IN (${params.map(() => '?').join(', ')})`,
    params,
    true,
  );
}

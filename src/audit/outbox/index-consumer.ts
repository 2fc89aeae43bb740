import { isIn } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { isLockConflict } from '../../store/drivers/lock-conflicts.js';
import { isStatementFault } from '../../store/sql/database.js';
import { auditRecords } from '../../store/tables/audit.js';
import { indexName, indexRecords, UnreadableRecord } from '../record-index.js';
import type { Consumer } from './consumer.js';

/**
 * The maximum number of rows that the records of one transaction name together. A single record may name
 * more.
 */
const rowsMax = { mysql: 20_000, sqlite: 2_000 } as const;

/** Indexes records for searches: in large batches, which is many times cheaper than one record at a time. */
export const indexConsumer: Consumer = {
  name: indexName,

  async handle(tx, recordIds) {
    const batch = await bounded(tx, recordIds);
    await indexRecords(tx, batch);
    return batch.length;
  },

  /**
   * The database answered, but refused the contents of the record: it is not JSON, or too long for the index.
   */
  isFaulty: (error): error is Error =>
    error instanceof UnreadableRecord || (isStatementFault(error) && !isLockConflict(error)),
};

/** The leading records that do not name too many rows. */
async function bounded(tx: Connection, ids: readonly string[]): Promise<readonly string[]> {
  const sizes = await tx.selectColumns(auditRecords, ['id', 'rowCount'], isIn('id', ids));
  const rowsOf = new Map(sizes.map(({ id, rowCount }) => [id, rowCount]));
  let rows = 0;
  const beyond = ids.findIndex((id, at) => {
    rows += rowsOf.get(id) ?? 0;
    return at > 0 && rows > rowsMax[tx.dialect];
  });
  return beyond < 0 ? ids : ids.slice(0, beyond);
}

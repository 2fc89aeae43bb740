import { setImmediate as nextTurn } from 'node:timers/promises';
import { all, eq, isIn, type Condition } from './condition.js';
import type { Connection } from './connection.js';
import type { Database } from './database.js';
import type { Table } from '../tables/table.js';

/** Rows per transaction, so that a long backlog holds up nobody. */
const sweptAtOnce = 500;

/** The rows to delete. */
interface Swept<Row> {
  readonly table: Table<Row>;
  /** The two columns of the table's key. */
  readonly key: readonly [keyof Row & string, keyof Row & string];
  readonly which: Condition<Row>;
  /** The part of `which` that must still hold when a row is deleted. */
  readonly still: Condition<Row>;
}

/** Deletes rows in bounded transactions until the signal aborts. Returns their number. */
export async function deleteInBatches<Row>(
  database: Database,
  { table, key, which, still }: Swept<Row>,
  signal?: AbortSignal,
): Promise<number> {
  const [first, second] = key;
  const part = async (tx: Connection): Promise<{ found: number; deleted: number }> => {
    // MySQL allows no LIMIT in a subquery of IN, so the keys are read first.
    const found = await tx.selectColumns(table, key, which, { limit: sweptAtOnce });
    let deleted = 0;
    for (const group of new Set(found.map((row) => row[first]))) {
      const members = found.filter((row) => row[first] === group).map((row) => row[second]);
      deleted += await tx.delete(table, all(eq<Row>(first, group), isIn<Row>(second, members), still));
    }
    return { found: found.length, deleted };
  };
  let count = 0;
  while (signal?.aborted !== true) {
    const { found, deleted } = await database.transaction(part);
    count += deleted;
    if (found < sweptAtOnce) break;
    await nextTurn();
  }
  return count;
}

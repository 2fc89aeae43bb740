import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';

/** Pages of the index that one transaction writes. Everybody waits for it, some milliseconds. */
const pagesPerStep = 32;

/**
 * Brings SQLite's full-text index of passages into one part. Each change adds a part, and a search looks through all
 * of them; what SQLite merges by itself left nine of 60,000 passages. In short transactions, so that changes come in
 * between; a merge that is cut off goes on the next time. On MySQL the index is a table.
 */
export async function mergeSearchIndex(
  database: Pick<Database, 'dialect' | 'read' | 'transaction'>,
  signal?: AbortSignal,
): Promise<void> {
  if (database.dialect !== 'sqlite' || (await partsOf(database.read)) < 2) return;
  // Less than nothing asks for one part of all that is there; what follows goes on with that.
  let pages = -pagesPerStep;
  while (signal?.aborted !== true && (await database.transaction((tx) => merge(tx, pages)))) {
    pages = pagesPerStep;
    await nextTurn();
  }
}

async function partsOf(connection: Connection): Promise<number> {
  const [row] = await connection.query('SELECT COUNT(DISTINCT segid) AS n FROM `passages_fts_idx`');
  return Number(row?.n);
}

/** Returns whether there was anything to merge: one change is the command itself (SQLite, FTS5, section 6.8). */
async function merge(tx: Connection, pages: number): Promise<boolean> {
  const before = await changesOf(tx);
  await tx.affecting(`INSERT INTO passages_fts (passages_fts, rank) VALUES ('merge', ?)`, [pages]);
  return (await changesOf(tx)) - before > 1;
}

async function changesOf(tx: Connection): Promise<number> {
  const [row] = await tx.query('SELECT total_changes() AS n');
  return Number(row?.n);
}

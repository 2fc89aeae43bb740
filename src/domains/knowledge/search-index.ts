import { setImmediate as nextTurn } from 'node:timers/promises';
import { quote } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import { passageWords } from './tables.js';

/** Index pages per transaction. It blocks everybody for some milliseconds. */
const pagesPerStep = 32;

/**
 * Merges SQLite's full-text index of passages into one part. Each change adds a part, and a search reads all
 * of them; SQLite's own merging left nine parts for 60,000 passages. The transactions are short, so that
 * changes come in between. An interrupted merge continues the next time. On MySQL the index is a table, and
 * this does nothing.
 */
export async function mergeSearchIndex(
  database: Pick<Database, 'dialect' | 'read' | 'transaction'>,
  signal?: AbortSignal,
): Promise<void> {
  if (database.dialect !== 'sqlite' || (await partsOf(database.read)) < 2) return;
  // A negative number starts a merge of all parts into one; positive numbers continue it.
  let pages = -pagesPerStep;
  while (signal?.aborted !== true && (await database.transaction((tx) => merge(tx, pages)))) {
    pages = pagesPerStep;
    await nextTurn();
  }
}

async function partsOf(connection: Connection): Promise<number> {
  const [row] = await connection.query(
    `SELECT COUNT(DISTINCT segid) AS n FROM ${quote(`${passageWords.fullTextName}_idx`)}`,
  );
  return Number(row?.n);
}

/** Whether anything was merged. The command itself counts as one change (SQLite, FTS5, section 6.8). */
async function merge(tx: Connection, pages: number): Promise<boolean> {
  const fullText = quote(passageWords.fullTextName);
  const before = await changesOf(tx);
  await tx.affecting(`INSERT INTO ${fullText} (${fullText}, rank) VALUES ('merge', ?)`, [pages]);
  return (await changesOf(tx)) - before > 1;
}

async function changesOf(tx: Connection): Promise<number> {
  const [row] = await tx.query('SELECT total_changes() AS n');
  return Number(row?.n);
}

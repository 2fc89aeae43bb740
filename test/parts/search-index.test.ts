// databases: sqlite, mariadb
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { mergeSearchIndex } from '../../src/domains/knowledge/search-index.js';
import type { Connection } from '../../src/store/sql/connection.js';
import { SqliteStatements } from '../../src/store/drivers/statements.js';
import { testDatabase } from '../support/database.js';
import { importPage, reading, startKnowledge } from '../support/knowledge.js';
import type { PersonFixture, TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';

let server: TestServer;
let reader: PersonFixture;
let pages = 0;

beforeAll(async () => {
  server = await startKnowledge();
  reader = await server.person({ scopes: reading });
  for (let n = 0; n < 60; n += 1) await addPage();
});
afterAll(() => server.stop());

/** Its words are its own but for one, so that the index is larger than what one transaction merges. */
async function addPage(): Promise<void> {
  const number = pages++;
  const words = Array.from({ length: 400 }, (_, n) => `word${String(number)}x${String(n)}`);
  expect(
    await importPage(server, {
      path: `${String(number)}.md`,
      collection: 'guides',
      classification: 'public',
      title: `Page ${String(number)}`,
      body: `Coffee. ${words.join(' ')}`,
    }),
  ).toBe('created');
}

async function found(query: string): Promise<unknown> {
  const answer = await server.query(
    reader.token,
    'query ($query: String!) { search(query: $query, first: 100) { nodes { score passage { id } } } }',
    { query },
  );
  expect(answer.errors).toEqual([]);
  return answer.data;
}

const isSqlite = (): boolean => server.database.dialect === 'sqlite';

/** How many parts the index has; MySQL does not tell, and needs no merging. */
async function parts(): Promise<number> {
  if (!isSqlite()) return 1;
  const [row] = await server.database.read.query(
    'SELECT COUNT(DISTINCT segid) AS n FROM behalf_passages_fts_idx',
  );
  return Number(row?.n);
}

/** SQLite compares its index with the passages, and fails where they differ. */
const checked = (): Promise<unknown> =>
  isSqlite()
    ? server.database.transaction((tx) =>
        tx.query(`INSERT INTO behalf_passages_fts (behalf_passages_fts, rank) VALUES ('integrity-check', 1)`),
      )
    : Promise.resolve();

/** In how many transactions the index was merged: each has one such statement. */
const writes = (sent: readonly string[]): number => sent.filter((sql) => sql.includes("'merge'")).length;

/** Pages come until the index has several parts. */
async function inParts(): Promise<void> {
  do await addPage();
  while (isSqlite() && (await parts()) < 2);
}

describe('the index of passages', () => {
  test('who is told to stop merges nothing', async () => {
    await inParts();
    const sent = await statementsOf(() => mergeSearchIndex(server.database, AbortSignal.abort()));
    expect(writes(sent)).toBe(0);
  });

  test('is merged in several transactions, and a merge that was cut off goes on; all is found as before', async () => {
    const queries = ['coffee', 'word7x3', 'word7x3 word8x4', 'page 59'];
    const before = await Promise.all(queries.map(found));
    const { dialect, read } = server.database;
    const ending = new AbortController();
    const once = <T>(work: (tx: Connection) => Promise<T>): Promise<T> => {
      ending.abort();
      return server.database.transaction(work);
    };
    const cut = await statementsOf(() =>
      mergeSearchIndex({ dialect, read, transaction: once }, ending.signal),
    );
    expect(writes(cut)).toBe(isSqlite() ? 1 : 0);
    if (isSqlite()) expect(await parts()).toBeGreaterThan(1);
    await checked();
    expect(await Promise.all(queries.map(found))).toEqual(before);

    const sent = await statementsOf(() => mergeSearchIndex(server.database));
    if (isSqlite()) expect(writes(sent)).toBeGreaterThan(1);
    else expect(sent).toEqual([]);
    expect(await parts()).toBe(1);
    await checked();
    expect(await Promise.all(queries.map(found))).toEqual(before);
  });

  test('pages that come while it is merged are found', async () => {
    await inParts();
    await Promise.all([mergeSearchIndex(server.database), addPage(), addPage()]);
    await checked();
    for (const number of [pages - 2, pages - 1]) {
      expect(await found(`word${String(number)}x9`)).toMatchObject({ search: { nodes: [{}] } });
    }
  });

  test('a server merges it by itself, and writes nothing where it is in one part', async () => {
    await inParts();
    const other = await server.replica({ mergeEveryMs: 1 });
    while ((await parts()) > 1) await nextTurn();
    await other.stop();
    await checked();
    expect(writes(await statementsOf(() => mergeSearchIndex(server.database)))).toBe(0);
  });

  if (testDatabase() === 'sqlite')
    test('a long document is written in turns of the event loop, which SQLite blocks', async () => {
      const letters = 40_000;
      const page = (first: number) => ({
        ...{ path: 'long.md', collection: 'guides', classification: 'public' as const, title: 'Long' },
        body: Array.from({ length: letters }, (_, at) =>
          String.fromCharCode(0x4e00 + ((first + at * 7_919) % 20_000)),
        ).join(''),
      });
      const made = await mostInTurn(() => importPage(server, page(0)));
      const replaced = await mostInTurn(() => importPage(server, page(1)));
      expect([made.removed, replaced.removed]).toEqual([0, 32]);
      for (const { added } of [made, replaced]) {
        expect(added).toBeGreaterThan(0);
        expect(added).toBeLessThan(80_000);
      }
      await checked();
    });
});

/** The most letters of passages that were written, and the most passages that were removed, in one turn. */
async function mostInTurn(
  work: () => Promise<unknown>,
): Promise<{ readonly added: number; readonly removed: number }> {
  const turn = { added: 0, removed: 0 };
  const most = { added: 0, removed: 0 };
  let isWatching = true;
  const close = (): void => {
    most.added = Math.max(most.added, turn.added);
    most.removed = Math.max(most.removed, turn.removed);
    Object.assign(turn, { added: 0, removed: 0 });
    if (isWatching) setImmediate(close);
  };
  setImmediate(close);
  const run = Object.getOwnPropertyDescriptor(SqliteStatements.prototype, 'run')
    ?.value as SqliteStatements['run'];
  const spy = vi.spyOn(SqliteStatements.prototype, 'run').mockImplementation(async function (
    this: SqliteStatements,
    sql,
    params,
  ) {
    const outcome = await run.call(this, sql, params);
    if (sql.startsWith('INSERT INTO `behalf_passages`'))
      turn.added += params.reduce<number>((sum, value) => sum + String(value).length, 0);
    if (sql.startsWith('DELETE FROM `behalf_passages`')) turn.removed += outcome.affected;
    return outcome;
  });
  try {
    await work();
    return most;
  } finally {
    isWatching = false;
    close();
    spy.mockRestore();
  }
}

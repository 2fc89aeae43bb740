import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mergeSearchIndex } from '../../src/domains/knowledge/search-index.js';
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
  const [row] = await server.database.read.query('SELECT COUNT(DISTINCT segid) AS n FROM passages_fts_idx');
  return Number(row?.n);
}

/** SQLite compares its index with the passages, and fails where they differ. */
const checked = (): Promise<unknown> =>
  isSqlite()
    ? server.database.transaction((tx) =>
        tx.query(`INSERT INTO passages_fts (passages_fts, rank) VALUES ('integrity-check', 1)`),
      )
    : Promise.resolve();

describe('the index of passages', () => {
  test('who is told to stop merges nothing', async () => {
    const before = await parts();
    if (isSqlite()) expect(before).toBeGreaterThan(1);
    await mergeSearchIndex(server.database, AbortSignal.abort());
    expect(await parts()).toBe(before);
  });

  test('is merged into one part, in several transactions, while pages come; all is found as before', async () => {
    const queries = ['coffee', 'word7x3', 'word7x3 word8x4', 'page 59'];
    const before = await Promise.all(queries.map(found));
    const sent = await statementsOf(() => mergeSearchIndex(server.database));
    const begun = sent.filter((sql) => sql.startsWith('BEGIN'));
    if (isSqlite()) expect(begun.length).toBeGreaterThan(2);
    else expect(sent).toEqual([]);
    expect(await parts()).toBe(1);
    await checked();
    expect(await Promise.all(queries.map(found))).toEqual(before);

    for (let n = 0; n < 3; n += 1) await addPage();
    await Promise.all([mergeSearchIndex(server.database), addPage(), addPage()]);
    await mergeSearchIndex(server.database);
    expect(await parts()).toBe(1);
    await checked();
    expect(await found(`word${String(pages - 1)}x9`)).toMatchObject({ search: { nodes: [{}] } });
  });

  test('in one part nothing is written', async () => {
    const sent = await statementsOf(() => mergeSearchIndex(server.database));
    expect(sent.filter((sql) => !sql.startsWith('SELECT'))).toEqual([]);
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPage, reading, startKnowledge, within } from '../../support/knowledge.js';
import { rowsLookedAt } from '../../support/looks.js';
import type { PersonFixture, TestServer } from '../../support/server.js';
import { naming, sentBy } from '../../support/statements.js';

let server: TestServer;
let narrow: PersonFixture;
let all: PersonFixture;

const page = (path: string, collection: string, classification: 'public' | 'restricted', body: string) =>
  importPage(server, { path, collection, classification, title: 'A page', body });

/** So many passages under headings of their own. */
const entries = (count: number, text: string): string => `## Entry\n\n${text}\n\n`.repeat(count);

beforeAll(async () => {
  server = await startKnowledge();
  await page('few.md', 'guides', 'public', entries(20, 'A ledger and a quill.'));
  await page('many.md', 'guides', 'public', entries(400, 'Ink on vellum.'));
  narrow = await server.person({ scopes: reading, boundary: within(['guides'], ['public']) });
  all = await server.person({ scopes: reading });
});
afterAll(() => server.stop());

const searches: readonly (readonly [string, object])[] = [
  ['a word', { query: 'ledger' }],
  ['two words', { query: 'ledger quill' }],
  ['more passages than candidates', { query: 'ink vellum' }],
  ['a collection', { query: 'quill', collection: 'guides' }],
  ['a collection outside the boundary', { query: 'quill', collection: 'vault' }],
  ['a word that only hidden passages have', { query: 'sarcophagus' }],
];

/** What a search finds, and how many rows the database looks at for it. */
async function costOf(caller: PersonFixture, variables: object): Promise<{ found: unknown; rows: number }> {
  let found: unknown;
  const sent = await sentBy(async () => {
    const answer = await server.query(
      caller.token,
      'query ($query: String!, $collection: String) { search(query: $query, collection: $collection, first: 100) { nodes { score passage { id } } } }',
      { ...variables },
    );
    expect(answer.errors).toEqual([]);
    found = answer.data;
  });
  const asking = sent.filter(({ sql }) => naming([sql], 'passages').length > 0);
  return { found, rows: await rowsLookedAt(server, asking) };
}

describe('12 what a caller may not see costs their search nothing', () => {
  test('with thousands of hidden matches the database looks at the same number of rows', async () => {
    const before = [];
    for (const [, variables] of searches) before.push(await costOf(narrow, variables));
    const seen = await costOf(all, { query: 'ledger' });
    const text = 'A ledger, a quill, ink on vellum, a sarcophagus.';
    await page('elsewhere.md', 'vault', 'public', entries(700, text));
    await page('restricted.md', 'guides', 'restricted', entries(700, text));
    const after = [];
    for (const [, variables] of searches) after.push(await costOf(narrow, variables));
    expect(after.map((one, index) => [searches[index]?.[0], one])).toEqual(
      before.map((one, index) => [searches[index]?.[0], one]),
    );
    expect(before[0]?.rows).toBeGreaterThan(0);
    // Whoever sees them pays for them: the measure counts what is looked at.
    expect((await costOf(all, { query: 'ledger' })).rows).toBeGreaterThan(seen.rows + 100);
  });

  test('a passage moves with its document: one that was hidden costs nothing any more', async () => {
    const before = await costOf(narrow, { query: 'zeppelin' });
    await page('moving.md', 'guides', 'public', entries(5, 'A zeppelin.'));
    expect((await costOf(narrow, { query: 'zeppelin' })).rows).toBeGreaterThan(before.rows);
    await page('moving.md', 'guides', 'restricted', entries(5, 'A zeppelin.'));
    expect(await costOf(narrow, { query: 'zeppelin' })).toEqual(before);
    expect((await costOf(all, { query: 'zeppelin' })).rows).toBeGreaterThan(before.rows);
  });
});

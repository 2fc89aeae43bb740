// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importPage, pages, startKnowledge, within } from '../support/knowledge.js';
import type { PersonFixture, TestServer } from '../support/server.js';

// What both databases must find alike, in the same order and with the same scores, is written here.

let server: TestServer;
let person: PersonFixture;

beforeAll(async () => {
  server = await startKnowledge();
  for (const page of pages) await importPage(server, page);
  person = await server.person({
    scopes: ['collections:read', 'documents:read'],
    boundary: within('all', ['public', 'internal', 'confidential']),
  });
});
afterAll(() => server.stop());

interface Hit {
  readonly score: number;
  readonly citation: { readonly title: string; readonly heading: string };
}

async function hits(query: string): Promise<readonly Hit[]> {
  const { data, errors } = await server.query(
    person.token,
    'query ($query: String!) { search(query: $query) { nodes { score citation { title heading } } } }',
    { query },
  );
  expect(errors).toEqual([]);
  return data.search.nodes as Hit[];
}

const named = (found: readonly Hit[]): string[] =>
  found.map(({ citation }) => `${citation.title} / ${citation.heading}`);

const found: readonly (readonly [query: string, expected: readonly string[]])[] = [
  [
    'refund',
    [
      'Returns and refunds / Refunds',
      'Who may sign refunds / ',
      'Who may sign refunds / Fraud',
      'Returns and refunds / ',
      'Returns and refunds / Damaged goods',
    ],
  ],
  [
    'parental leave',
    [
      'Leave and absence / Parental leave',
      'Salary bands / ',
      'Leave and absence / Sick leave',
      'Leave and absence / Café hours',
    ],
  ],
  ['hr', ['Salary bands / ', 'Leave and absence / Parental leave']],
  ['HR', ['Salary bands / ', 'Leave and absence / Parental leave']],
  ['cafe', ['Leave and absence / Café hours']],
  ['CAFÉ', ['Leave and absence / Café hours']],
  ['creme brulee', ['Leave and absence / Café hours']],
  ['法務', ['Who may sign refunds / Fraud']],
  ['+fraud -"refund*" (', ['Who may sign refunds / Fraud']],
  ['nothing of this kind', []],
];

test.each(found)('%s', async (query, expected) => {
  expect(named(await hits(query)).slice(0, Math.max(1, expected.length))).toEqual(expected);
});

test('ranks by numbers that are the same on both', async () => {
  const scores = (await hits('refund')).map((hit) => hit.score);
  expect(scores).toEqual([1.7125, 1.3898, 1.3824, 1.3203, 1.3203]);
});

test('pages through ties in the order of the ids', async () => {
  const read: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { data } = await server.query(
      person.token,
      'query ($after: String) { search(query: "refund", first: 1, after: $after) { nodes { citation { title heading } score } pageInfo { hasNextPage endCursor } } }',
      { after },
    );
    read.push(...named(data.search.nodes as Hit[]));
    after = data.search.pageInfo.endCursor as string | null;
    more = data.search.pageInfo.hasNextPage as boolean;
  }
  expect(read).toEqual(named(await hits('refund')));
});

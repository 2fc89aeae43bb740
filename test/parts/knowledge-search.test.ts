// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPage, pages, reading, startKnowledge, within } from '../support/knowledge.js';
import type { PersonFixture, TestServer } from '../support/server.js';
import { naming, statementsOf } from '../support/statements.js';

let server: TestServer;
let reader: PersonFixture;

beforeAll(async () => {
  server = await startKnowledge();
  for (const page of pages) await importPage(server, page);
  reader = await server.person({ scopes: reading });
});
afterAll(() => server.stop());

const searchQuery = `query ($query: String!, $collection: String, $first: Int, $after: String) {
  search(query: $query, collection: $collection, first: $first, after: $after) {
    edges { cursor node { score snippet citation { documentId title heading position version } passage { id } } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;

interface Found {
  cursor: string;
  node: {
    score: number;
    snippet: string;
    citation: { documentId: string; title: string; heading: string; position: number; version: number };
    passage: { id: string };
  };
}

const ask = (query: string, more: object = {}, token = reader.token) =>
  server.query(token, searchQuery, { query, ...more });

async function find(query: string, more: object = {}, token = reader.token): Promise<Found[]> {
  const answer = await ask(query, more, token);
  expect(answer.errors).toEqual([]);
  return (answer.data as { search: { edges: Found[] } }).search.edges;
}

const named = (found: readonly Found[]): string[] =>
  found.map(({ node }) => `${node.citation.title} / ${node.citation.heading}`);

describe('ranking', () => {
  test.each([
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
      'how do I ask for parental leave?',
      [
        'Leave and absence / Parental leave',
        'Salary bands / ',
        'Leave and absence / Sick leave',
        'Leave and absence / Café hours',
      ],
    ],
    ['refund card charged', ['Returns and refunds / Refunds', 'Who may sign refunds / Fraud']],
  ])('the order for “%s” is the same on both databases', async (query, expected) => {
    expect(named(await find(query)).slice(0, expected.length)).toEqual(expected);
  });

  test('each page goes on where the one before ended', async () => {
    const whole = await find('refund leave HR');
    const paged: Found[] = [];
    let after: string | null = null;
    for (let pagesLeft = 20; pagesLeft > 0; pagesLeft -= 1) {
      const answer = await ask('refund leave HR', { first: 2, after });
      const page = answer.data as {
        search: { edges: Found[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      };
      paged.push(...page.search.edges);
      after = page.search.pageInfo.endCursor;
      if (!page.search.pageInfo.hasNextPage) break;
    }
    expect(whole.length).toBeGreaterThan(4);
    expect(paged).toEqual(whole);
  });

  test('a cursor of another search is refused', async () => {
    const [first] = await find('refund');
    const answer = await ask('leave', { after: first?.cursor });
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'after' });
  });
});

describe('more passages than the bound', () => {
  beforeAll(async () => {
    const page = { collection: 'archive', classification: 'public' as const };
    const ledger = '## Entry\n\nA ledger line.\n\n'.repeat(400);
    await importPage(server, { ...page, path: 'a.md', title: 'Old books', body: ledger });
    await importPage(server, { ...page, path: 'b.md', title: 'Animals', body: 'One zebra.' });
    await importPage(server, { ...page, path: 'c.md', title: 'Ledger guide', body: 'How a ledger is kept.' });
  });

  test('a frequent word does not crowd out a rare one', async () => {
    expect(named(await find('ledger zebra'))).toContain('Animals / ');
  });

  test('a page named so is found among many that only mention it', async () => {
    expect(named(await find('ledger', { first: 1 }))).toEqual(['Ledger guide / ']);
  });
});

describe('words', () => {
  test.each([
    ['HR', ['Salary bands / ', 'Leave and absence / Parental leave']],
    ['hr', ['Salary bands / ', 'Leave and absence / Parental leave']],
    ['cafe', ['Leave and absence / Café hours']],
    ['CREME BRULEE zoe', ['Leave and absence / Café hours']],
    ['法務', ['Who may sign refunds / Fraud']],
    ['signature', ['Who may sign refunds / ']],
    ['500', ['Who may sign refunds / ']],
    ['nobody', []],
  ])('“%s” finds %j', async (query, expected) => {
    expect(named(await find(query))).toEqual(expected);
  });

  test('stop words count only where there is nothing else', async () => {
    expect(named(await find('the refund of a card'))).toEqual(named(await find('refund card')));
    expect((await find('what is the')).length).toBeGreaterThan(3);
  });

  test('a hit shows the words and names its source', async () => {
    const [hit] = await find('damaged photograph');
    expect(hit?.node.snippet).toBe('Send a **photograph**. We replace what arrived broken.');
    expect(hit?.node.citation).toMatchObject({
      title: 'Returns and refunds',
      heading: 'Damaged goods',
      position: 3,
      version: 1,
    });
  });
});

describe('hostile queries', () => {
  test.each([
    '"refund',
    'refund*',
    '+refund -card',
    '(refund',
    'refund)',
    '~refund <card> @4',
    "refund' OR 1=1",
  ])('operators mean nothing: %s', async (query) => {
    const [first] = await find(query);
    expect(first?.node.citation.title).toMatch(/refunds/);
  });

  test.each([
    ['no word', '"*+-()<>~@\\'],
    ['nothing', '   '],
    ['10 kB', 'refund '.repeat(1_500)],
    ['a NUL', 'refund\u0000'],
    ['half a letter', 'refund \ud800'],
  ])('%s is BAD_USER_INPUT', async (_, query) => {
    const answer = await ask(query);
    expect(answer.errors.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('boundary', () => {
  test('what lies outside is neither found nor felt', async () => {
    const narrow = await server.person({
      scopes: reading,
      boundary: within(['hr', 'policies'], ['public', 'internal']),
    });
    const before = await find('parental leave refund', {}, narrow.token);
    expect(named(before)).not.toContain('Salary bands / ');
    expect(named(before).join()).not.toContain('Who may sign');
    for (let number = 0; number < 5; number += 1) {
      await importPage(server, {
        path: `secret/${String(number)}.md`,
        collection: 'hr',
        classification: 'restricted',
        title: 'Parental leave refund',
        body: 'Parental leave refund. '.repeat(20),
      });
    }
    expect(await find('parental leave refund', {}, narrow.token)).toEqual(before);
  });

  test('the collection narrows, and needs collections:read', async () => {
    expect(
      new Set(named(await find('refund', { collection: 'finance' })).map((name) => name.split(' / ')[0])),
    ).toEqual(new Set(['Who may sign refunds']));
    expect(await find('refund', { collection: 'finance ' })).toEqual([]);
    const lacking = await server.agent(reader, { scopes: reading }, { scopes: ['documents:read'] });
    const answer = await ask('refund', { collection: 'finance' }, lacking.token);
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      layer: 'delegation',
      missingScopes: ['collections:read'],
    });
    expect(answer.data).toEqual({ search: null });
  });

  test('few passages are found, ranked and shown by one statement', async () => {
    const agent = await server.agent(reader, { scopes: reading });
    await find('refund', {}, agent.token);
    const asked = await statementsOf(() => find('refund', {}, agent.token));
    expect(naming(asked, 'passages')).toHaveLength(1);
  });

  test('only what is shown counts as read', async () => {
    const agent = await server.agent(reader, { scopes: reading });
    const [hit] = await find('refund', { first: 1 }, agent.token);
    const rows = await server.database.read.query(
      'SELECT r.row_count AS n, r.body AS body FROM behalf_audit_records r WHERE r.delegation_id = ?',
      [agent.delegationId],
    );
    expect(rows.map((row) => Number(row.n))).toEqual([1]);
    expect(String(rows[0]?.body)).toContain(hit?.node.passage.id);
  });
});

// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadBusiness, smallBusiness } from '../support/demo-rows.js';
import { recordOf } from '../support/records.js';
import { everywhere, TestServer } from '../support/server.js';

const scopes = ['customers:read', 'orders:read', 'documents:read', 'analytics:sales'];

let server: TestServer;
let person: string;
let bounded: string;

beforeAll(async () => {
  server = await TestServer.start({}, { BEHALF_OPERATION_COST_MAX: '50000' });
  await loadBusiness(server.database, smallBusiness());
  const asker = await server.person({ scopes, boundary: everywhere });
  person = asker.token;
  bounded = (await server.agent(asker, { scopes, boundary: everywhere, operationCost: 100 })).token;
});
afterAll(() => server.stop());

async function costOf(query: string, variables: Record<string, unknown> = {}, token = person) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as { extensions?: { cost: { requested: number; max: number } } };
  return body.extensions?.cost;
}

describe('the cost of an operation', () => {
  test.each([
    ['a field counts one', '{ viewer { person { name } } }', 3],
    [
      'a page counts as twenty, and its fields as often as it is long',
      '{ customers(first: 7) { nodes { id name } } }',
      20 + 7 * 3,
    ],
    ['a page that says nothing counts as the default one', '{ customers { nodes { id } } }', 20 + 20 * 2],
    [
      'pages inside pages multiply',
      '{ customers(first: 5) { nodes { orders(first: 4) { nodes { id } totalCount } } } }',
      20 + 5 * (1 + 20 + 4 * (1 + 1) + 10),
    ],
    [
      'a total counts as ten fields, each time that it is asked for',
      '{ a: customers(first: 1) { totalCount } b: customers(first: 100) { totalCount } }',
      2 * (20 + 10),
    ],
    [
      'what a page tells of itself counts once for it, also where it holds a list',
      '{ customers(first: 9) { pageInfo { hasNextPage } edges { node { id } } } }',
      20 + 2 + 9 * 3,
    ],
    [
      'a cursor counts as twenty fields',
      '{ customers(first: 9) { pageInfo { startCursor endCursor } edges { cursor } } }',
      20 + 1 + 2 * 20 + 9 * (1 + 20),
    ],
    [
      'a row that another one names counts as three',
      '{ orders(first: 9) { nodes { customer { name } } } }',
      20 + 9 * (1 + 3 + 1),
    ],
    [
      'fields that merge count once, aliases each',
      '{ customers(first: 2) { nodes { id id } nodes { a: id } } }',
      20 + 2 * 3,
    ],
    [
      'fragments count where they are spread',
      'query { customers(first: 2) { ...C } } fragment C on CustomerConnection { nodes { id } edges { node { id } } }',
      20 + 2 * 5,
    ],
    ['__typename is free', '{ __typename viewer { __typename } }', 1],
    [
      'a search counts as the look at its candidates',
      '{ search(query: "leave", first: 1) { nodes { score } } }',
      302,
    ],
    [
      'a statistic counts for each year, and what it gives for each bucket',
      '{ salesByPeriod(from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", bucket: MONTH) { suppressed } }',
      500 + 12 * 2,
    ],
    [
      'a bucket and a year count where the time reaches into them',
      '{ salesByRegion(from: "2024-12-31T23:59:59Z", to: "2025-01-01T00:00:00.001Z", bucket: QUARTER) { period } }',
      2 * 500 + 2 * 10,
    ],
  ])('%s', async (_, query, cost) => {
    for (let time = 1; time <= 4; time += 1) {
      expect(await costOf(query)).toEqual({ requested: cost, max: 50_000 });
    }
  });

  test('a field that is refused counts as the error that it comes to, with nothing below', async () => {
    const role = { scopes: [...scopes, 'customers:read_credit'], boundary: everywhere };
    const owner = await server.person(role);
    const lacking = await server.agent(owner, role, { scopes, boundary: everywhere });
    const query = '{ customers(first: 9) { nodes { id creditLimit { amount currency } } } }';
    for (let time = 1; time <= 4; time += 1) {
      expect(await costOf(query, {}, owner.token)).toMatchObject({ requested: 20 + 9 * (1 + 1 + 3) });
      expect(await costOf(query, {}, lacking.token)).toMatchObject({ requested: 20 + 9 * (1 + 1 + 8) });
    }
  });

  test('knows variables, their defaults, and what they leave out', async () => {
    const query = `query ($n: Int = 3, $skip: Boolean = false) {
      customers(first: $n) { nodes { id orders(first: 10) @skip(if: $skip) { nodes { id } } } }
    }`;
    expect((await costOf(query))?.requested).toBe(20 + 3 * (1 + 1 + 20 + 10 * 2));
    expect((await costOf(query, { n: 6 }))?.requested).toBe(20 + 6 * (1 + 1 + 20 + 10 * 2));
    expect((await costOf(query, { n: null, skip: true }))?.requested).toBe(20 + 20 * 2);
  });

  test('grows with each page and never with what a page cannot be', async () => {
    const query =
      'query ($a: Int, $b: Int) { customers(first: $a) { nodes { orders(first: $b) { nodes { id } } } } }';
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), async (a, b) => {
        expect((await costOf(query, { a, b }))?.requested).toBe(20 + a * (21 + b * 2));
      }),
      { numRuns: 40 },
    );
  });

  test('beyond the budget of its role it does not begin, and says what it would have cost', async () => {
    const query = '{ customers(first: 50) { nodes { id name } } }';
    expect(await costOf('{ customers(first: 5) { nodes { id } } }', {}, bounded)).toEqual({
      requested: 30,
      max: 100,
    });
    for (let time = 1; time <= 4; time += 1) {
      const answer = await server.query(bounded, query);
      expect(answer).toMatchObject({ status: 400, data: undefined });
      expect(answer.errors[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
      expect(await costOf(query, {}, bounded)).toEqual({ requested: 170, max: 100 });
      expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'failed', resources: [] });
    }
    expect((await server.query(person, query)).errors).toEqual([]);
  });

  test('the usual introspection costs the same for all who ask at once', async () => {
    const query = '{ __schema { types { name fields { name description args { name } } } } }';
    const { token } = await server.person({ scopes: [...server.app.scopes] });
    const costs = await Promise.all(Array.from({ length: 4 }, () => costOf(query, {}, token)));
    expect(costs).toEqual(costs.map(() => ({ requested: 100, max: 50_000 })));
  });

  test('beyond the server’s own budget nobody gets through', async () => {
    const query = '{ customers(first: 1000) { nodes { orders(first: 100) { nodes { id } } } } }';
    const answer = await server.query(person, query);
    expect(answer.errors.map((error) => error.extensions.code)).toEqual(['QUERY_TOO_COMPLEX']);
    expect(await costOf(query)).toEqual({ requested: 20 + 1000 * (21 + 100 * 2), max: 50_000 });
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { delegations } from '../../../src/store/tables/identity.js';
import { BusinessRows } from '../../support/business.js';
import { importPage } from '../../support/knowledge.js';
import { recordOf } from '../../support/records.js';
import {
  everywhere,
  TestServer,
  type AgentFixture,
  type Answer,
  type PersonFixture,
} from '../../support/server.js';

const scopes = ['customers:read', 'orders:read', 'documents:read', 'collections:read', 'analytics:sales'];

let server: TestServer;
let rosa: PersonFixture;

beforeAll(async () => {
  server = await TestServer.start();
  rosa = await server.person({ scopes });
  const rows = new BusinessRows(server);
  for (const number of ['C-1', 'C-2', 'C-3', 'C-4']) {
    const customer = await rows.customer(number, 'europe', { name: `Secretive ${number}` });
    for (const order of ['a', 'b', 'c']) await rows.order(`${number}-${order}`, customer);
  }
  for (const title of ['One', 'Two', 'Three']) {
    const place = { collection: 'guides', classification: 'public' } as const;
    await importPage(server, {
      path: `${title}.md`,
      ...place,
      title,
      body: `The coffee of ${title}, one or two.`,
    });
  }
});
afterAll(() => server.stop());

const agentOf = (rowsMax = 1_000): Promise<AgentFixture> =>
  server.agent(rosa, { scopes }, { scopes, rowsMax });
const rowsUsed = async ({ delegationId }: AgentFixture): Promise<number> =>
  (await server.database.read.byId(delegations, delegationId))?.rowsUsed ?? -1;

const page = (args: string): string =>
  `query ($after: String) { list: ${args} { edges { cursor } pageInfo { endCursor } } }`;
const lists = {
  customers: page('customers(first: 2, after: $after)'),
  'customers by name': page('customers(first: 2, orderBy: { name: ASC }, after: $after)'),
  'customers by name, backwards': page('customers(first: 2, orderBy: { name: DESC }, after: $after)'),
  'some customers': page('customers(first: 2, filter: { nameStartsWith: "S" }, after: $after)'),
  'other customers': page('customers(first: 2, filter: { nameStartsWith: "Se" }, after: $after)'),
  orders: page('orders(first: 2, after: $after)'),
  documents: page('documents(first: 2, after: $after)'),
  'a search': page('search(query: "coffee", first: 2, after: $after)'),
  'another search': page('search(query: "one two", first: 2, after: $after)'),
};
const endOf = (answer: Answer): string => {
  expect(answer.errors).toEqual([]);
  return (answer.data.list as { pageInfo: { endCursor: string } }).pageInfo.endCursor;
};

describe('08 a cursor is good for one list, one order, one filter and one caller', () => {
  test('it goes on in its own list, and is refused in every other', async () => {
    const cursors = new Map<string, string>();
    for (const [name, query] of Object.entries(lists))
      cursors.set(name, endOf(await server.query(rosa.token, query)));
    for (const [name, query] of Object.entries(lists)) {
      for (const [of, after] of cursors) {
        const answer = await server.query(rosa.token, query, { after });
        const codes = answer.errors.map(({ extensions }) => [extensions.code, extensions.path]);
        expect([name, of, codes]).toEqual([name, of, of === name ? [] : [['BAD_USER_INPUT', 'after']]]);
      }
    }
  });

  test('below another parent it is refused', async () => {
    const query = `query ($number: String!, $after: String) { customerByNumber(number: $number) {
      orders(first: 1, after: $after) { pageInfo { endCursor } } } }`;
    const first = await server.query(rosa.token, query, { number: 'C-1' });
    const after = (first.data.customerByNumber as { orders: { pageInfo: { endCursor: string } } }).orders
      .pageInfo.endCursor;
    expect((await server.query(rosa.token, query, { number: 'C-1', after })).errors).toEqual([]);
    const other = await server.query(rosa.token, query, { number: 'C-2', after });
    expect(other.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });

  test('in the hands of anybody else it is refused: another person, an agent, another agent', async () => {
    const other = await server.person({ scopes });
    const [agent, next] = [await agentOf(), await agentOf()];
    const tokens = [rosa.token, other.token, agent.token, next.token];
    for (const query of [lists.customers, lists['a search']]) {
      for (const mine of tokens) {
        const after = endOf(await server.query(mine, query));
        for (const token of tokens) {
          const { errors } = await server.query(token, query, { after });
          expect(errors.map(({ extensions }) => extensions.code)).toEqual(
            token === mine ? [] : ['BAD_USER_INPUT'],
          );
        }
      }
    }
  });

  test('a new token of the same task and another server go on with it, and equal rows have equal cursors', async () => {
    const agent = await agentOf();
    const again = await server.token(rosa.id, agent.delegationId, scopes);
    const after = endOf(await server.query(agent.token, lists.customers));
    expect(endOf(await server.query(again, lists.customers))).toBe(after);
    expect((await server.query(again, lists.customers, { after })).errors).toEqual([]);
    const replica = await server.replica();
    try {
      expect(endOf(await replica.query(agent.token, lists.customers))).toBe(after);
      expect((await replica.query(agent.token, lists.customers, { after })).errors).toEqual([]);
    } finally {
      await replica.app.close();
      await replica.database.close();
    }
  });

  test('nothing can be read in it', async () => {
    for (const query of Object.values(lists)) {
      const { data } = await server.query(rosa.token, query);
      for (const { cursor } of (data.list as { edges: { cursor: string }[] }).edges) {
        const bytes = Buffer.from(cursor, 'base64url').toString('latin1');
        expect(bytes).not.toMatch(/Secretive|C-\d-|2026-|01[0-9A-Z]{6}/);
      }
    }
  });
});

describe('08 a count is a read', () => {
  const guess = (beginning: string): string =>
    `{ customers(first: 1, filter: { nameStartsWith: "${beginning}" }) { totalCount pageInfo { hasNextPage } } }`;

  test('an empty page with its count costs a row, and its record names type and filter', async () => {
    const agent = await agentOf(1);
    const answer = await server.query(agent.token, guess('X'));
    expect(answer.data.customers).toMatchObject({ totalCount: 0 });
    expect(await rowsUsed(agent)).toBe(1);
    const record = await recordOf(server.database, answer);
    expect(record.rowCount).toBe(1);
    expect(record.resources.map(({ type, action }) => [type, action])).toEqual([
      ['Customer', 'read'],
      ['Customer', 'aggregate'],
    ]);
    expect(record.arguments).toContain('"X"');
    const next = await server.query(agent.token, guess('Y'));
    expect([next.data ?? null, next.errors.map(({ extensions }) => extensions.code)]).toEqual([
      null,
      ['LIMIT_EXCEEDED'],
    ]);
  });

  test.each([
    ['a page of nothing', '{ customers(first: 1, filter: { nameStartsWith: "X" }) { nodes { id } } }', 1],
    ['one that is not there', '{ customerByNumber(number: "X-1") { id } }', 1],
    [
      'several that are not there',
      '{ a: customerByNumber(number: "X-1") { id } b: customerByNumber(number: "X-2") { id } c: customerByNumber(number: "C-1") { id } }',
      3,
    ],
    [
      'pages below a parent',
      '{ customerByNumber(number: "C-1") { orders(filter: { numbers: ["none"] }) { totalCount } } }',
      2,
    ],
    ['a search that finds nothing', '{ search(query: "nonsensical") { nodes { score } } }', 1],
    [
      'the same question five times',
      `{ ${[1, 2, 3, 4, 5].map((n) => `a${String(n)}: customers(filter: { nameStartsWith: "X${String(n)}" }) { totalCount }`).join(' ')} }`,
      5,
    ],
  ])('%s costs a row', async (_what, query, rows) => {
    const agent = await agentOf();
    const answer = await server.query(agent.token, query);
    expect(answer.errors).toEqual([]);
    expect(await rowsUsed(agent)).toBe(rows);
    const record = await recordOf(server.database, answer);
    expect(record.rowCount).toBe(rows);
    expect(record.resources.length).toBeGreaterThan(0);
  });

  test('a statistic costs a row', async () => {
    const agent = await server.agent(
      rosa,
      { scopes, boundary: everywhere },
      { scopes, boundary: everywhere },
    );
    const range = 'from: "2026-01-01T00:00:00.000Z", to: "2027-01-01T00:00:00.000Z", bucket: YEAR';
    const answer = await server.query(agent.token, `{ salesByPeriod(${range}) { period } }`);
    expect(answer.errors).toEqual([]);
    expect(await rowsUsed(agent)).toBeGreaterThan(0);
  });

  test('one that comes to more rows than are left costs an operation, so that trying has an end', async () => {
    const agent = await agentOf(1);
    const answer = await server.query(agent.token, '{ customers(first: 3) { nodes { id } } }');
    expect(answer.errors.map(({ extensions }) => extensions.limit)).toEqual(['rows']);
    const row = await server.database.read.byId(delegations, agent.delegationId);
    expect([row?.operationsUsed, row?.rowsUsed]).toEqual([1, 0]);
  });
});

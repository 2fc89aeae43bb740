// databases: sqlite, mariadb
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { customers, orders, type CustomerRow } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { contents, importFiles, importFolder } from '../support/importing.js';
import { TestServer, everywhere, type AgentFixture, type PersonFixture } from '../support/server.js';

const root = join(import.meta.dirname, '..', '..');
/** Real data that is not part of the project: a handbook and a trading company. */
const data = process.env.BEHALF_TEST_DATA ?? join(root, '..', 'shared', 'data');
const handbook = join(data, 'handbook');
const northwind = join(data, 'northwind');
const mapping = join(root, 'examples', 'northwind', 'mapping.yaml');

const scopes = [
  'collections:read',
  'documents:read',
  'customers:read',
  'customers:read_contact',
  'products:read',
  'orders:read',
  'analytics:sales',
];

describe.skipIf(!existsSync(handbook) || !existsSync(northwind))(
  'sample data (in the folder that BEHALF_TEST_DATA names)',
  () => {
    let server: TestServer;
    let person: PersonFixture;
    let agent: AgentFixture;
    let customer: CustomerRow;

    beforeAll(async () => {
      server = await TestServer.start();
      person = await server.person({ scopes });
    });
    afterAll(() => server.stop());

    const ask = async (query: string, variables: Record<string, unknown> = {}, token = agent.token) => {
      const answer = await server.query(token, query, variables);
      expect(answer.errors).toEqual([]);
      return answer.data as Record<string, unknown>;
    };

    test('the handbook: 247 documents, and again the same', { timeout: 120_000 }, async () => {
      const options = { as: person.name, classification: 'public' } as const;
      expect(await importFolder(server, handbook, options)).toMatchObject({ documents: 247, created: 247 });
      const before = await contents(server);
      expect(await importFolder(server, handbook, options)).toMatchObject({
        unchanged: 247,
        updated: 0,
        vanished: [],
      });
      expect(await contents(server)).toEqual(before);
    });

    test('Northwind: every row, and again the same', { timeout: 120_000 }, async () => {
      const all = { customers: 91, products: 77, orders: 830, order_lines: 2155 };
      const counts = (key: 'created' | 'unchanged') =>
        Object.fromEntries(
          Object.entries(all).map(([name, count]) => [
            name,
            { created: 0, updated: 0, unchanged: 0, vanished: 0, [key]: count },
          ]),
        );
      const options = { as: person.name, mapping };
      expect((await importFiles(server, northwind, options)).entities).toEqual(counts('created'));
      const before = await contents(server);
      expect((await importFiles(server, northwind, options)).entities).toEqual(counts('unchanged'));
      expect(await contents(server)).toEqual(before);
    });

    test('surplus commas, missing values and totals came out as they are known', async () => {
      const { read } = server.database;
      // A customer whose address has a comma without quotes.
      expect(await read.one(customers, eq('number', 'CONSH'))).toMatchObject({
        name: 'Consolidated Holdings',
        address: 'Berkeley Gardens 12  Brewery, WX1 6LT',
        city: 'London',
        country: 'UK',
        region: 'europe',
        phone: '(171) 555-2282',
        email: null,
      });
      // 12 × 14.00 + 10 × 9.80 + 5 × 34.80
      expect(await read.one(orders, eq('number', 'NW-10248'))).toMatchObject({
        totalMinor: 44_000,
        currency: 'USD',
        status: 'shipped',
        placedAt: '1996-07-04T00:00:00.000Z',
        shippedAt: '1996-07-16T00:00:00.000Z',
      });
      const sums = await read.query(
        'SELECT SUM(o.`total_minor`) AS `orders`, (SELECT SUM(`total_minor`) FROM `behalf_order_lines`) AS `lines` FROM `behalf_orders` o',
      );
      // As Northwind's sales are told, but for the rounding of each line.
      expect(Math.round(Number(sums[0]?.orders) / 100)).toBe(1_265_793);
      expect(Number(sums[0]?.lines)).toBe(Number(sums[0]?.orders));
    });

    describe('for an agent whose task is one customer', () => {
      beforeAll(async () => {
        customer = (await server.database.read.one(customers, eq('number', 'ALFKI'))) as CustomerRow;
        agent = await server.agent(
          person,
          { scopes },
          { scopes, boundary: { ...everywhere, customer: [customer.id] } },
        );
      });

      test('the handbook is found by search', async () => {
        const { search } = (await ask(
          '{ search(query: "international travel security clearance") { nodes { citation { title } } } }',
        )) as { search: { nodes: { citation: { title: string } }[] } };
        expect(search.nodes.slice(0, 5).map(({ citation }) => citation.title)).toContain(
          'Going out of office',
        );
      });

      test('lists, counts and relations hold that customer alone', async () => {
        const found = await ask(`{
          customers { totalCount nodes { number phone orders(first: 100) { totalCount } } }
          orders(first: 100) {
            totalCount
            nodes { customer { number } lines(first: 50) { totalCount nodes { product { name } } } }
          }
        }`);
        expect(found).toMatchObject({
          customers: {
            totalCount: 1,
            nodes: [{ number: 'ALFKI', phone: '030-0074321', orders: { totalCount: 6 } }],
          },
          orders: { totalCount: 6 },
        });
        const { nodes } = found.orders as { nodes: { customer: unknown; lines: { totalCount: number } }[] };
        expect(nodes.map((order) => order.customer)).toEqual(Array(6).fill({ number: 'ALFKI' }));
        expect(nodes.reduce((sum, order) => sum + order.lines.totalCount, 0)).toBe(12);
      });

      test('what belongs to others is not there', async () => {
        const { read } = server.database;
        const other = await read.one(customers, eq('number', 'BONAP'));
        const order = await read.one(orders, eq('customerId', other?.id));
        const query = `query ($customer: ID!, $order: ID!, $number: String!) {
          customer(id: $customer) { name } order(id: $order) { id } orderByNumber(number: $number) { id }
        }`;
        const variables = { customer: other?.id, order: order?.id, number: order?.number };
        expect(await ask(query, variables)).toEqual({ customer: null, order: null, orderByNumber: null });
        expect(await ask(query, variables, person.token)).toMatchObject({ order: { id: order?.id } });
      });

      test('statistics, which are of all customers or of none, are refused', async () => {
        const query = `{ salesByRegion(from: "1996-01-01T00:00:00.000Z", to: "1999-01-01T00:00:00.000Z", bucket: YEAR) {
          region suppressed orders amount { amount }
        } }`;
        const mine = await server.query(agent.token, query);
        expect(mine.data).toEqual({ salesByRegion: null });
        expect(mine.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', layer: 'delegation' });
        const all = (await ask(query, {}, person.token)).salesByRegion as { orders: number }[];
        expect(all.reduce((sum, { orders: count }) => sum + count, 0)).toBe(830);
      });
    });
  },
);

// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { customers, orders } from '../../src/domains/business/tables.js';
import { BusinessRows, startBusiness } from '../support/business.js';
import { everywhere, type TestServer } from '../support/server.js';
import { sentBy, type Sent } from '../support/statements.js';

const regions = ['europe', 'north-america', 'asia-pacific', 'latin-america', 'africa'];
const shown = 60;

let server: TestServer;
beforeAll(async () => {
  server = await startBusiness();
  const rows = new BusinessRows(server);
  const sample = await rows.customer('C', 'europe');
  const order = await rows.order('O', sample);
  const customersMade = Array.from({ length: 1_000 }, (_, n) => ({
    ...sample,
    id: server.ids.next(),
    number: `C-${String(n)}`,
    region: regions[n % regions.length] ?? '',
  }));
  await server.database.transaction(async (tx) => {
    await tx.insert(customers, customersMade);
    await tx.insert(
      orders,
      customersMade.map(({ id }, n) => ({
        ...order,
        id: server.ids.next(),
        number: `O-${String(n)}`,
        customerId: id,
      })),
    );
    const tables = [customers.name, orders.name];
    for (const table of tables) await tx.query(`ANALYZE ${tx.dialect === 'mysql' ? 'TABLE ' : ''}${table}`);
  });
});
afterAll(() => server.stop());

test('rows that are looked up by id are found by their id alone, however many values the boundary names', async () => {
  const scopes = ['customers:read', 'orders:read'];
  const person = await server.person({ scopes, boundary: { ...everywhere, region: regions } });
  const query = `{ orders(first: ${String(shown)}) { nodes { id customer { id name } } } }`;
  const sent = await sentBy(async () => {
    const answer = await server.query(person.token, query);
    expect(answer.errors).toEqual([]);
    const { orders: page } = answer.data as { orders: { nodes: { customer: { id: string } }[] } };
    expect(new Set(page.nodes.map((node) => node.customer.id)).size).toBe(shown);
  });
  const lookups = sent.filter(({ sql }) => sql.includes('FROM `behalf_customers` t WHERE t.`id` IN'));
  expect(lookups).toHaveLength(1);
  for (const lookup of lookups)
    await expectPlan(lookup, 'PRIMARY', 'SEARCH t USING INDEX sqlite_autoindex_behalf_customers_1 (id=?)');
});

test('a page in the order of time is read from where it begins', async () => {
  const person = await server.person({ scopes: ['customers:read'] });
  const before = '2030-01-01T00:00:00.000Z';
  const query = `{ customers(first: 5, filter: { createdBefore: "${before}" }, orderBy: { createdAt: DESC }) {
    nodes { id name } } }`;
  const sent = await sentBy(async () => {
    expect((await server.query(person.token, query)).errors).toEqual([]);
  });
  const pages = sent.filter(({ sql }) => sql.includes('FROM `behalf_customers` t WHERE'));
  expect(pages).toHaveLength(1);
  const index = 'ix_behalf_customers_created_at_id';
  for (const page of pages) await expectPlan(page, index, `SEARCH t USING INDEX ${index} (created_at<?)`);
});

test('a later page begins at its cursor', async () => {
  const person = await server.person({ scopes: ['customers:read'] });
  for (const [direction, detail] of [
    ['ASC', '(created_at>?)'],
    ['DESC', '(created_at<?)'],
  ] as const) {
    const page = (after: string): string =>
      `{ customers(first: 5, ${after} orderBy: { createdAt: ${direction} }) { nodes { id name } pageInfo { endCursor } } }`;
    const first = await server.query(person.token, page(''));
    const { pageInfo } = (first.data as { customers: { pageInfo: { endCursor: string } } }).customers;
    const sent = await sentBy(async () => {
      const answer = await server.query(person.token, page(`after: "${pageInfo.endCursor}"`));
      expect(answer.errors).toEqual([]);
    });
    const pages = sent.filter(({ sql }) => sql.includes('FROM `behalf_customers` t WHERE'));
    expect(pages).toHaveLength(1);
    const index = 'ix_behalf_customers_created_at_id';
    for (const one of pages) await expectPlan(one, index, `SEARCH t USING INDEX ${index} ${detail}`);
  }
});

/** That the database does a statement in one step: on MySQL by this index, on SQLite so. */
async function expectPlan({ sql, params }: Sent, index: string, detail: string): Promise<void> {
  const { read } = server.database;
  const isMysql = read.dialect === 'mysql';
  const plan = await read.query(`${isMysql ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN'} ${sql}`, params);
  expect(plan.map((step) => (isMysql ? step.key : step.detail))).toEqual([isMysql ? index : detail]);
}

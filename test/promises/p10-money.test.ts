// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orders } from '../../src/domains/business/tables.js';
import { catalog } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { TestServer, type PersonFixture } from '../support/server.js';

let server: TestServer;
let rows: BusinessRows;
let person: PersonFixture;

beforeAll(async () => {
  server = await TestServer.start({}, { BEHALF_SMALLEST_CELL: '2' });
  rows = new BusinessRows(server);
  person = await server.person({ scopes: [...catalog.definitions.keys()] });
  const customers = [await rows.customer('C-1', 'europe'), await rows.customer('C-2', 'asia')];
  for (const [at, customer] of customers.entries()) {
    await rows.order(`O-${String(at)}-small`, customer, { totalMinor: 1 });
    await rows.order(`O-${String(at)}-large`, customer, { totalMinor: 999_999_999_999 });
  }
});
afterAll(() => server.stop());

// What comes back is compared with literals, so its shape needs no type.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function data(query: string, variables = {}): Promise<any> {
  const answer = await server.query(person.token, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

test('money has the places of its currency', async () => {
  const shown: string[] = [];
  for (const [currency, priceMinor] of [
    ['EUR', 5],
    ['JPY', 1234],
    ['KWD', 1],
    ['USD', 9_999_999_999_999],
  ] as const) {
    const { id } = await rows.product(`P-${currency}`, { currency, priceMinor, costMinor: null });
    const { product } = await data(
      'query ($id: ID!) { product(id: $id) { price { amount currency } cost { amount } } }',
      { id },
    );
    expect(product.cost).toBeNull();
    shown.push(`${String(product.price.amount)} ${String(product.price.currency)}`);
  }
  expect(shown).toEqual(['0.05 EUR', '1234 JPY', '0.001 KWD', '99999999999.99 USD']);
});

test('sums beyond what a float holds are exact', async () => {
  const all = await rows.all(orders);
  const [first, second] = [all.at(0), all.at(-1)];
  if (first === undefined || second === undefined) throw new Error('no orders');
  const many = Array.from({ length: 1001 }, (_, at) => ({
    ...(at % 2 === 0 ? first : second),
    ...{ id: server.ids.next(), number: `B-${String(at)}`, currency: 'USD' },
    ...{ placedAt: '2020-05-05T05:05:05.005Z', totalMinor: 9_999_999_999_999 },
  }));
  await server.database.transaction((tx) => tx.insert(orders, many));
  const { salesByPeriod } = await data(
    '{ salesByPeriod(from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z", bucket: YEAR) { period orders amount { amount currency } } }',
  );
  expect(salesByPeriod).toEqual([
    { period: '2020', orders: 1001, amount: { amount: '100099999999989.99', currency: 'USD' } },
  ]);
  await server.database.transaction((tx) =>
    tx.delete(orders, { kind: 'compare', column: 'currency', op: '=', value: 'USD' }),
  );
});

test('filters by amounts compare in minor units and within one currency', async () => {
  const count = (filter: object) =>
    data('query ($f: OrderFilter) { orders(filter: $f) { totalCount } }', { f: filter });
  const many = { amount: '9999999999.99', currency: 'EUR' };
  expect((await count({ totalAtLeast: many })).orders.totalCount).toBe(2);
  expect((await count({ totalAtMost: { ...many, amount: '9999999999.98' } })).orders.totalCount).toBe(2);
  expect((await count({ totalAtLeast: { amount: '0', currency: 'USD' } })).orders.totalCount).toBe(0);
});

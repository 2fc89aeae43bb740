// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CustomerRow, type OrderRow } from '../../src/domains/business/tables.js';
import { catalog } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { inRegions } from '../support/regions.js';
import { TestServer, type PersonFixture } from '../support/server.js';

// Each run is on one database, so what must be alike is compared with what is written here.

let server: TestServer;
let rows: BusinessRows;
let person: PersonFixture;
const ordered: OrderRow[] = [];

/** As MySQL's usual collation would mix them up: case, accents, width, letters beyond 16 bits. */
const names = [
  'zebra',
  'Zebra',
  'HR',
  'hr',
  'Hr',
  'Arger',
  'Ärger',
  'apfel',
  'äpfel',
  'éclair',
  'eclair',
  'ｆull',
  '😀 smile',
  '100%',
  'a_b',
  'a\\b',
  "o'neil",
];
const byCodePoint = [
  '100%',
  'Arger',
  'HR',
  'Hr',
  'Zebra',
  'a\\b',
  'a_b',
  'apfel',
  'eclair',
  'hr',
  "o'neil",
  'zebra',
  'Ärger',
  'äpfel',
  'éclair',
  'ｆull',
  '😀 smile',
];

beforeAll(async () => {
  server = await TestServer.start({}, { BEHALF_SMALLEST_CELL: '2' });
  rows = new BusinessRows(server);
  person = await server.person({ scopes: [...catalog.definitions.keys()] });
  const found: CustomerRow[] = [];
  for (const [at, name] of names.entries()) {
    const more = { name, country: ['de', 'DE', 'De'][at % 3] ?? '', city: at % 2 === 0 ? null : 'Graz' };
    found.push(await rows.customer(name, at % 2 === 0 ? 'europe' : 'Europe', more));
  }
  await addOrders(found);
});
afterAll(() => server.stop());

/** Few different times and totals, so that most of them are ties. */
async function addOrders(of: readonly CustomerRow[]): Promise<void> {
  const times = ['2026-03-31T23:59:59.999Z', '2026-04-01T00:00:00.000Z', '2026-04-01T00:00:00.001Z'];
  const totals = [1, 999_999_999_999, 999_999_999_999];
  for (let at = 0; at < 40; at += 1) {
    const customer = of[at % of.length];
    const placedAt = times[at % 3] ?? '';
    if (customer === undefined) throw new Error('no customer');
    const more = { placedAt, totalMinor: totals[(at * 7) % 3] ?? 0 };
    ordered.push(await rows.order(`O-${String(at).padStart(2, '0')}`, customer, more));
  }
}

// What comes back is compared with literals, so its shape needs no type.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function data(query: string, variables = {}): Promise<any> {
  const answer = await server.query(person.token, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

const customersBy = async (filter: object, order: object | null = { name: 'ASC' }): Promise<string[]> => {
  const query =
    'query ($filter: CustomerFilter, $order: CustomerOrder) { customers(filter: $filter, orderBy: $order, first: 50) { totalCount nodes { name } } }';
  const { customers } = await data(query, { filter, order });
  const found = (customers.nodes as { name: string }[]).map((node) => node.name);
  expect(customers.totalCount).toBe(found.length);
  return found;
};

describe('text', () => {
  test('sorts by its code points, not by what a language thinks of them', async () => {
    expect(await customersBy({})).toEqual(byCodePoint);
    expect(await customersBy({}, { name: 'DESC' })).toEqual([...byCodePoint].reverse());
    expect(await customersBy({}, { number: 'ASC' })).toEqual(byCodePoint);
  });

  const equal: readonly (readonly [filter: object, found: readonly string[]])[] = [
    [{ numbers: ['hr'] }, ['hr']],
    [{ numbers: ['HR'] }, ['HR']],
    [{ numbers: ['HR '] }, ['HR']],
    [{ numbers: ['HR\u00a0'] }, ['HR']],
    [{ numbers: ['hR'] }, []],
    [{ numbers: ['H R'] }, []],
    [{ numbers: ['Arger'] }, ['Arger']],
    [{ numbers: ['A\u0308rger'] }, ['Ärger']],
    [{ numbers: ['full'] }, []],
    [{ numbers: ['😀 smile'] }, ['😀 smile']],
    [{ numbers: ['😁 smile'] }, []],
    [{ numbers: ['0'] }, []],
    [{ numbers: ["o'neil", 'a\\b', '100%'] }, ['100%', 'a\\b', "o'neil"]],
    [{ numbers: [] }, []],
    [{ numbers: null }, byCodePoint],
    [{ regions: ['EUROPE'] }, []],
    [{ email: 'HR@example.com' }, []],
  ];
  test.each(equal)('%j finds %j', async (filter, found) => {
    expect(await customersBy(filter)).toEqual(found);
  });

  const begins: readonly (readonly [prefix: string, found: readonly string[]])[] = [
    ['H', ['HR', 'Hr']],
    ['h', ['hr']],
    ['HR', ['HR']],
    ['HR ', ['HR']],
    ['Ä', ['Ärger']],
    ['A\u0308', ['Ärger']],
    ['é', ['éclair']],
    ['😀', ['😀 smile']],
    ['%', []],
    ['_', []],
    ['a_', ['a_b']],
    ['a\\', ['a\\b']],
    ["o'", ["o'neil"]],
    ['100%', ['100%']],
  ];
  test.each(begins)('what begins with %j is %j', async (nameStartsWith, found) => {
    expect(await customersBy({ nameStartsWith })).toEqual(found);
  });

  test('a boundary lets in its own spelling alone', async () => {
    const inside: readonly (readonly [values: string[], count: number])[] = [
      [['europe'], 9],
      [['Europe'], 8],
      [['EUROPE'], 0],
      [['éurope'], 0],
      [[], 0],
      [['europe', 'Europe'], 17],
    ];
    for (const [values, count] of inside) {
      const reader = await server.person({ scopes: ['customers:read'], boundary: inRegions(...values) });
      const answer = await server.query(reader.token, '{ customers { totalCount } }');
      expect(answer.data.customers.totalCount, values.join()).toBe(count);
    }
  });

  test('comes back as it was written, composed, with plain breaks and no blanks at its end', async () => {
    const ticket = await rows.ticket(
      'T-1',
      ordered[0] === undefined ? { id: '' } : { id: ordered[0].customerId },
    );
    const written = [
      'Grüße 😀\r\nzwei  Blanks',
      'u\u0308ber',
      '😀'.repeat(20_000),
      "'; DROP TABLE tickets; --",
      '\\n \\0 %s ${x}',
      'end \n \n',
    ];
    const mutation =
      'mutation ($id: ID!, $body: String!, $key: String!) { replyToTicket(ticketId: $id, body: $body, idempotencyKey: $key) { message { body } } }';
    const read: unknown[] = [];
    for (const [at, body] of written.entries()) {
      read.push(
        (await data(mutation, { id: ticket.id, body, key: `t${String(at)}` })).replyToTicket.message.body,
      );
    }
    expect(read).toEqual([
      'Grüße 😀\nzwei  Blanks',
      'über',
      '😀'.repeat(20_000),
      "'; DROP TABLE tickets; --",
      '\\n \\0 %s ${x}',
      'end',
    ]);
  });

  test('keys that differ in case are two keys, those that differ in blanks are one', async () => {
    const product = await rows.product('P-keys', { stock: 0 });
    const add = (key: string) =>
      data(
        'mutation ($id: ID!, $key: String!) { adjustStock(productId: $id, quantity: 1, reason: "x", idempotencyKey: $key) { movement { stockAfter } } }',
        { id: product.id, key },
      );
    const after: unknown[] = [];
    for (const key of ['a', 'A', 'á', 'a ', ' A', 'a'])
      after.push((await add(key)).adjustStock.movement.stockAfter);
    expect(after).toEqual([1, 2, 3, 1, 2, 1]);
  });
});

describe('times', () => {
  const between: readonly (readonly [filter: object, count: number])[] = [
    [{ placedAfter: '2026-04-01T00:00:00.000Z' }, 26],
    [{ placedBefore: '2026-04-01T00:00:00.000Z' }, 14],
    [{ placedAfter: '2026-03-31T23:59:59.999Z', placedBefore: '2026-04-01T00:00:00Z' }, 14],
    [{ placedAfter: '2026-04-01T02:00:00.001+02:00' }, 13],
    [{ placedAfter: '2026-04-01T00:00:00.002Z' }, 0],
  ];
  test.each(between)('%j are %i', async (filter, count) => {
    const query = 'query ($filter: OrderFilter) { orders(filter: $filter) { totalCount } }';
    expect((await data(query, { filter })).orders.totalCount).toBe(count);
  });

  test('keep their milliseconds, and fall into their own day, month and quarter', async () => {
    const { orders: page } = await data(
      '{ orders(first: 3, orderBy: { number: ASC }) { nodes { placedAt } } }',
    );
    expect(page.nodes).toEqual([
      { placedAt: '2026-03-31T23:59:59.999Z' },
      { placedAt: '2026-04-01T00:00:00.000Z' },
      { placedAt: '2026-04-01T00:00:00.001Z' },
    ]);
    const sales = (bucket: string): string =>
      `${bucket}: salesByPeriod(from: "2026-03-01T00:00:00Z", to: "2026-04-02T00:00:00Z", bucket: ${bucket}) { period orders }`;
    const cells = await data(`{ ${['DAY', 'MONTH', 'QUARTER', 'YEAR'].map(sales).join(' ')} }`);
    expect(cells).toEqual({
      DAY: [
        { period: '2026-03-31', orders: 14 },
        { period: '2026-04-01', orders: 26 },
      ],
      MONTH: [
        { period: '2026-03', orders: 14 },
        { period: '2026-04', orders: 26 },
      ],
      QUARTER: [
        { period: '2026-Q1', orders: 14 },
        { period: '2026-Q2', orders: 26 },
      ],
      YEAR: [{ period: '2026', orders: 40 }],
    });
  });
});

test('pages through ties lose nothing and repeat nothing, whatever the order and the size', async () => {
  const columns = { number: 'number', placedAt: 'placedAt', total: 'totalMinor' } as const;
  const query = `query ($order: OrderOrder, $first: Int, $after: String) {
    orders(orderBy: $order, first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }`;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('number', 'placedAt', 'total'),
      fc.constantFrom('ASC', 'DESC'),
      fc.integer({ min: 1, max: 17 }),
      async (by: keyof typeof columns, direction, first) => {
        const column = columns[by];
        const sign = direction === 'ASC' ? 1 : -1;
        const compare = (a: OrderRow, b: OrderRow): number =>
          a[column] < b[column] ? -sign : a[column] > b[column] ? sign : a.id < b.id ? -sign : sign;
        const found: string[] = [];
        for (let after: string | null = null, more = true; more;) {
          const { orders: page } = await data(query, { order: { [by]: direction }, first, after });
          found.push(...(page.nodes as { id: string }[]).map((node) => node.id));
          after = page.pageInfo.endCursor as string | null;
          more = page.pageInfo.hasNextPage as boolean;
        }
        expect(found).toEqual([...ordered].sort(compare).map((row) => row.id));
      },
    ),
    { numRuns: 15 },
  );
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBusiness } from '../../src/domains/business/index.js';
import type { CustomerRow, ProductRow } from '../../src/domains/business/tables.js';
import { BusinessRows, startBusiness } from '../support/business.js';
import type { Answer, PersonFixture, TestServer } from '../support/server.js';

let server: TestServer;
let rows: BusinessRows;
let analyst: PersonFixture;
let people: CustomerRow[];
let machine: ProductRow;
let part: ProductRow;

/** One order of 10.00 with one line for each of the first so many customers. */
async function sell(at: string, customers: number, product = machine, currency = 'EUR'): Promise<void> {
  for (const customer of people.slice(0, customers)) {
    const number = server.ids.next();
    const order = await rows.order(number, customer, { placedAt: at, totalMinor: 1_000, currency });
    await rows.line(order, product, { quantity: 2 });
  }
}

beforeAll(async () => {
  server = await startBusiness();
  rows = new BusinessRows(server);
  analyst = await server.person({ scopes: ['analytics:sales', 'analytics:tickets'] });
  people = [];
  for (const at of [0, 1, 2, 3, 4, 5]) {
    people.push(await rows.customer(`C-${at}`, at % 2 === 0 ? 'europe' : 'america'));
  }
  machine = await rows.product('M');
  part = await rows.product('P', { category: 'parts' });
  await sell('2024-12-31T23:59:59.999Z', 6);
  await sell('2025-01-01T00:00:00.000Z', 6);
  await sell('2025-01-31T23:59:59.999Z', 6, part);
  await sell('2025-02-10T00:00:00.000Z', 5);
  await sell('2025-03-10T00:00:00.000Z', 2);
  await sell('2025-07-01T00:00:00.000Z', 4, part);
  await sell('2025-07-02T00:00:00.000Z', 3, part, 'JPY');
  const cancelled = await rows.order('cancelled', people[5] as CustomerRow, {
    status: 'cancelled',
    placedAt: '2025-07-01T00:00:00.000Z',
  });
  await rows.line(cancelled, machine);
  await rows.order('huge', people[0] as CustomerRow, {
    placedAt: '2025-11-01T00:00:00.000Z',
    currency: 'USD',
    totalMinor: 9_007_199_254_740_991,
  });
  await rows.order('huge-2', people[1] as CustomerRow, {
    placedAt: '2025-11-02T00:00:00.000Z',
    currency: 'USD',
    totalMinor: 9_007_199_254_740_991,
  });
  await rows.order('huge-3', people[2] as CustomerRow, {
    placedAt: '2025-11-30T00:00:00.000Z',
    currency: 'USD',
    totalMinor: 3,
  });
  for (const [at, customer] of people.entries()) {
    const category = at < 4 ? 'billing' : 'fault';
    await rows.ticket(`T-${at}`, customer, { category, createdAt: '2025-05-05T00:00:00.000Z' });
  }
});
afterAll(() => server.stop());

const ask = (
  field: string,
  from: string,
  to: string,
  bucket: string,
  selection: string,
  token = analyst.token,
): Promise<Answer> =>
  server.query(
    token,
    `{ ${field}(from: "${from}T00:00:00.000Z", to: "${to}T00:00:00.000Z", bucket: ${bucket}) { period suppressed ${selection} } }`,
  );

const told = (period: string, amount: string, orders: number, currency = 'EUR'): object => ({
  period,
  currency,
  amount: { amount },
  orders,
  suppressed: false,
});
const suppressed = (period: string, currency = 'EUR'): object => ({
  period,
  currency,
  amount: null,
  orders: null,
  suppressed: true,
});
const selection = 'currency amount { amount } orders';

describe('sales by period', () => {
  test('by months: cancelled orders left out, the small month and the next smallest suppressed', async () => {
    const answer = await ask('salesByPeriod', '2025-01-01', '2025-12-31', 'MONTH', selection);
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      salesByPeriod: [
        told('2025-01', '120.00', 12),
        suppressed('2025-02'),
        suppressed('2025-03'),
        told('2025-07', '40.00', 4),
        told('2025-07', '3000', 3, 'JPY'),
        told('2025-11', '180143985094819.85', 3, 'USD'),
      ],
    });
  });

  test('the same is suppressed whatever part of the year is asked for', async () => {
    for (const [from, to] of [
      ['2025-02-14', '2025-02-15'],
      ['2025-01-01', '2025-03-01'],
      ['2025-02-28', '2025-03-31'],
    ] as const) {
      const answer = await ask('salesByPeriod', from, to, 'MONTH', selection);
      const { salesByPeriod } = answer.data as { salesByPeriod: { period: string; suppressed: boolean }[] };
      expect(salesByPeriod.length).toBeGreaterThan(0);
      for (const cell of salesByPeriod) expect(cell.suppressed, cell.period).toBe(cell.period !== '2025-01');
    }
  });

  test('by quarters and years, each whole, with the bucket of a boundary where it belongs', async () => {
    const quarters = await ask('salesByPeriod', '2024-12-31', '2025-02-01', 'QUARTER', selection);
    expect(quarters.data).toEqual({
      salesByPeriod: [told('2024-Q4', '60.00', 6), told('2025-Q1', '190.00', 19)],
    });
    const years = await ask('salesByPeriod', '2024-01-01', '2025-01-01', 'YEAR', selection);
    expect(years.data).toEqual({ salesByPeriod: [told('2024', '60.00', 6)] });
  });

  test('by days, where a suppressed month shows none of its days that would tell it', async () => {
    const answer = await ask('salesByPeriod', '2025-01-01', '2025-04-01', 'DAY', selection);
    expect(answer.data).toEqual({
      salesByPeriod: [
        told('2025-01-01', '60.00', 6),
        told('2025-01-31', '60.00', 6),
        suppressed('2025-02-10'),
        suppressed('2025-03-10'),
      ],
    });
  });
});

describe('sales by group', () => {
  test('by category, with pieces', async () => {
    const answer = await ask(
      'salesByCategory',
      '2025-01-01',
      '2026-01-01',
      'QUARTER',
      'category currency amount { amount } quantity',
    );
    expect(answer.data).toEqual({
      salesByCategory: [
        {
          period: '2025-Q1',
          category: 'machines',
          currency: 'EUR',
          amount: { amount: '130.00' },
          quantity: 26,
          suppressed: false,
        },
        {
          period: '2025-Q1',
          category: 'parts',
          currency: 'EUR',
          amount: { amount: '60.00' },
          quantity: 12,
          suppressed: false,
        },
        {
          period: '2025-Q3',
          category: 'parts',
          currency: 'EUR',
          amount: { amount: '40.00' },
          quantity: 8,
          suppressed: false,
        },
        {
          period: '2025-Q3',
          category: 'parts',
          currency: 'JPY',
          amount: { amount: '3000' },
          quantity: 6,
          suppressed: false,
        },
      ],
    });
  });

  test('by region: a small region takes another with it, although the total is shown elsewhere', async () => {
    const answer = await ask('salesByRegion', '2025-07-01', '2025-08-01', 'MONTH', `region ${selection}`);
    expect(answer.data).toEqual({
      salesByRegion: ['america', 'europe'].flatMap((region) => [
        { ...suppressed('2025-07'), region },
        { ...suppressed('2025-07', 'JPY'), region },
      ]),
    });
  });
});

describe('ticket volumes', () => {
  test('by period and by category', async () => {
    const period = await ask('ticketVolumes', '2025-01-01', '2026-01-01', 'MONTH', 'tickets');
    expect(period.data).toEqual({ ticketVolumes: [{ period: '2025-05', tickets: 6, suppressed: false }] });
    const category = await ask(
      'ticketVolumesByCategory',
      '2025-01-01',
      '2026-01-01',
      'YEAR',
      'category tickets',
    );
    expect(category.data).toEqual({
      ticketVolumesByCategory: [
        { period: '2025', category: 'BILLING', tickets: null, suppressed: true },
        { period: '2025', category: 'FAULT', tickets: null, suppressed: true },
      ],
    });
  });

  test('need their own scope', async () => {
    const person = await server.person({ scopes: ['analytics:sales', 'analytics:tickets'] });
    const agent = await server.agent(
      person,
      { scopes: ['analytics:sales', 'analytics:tickets'] },
      { scopes: ['analytics:sales'] },
    );
    const answer = await ask('ticketVolumes', '2025-01-01', '2026-01-01', 'MONTH', 'tickets', agent.token);
    expect(answer.data).toEqual({ ticketVolumes: null });
    expect(answer.errors.map((error) => error.extensions)).toEqual([
      expect.objectContaining({ code: 'FORBIDDEN', missingScopes: ['analytics:tickets'] }),
    ]);
  });
});

describe('bad input', () => {
  test.each([
    ['salesByPeriod', '2025-01-01', '2025-01-01', 'MONTH', 'to'],
    ['salesByPeriod', '2025-01-02', '2025-01-01', 'MONTH', 'to'],
    ['salesByPeriod', '2015-01-01', '2025-01-03', 'YEAR', 'to'],
    ['salesByPeriod', '2024-01-01', '2025-01-02', 'DAY', 'to'],
    ['salesByRegion', '2025-01-01', '2025-02-01', 'DAY', 'bucket'],
  ])('%s from %s to %s by %s is refused', async (field, from, to, bucket, path) => {
    const answer = await ask(field, from, to, bucket, 'currency');
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
  });

  test('a threshold below 2 stops the start', () => {
    expect(() => makeBusiness({ smallestCell: 1 })).toThrow(RangeError);
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BusinessRows, startBusiness } from '../../support/business.js';
import { everywhere, type TestServer } from '../../support/server.js';
import { statementsOf } from '../../support/statements.js';

/** The SDL with one dimension more, which orders and tickets have. */
const withDimension = (sdl: string): string =>
  sdl
    .replace(
      '@defineDimension(name: "region"',
      '@defineDimension(name: "currency", description: "A new one.") @defineDimension(name: "region"',
    )
    .replaceAll('unbounded: ["collection"', 'unbounded: ["currency", "collection"')
    .replace(/(type (?:Order|Product)\s+@rows\([^)]*)unbounded: \["currency", /g, (_, before: string) =>
      before.includes('bounds: [')
        ? `${before.replace('bounds: [', 'bounds: [{ dimension: "currency", path: "currency" }, ')}unbounded: [`
        : `${before}bounds: [{ dimension: "currency", path: "currency" }], unbounded: [`,
    )
    .replace(/unbounded: \["customer"/g, 'unbounded: ["currency", "customer"');

const scopes = ['analytics:sales', 'analytics:tickets'];
const range = 'from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", bucket: YEAR';

let server: TestServer;

beforeAll(async () => {
  server = await startBusiness({}, {}, withDimension);
  const rows = new BusinessRows(server);
  const product = await rows.product('M');
  for (const at of [0, 1, 2, 3]) {
    const customer = await rows.customer(`C-${at}`, 'europe');
    const order = await rows.order(`O-${at}`, customer, { placedAt: '2025-05-01T10:00:00.000Z' });
    await rows.line(order, product);
    await rows.ticket(`T-${at}`, customer, { createdAt: '2025-05-05T00:00:00.000Z' });
  }
});
afterAll(() => server.stop());

const ask = async (token: string, field: string) => {
  const told = { data: undefined as unknown, codes: [] as unknown[], statements: 0 };
  const statements = await statementsOf(async () => {
    const answer = await server.query(token, `{ ${field}(${range}) { period suppressed } }`);
    told.data = answer.data;
    told.codes = answer.errors.map((error) => error.extensions.code);
  });
  told.statements = statements.filter((sql) => sql.includes(' GROUP BY ')).length;
  return told;
};

describe('31 statistics decide over all dimensions that the SDL gives to what they count', () => {
  test.each(['salesByPeriod', 'salesByRegion', 'salesByCategory'])(
    '%s is refused to whoever may choose by a dimension that is new',
    async (field) => {
      for (const boundary of [
        { ...everywhere, currency: ['EUR'] },
        { ...everywhere, currency: ['EUR', 'USD'] },
        everywhere,
      ]) {
        const { token } = await server.person({ scopes, boundary });
        expect(await ask(token, field)).toEqual({
          data: { [field]: null },
          codes: ['FORBIDDEN'],
          statements: 0,
        });
      }
    },
  );

  test.each(['salesByPeriod', 'salesByRegion', 'salesByCategory'])(
    '%s is told to whoever has all of it',
    async (field) => {
      const { token } = await server.person({ scopes, boundary: { ...everywhere, currency: 'all' } });
      expect(await ask(token, field)).toMatchObject({ data: { [field]: [{ period: '2025' }] }, codes: [] });
    },
  );

  test('what does not have the dimension is told as before', async () => {
    const { token } = await server.person({ scopes, boundary: { ...everywhere, currency: ['EUR'] } });
    expect(await ask(token, 'ticketVolumes')).toMatchObject({
      data: { ticketVolumes: [{ period: '2025' }] },
      codes: [],
    });
  });

  test('and still to nobody who may choose customers', async () => {
    for (const boundary of [
      { ...everywhere, currency: 'all' as const, region: ['europe'] },
      { ...everywhere, currency: 'all' as const, customer: ['C'] },
    ]) {
      const { token } = await server.person({ scopes, boundary });
      expect(await ask(token, 'ticketVolumes')).toMatchObject({ codes: ['FORBIDDEN'], statements: 0 });
    }
  });
});

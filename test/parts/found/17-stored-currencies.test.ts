// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputRefused } from '../../../src/operator/input-faults.js';
import { BusinessRows } from '../../support/business.js';
import { CommandLine } from '../../support/command-line.js';
import { Files } from '../../support/files.js';
import { contents, everything, importFiles } from '../../support/importing.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let rows: BusinessRows;
let person: PersonFixture;
let cli: CommandLine;

beforeAll(async () => {
  server = await TestServer.start();
  rows = new BusinessRows(server);
  person = await server.person({
    scopes: ['customers:read', 'orders:read', 'invoices:read', 'payments:read', 'payments:record'],
  });
  cli = await CommandLine.open({ DATABASE_URL: server.databaseUrl });
});
afterAll(async () => {
  await cli.close();
  await server.stop();
});

const mappingOf = (currency: string): string => `source: shop
entities:
  customers:
    file: customers.csv
    key: id
    fields:
      number: id
      name: id
      region: { constant: europe }
      country: { constant: Hungary }
      creditLimit: limit
      currency: ${currency}
      createdAt: { constant: '2024-01-01' }
`;

describe('17 unknown currencies are refused, and `migrate` says what is stored', () => {
  test.each(['ZZZ', 'XAU', 'huf', 'DEM'])(
    'an import of amounts in %s is refused with its line',
    async (code) => {
      const files = new Files({
        'customers.csv': `id,limit,money\nH-1,1.50,EUR\nH-2,1.50,${code}\n`,
        'mapping.yaml': mappingOf('money'),
        'constant.yaml': mappingOf(`{ constant: ${code} }`),
      });
      const before = await everything(server);
      for (const [name, place] of [
        ['mapping.yaml', { file: 'customers.csv', line: 3, column: 'money' }],
        ['constant.yaml', { file: 'constant.yaml', line: 12 }],
      ] as const) {
        const options = { as: person.name, mapping: files.path(name) };
        const error: unknown = await importFiles(server, files.folder, options).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(InputRefused);
        expect((error as InputRefused).faults).toMatchObject([place]);
      }
      expect(await everything(server)).toEqual(before);
      files.remove();
    },
  );

  test('an import takes the decimals of ISO 4217', async () => {
    const files = new Files({
      'customers.csv': 'id,limit,money\nH-1,1500.50,HUF\nH-2,1.125,IQD\nH-3,1500,JPY\n',
      'mapping.yaml': mappingOf('money'),
    });
    await importFiles(server, files.folder, { as: person.name, mapping: files.path('mapping.yaml') });
    const stored = await server.database.read.query(
      'SELECT `number`, `credit_limit_minor` AS minor FROM `behalf_customers` ORDER BY `number`',
    );
    expect(stored.map(({ number, minor }) => [number, Number(minor)])).toEqual([
      ['H-1', 150_050],
      ['H-2', 1_125],
      ['H-3', 1_500],
    ]);
    files.remove();
  });

  test('a payment in a code that is no currency is refused, and nothing is paid', async () => {
    const customer = await rows.customer('C-1', 'europe');
    const order = await rows.order('O-1', customer, { currency: 'HUF', totalMinor: 150_000 });
    const invoice = await rows.invoice('I-1', order);
    const before = await contents(server);
    const pay = (amount: string, currency: string) =>
      server.query(
        person.token,
        `mutation ($id: ID!, $amount: MoneyInput!) {
          recordPayment(invoiceId: $id, amount: $amount, method: TRANSFER, receivedAt: "2026-03-02T10:00:00Z", idempotencyKey: "${currency}${amount}") {
            invoice { outstanding { amount } }
          }
        }`,
        { id: invoice.id, amount: { amount, currency } },
      );
    for (const code of ['ZZZ', 'XXX', 'huf'])
      expect((await pay('1', code)).errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await contents(server)).toEqual(before);
    const paid = await pay('500.25', 'HUF');
    expect(paid.errors).toEqual([]);
    expect(paid.data).toMatchObject({ recordPayment: { invoice: { outstanding: { amount: '999.75' } } } });
  });

  test('`migrate` tells what is stored in a code that is no currency, each time, and changes no amount', async () => {
    const customer = await rows.customer('C-2', 'asia', { currency: 'IQD' });
    await rows.order('O-2', customer, { currency: 'ZZZ', totalMinor: 5 });
    const before = await contents(server);
    for (let time = 0; time < 2; time += 1)
      expect(await cli.json(['migrate'])).toEqual({
        migrations: [],
        currencies: [{ currency: 'ZZZ', rows: { orders: 1 } }],
      });
    expect(await cli.ok(['migrate'])).toMatch(/ZZZ \(orders 1\): ISO 4217 has no money of this code/);
    expect(await contents(server)).toEqual(before);
  });
});

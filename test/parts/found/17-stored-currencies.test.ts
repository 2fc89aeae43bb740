// databases: sqlite, mariadb
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrations } from '../../../migrations/index.js';
import { ImportRefused } from '../../../src/import/import-faults.js';
import { dataSourceOptions } from '../../../src/store/sql/database.js';
import { BusinessRows } from '../../support/business.js';
import { CommandLine } from '../../support/command-line.js';
import { targetOf } from '../../support/database.js';
import { Files, contents, everything, importFiles } from '../../support/importing.js';
import { recordsOf } from '../../support/records.js';
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

/** As a database of a version before stands: its amounts are there, and the migration is not. */
async function takeBack(name: string): Promise<void> {
  const source = await new DataSource(
    dataSourceOptions(targetOf(server.databaseUrl), migrations, 1),
  ).initialize();
  const isDone = async (): Promise<boolean> =>
    (await source.query<unknown[]>(`SELECT 1 FROM migrations WHERE name = '${name}'`)).length > 0;
  while (await isDone()) await source.undoLastMigration();
  await source.destroy();
}

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

describe('17 unknown currencies are refused, and an upgrade says what is stored', () => {
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
        expect(error).toBeInstanceOf(ImportRefused);
        expect((error as ImportRefused).faults).toMatchObject([place]);
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
      'SELECT `number`, `credit_limit_minor` AS minor FROM `customers` ORDER BY `number`',
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

  test('an upgrade tells what is stored in doubtful currencies, changes no amount and keeps what it told', async () => {
    const customer = await rows.customer('C-2', 'asia', { currency: 'IQD' });
    await rows.order('O-2', customer, { currency: 'ZZZ', totalMinor: 5 });
    await takeBack('CurrencyPlaces1700000000026');
    const before = await contents(server);
    const told = await cli.json<{ currencies: unknown }>(['migrate']);
    expect(told.currencies).toEqual([
      { currency: 'HUF', rows: expect.anything(), problem: 'other_decimals' },
      { currency: 'IQD', rows: { customers: 2 }, problem: 'other_decimals' },
      { currency: 'ZZZ', rows: { orders: 1 }, problem: 'unlisted' },
    ]);
    expect(told.currencies).toMatchObject([
      { rows: { customers: 1, orders: 1, invoices: 1, payments: 1 } },
      {},
      {},
    ]);
    expect(await contents(server)).toEqual(before);
    const records = await recordsOf(server.database, 'command');
    expect(records.filter(({ operation }) => operation?.name === 'migrate').at(-1)?.detail).toMatchObject({
      currencies: told.currencies,
    });
  });

  test('it says so in words, at the start of a server that migrates too, and afterwards tells only what still is wrong', async () => {
    await takeBack('CurrencyPlaces1700000000026');
    const words = await cli.ok(['migrate']);
    expect(words).toMatch(/HUF \(.*orders 1.*\): .*100 times too small/);
    expect(words).toMatch(/IQD \(.*\): .*1,000 times too small/);
    expect(words).toMatch(/ZZZ \(orders 1\): ISO 4217 has no money of this code/);
    expect(words).toContain('No stored amount was changed');
    expect(await cli.json(['migrate'])).toEqual({
      migrations: [],
      currencies: [{ currency: 'ZZZ', rows: { orders: 1 }, problem: 'unlisted' }],
    });
    await takeBack('CurrencyPlaces1700000000026');
    const child = cli.spawn(['start', '--demo']);
    let told = '';
    await new Promise<void>((resolve) => {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        told += text;
        if (told.includes('docs/operations.md')) resolve();
      });
      child.once('exit', () => {
        resolve();
      });
    });
    child.kill('SIGTERM');
    expect(told).toMatch(/HUF \(.*100 times too small/);
  });
});

// databases: sqlite, mariadb
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CommandLine, type Ended } from '../../support/command-line.js';
import { Files } from '../../support/files.js';
import { everything } from '../../support/importing.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let person: PersonFixture;
let cli: CommandLine;
let files: Files;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['customers:read'] });
  cli = await CommandLine.open({ DATABASE_URL: server.databaseUrl });
});
afterAll(async () => {
  await cli.close();
  await server.stop();
});
beforeEach(() => {
  files = new Files({ 'mapping.yaml': mapping });
});
afterEach(() => {
  files.remove();
});

const mapping = `source: sheet
dates: DD.MM.YYYY
decimal: ','
group: '.'
entities:
  customers:
    file: customers.csv
    key: no
    fields:
      number: no
      name: no
      region: { constant: europe }
      country: { constant: Austria }
      creditLimit: limit
      currency: { constant: EUR }
      createdAt: since
`;
const run = (): Promise<Ended> =>
  cli.run([
    ...['import', 'business', files.folder, '--mapping', files.path('mapping.yaml')],
    ...['--as', person.name],
  ]);

describe('21 what a spreadsheet of another country writes is read as its mapping says', () => {
  test('decimal comma, points between thousands, the day first, and the delimiter of the first line', async () => {
    const text =
      'sep=;\r\nno;limit;since;;\r\nS-1;1.234,50;01.03.2024;;\r\nS-2;12,5;31.12.2023;;\r\n;;;;\r\n';
    files.write('customers.csv', `\ufeff${text}`);
    expect(await run()).toMatchObject({ code: 0 });
    const stored = await server.database.read.query(
      'SELECT `number`, `credit_limit_minor` AS `minor`, `created_at` AS `at` FROM `behalf_customers` ORDER BY `number`',
    );
    expect(stored.map(({ number, minor, at }) => [number, Number(minor), String(at).slice(0, 10)])).toEqual([
      ['S-1', 123_450, '2024-03-01'],
      ['S-2', 1_250, '2023-12-31'],
    ]);
  });

  test.each([
    ['a decimal point', 'no;limit;since\nS-3;12.50;01.03.2024\n', 'customers.csv:3: limit: '],
    ['the month first', 'no;limit;since\nS-3;12,50;03/31/2024\n', 'customers.csv:3: since: '],
    ['no rows', 'no;limit;since\n;;\n', 'customers.csv:'],
    ['no text', '', 'customers.csv:1: The file is empty'],
  ])('%s is refused with its line, and nothing is changed', async (_what, text, fault) => {
    files.write('customers.csv', `sep=;\n${text}`);
    const before = await everything(server);
    const ended = await run();
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain(fault);
    expect(await everything(server)).toEqual(before);
  });
});

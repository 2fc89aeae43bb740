// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importBusiness } from '../../../src/import/business.js';
import { importDocuments } from '../../../src/import/documents.js';
import type { Database } from '../../../src/store/sql/database.js';
import { Files } from '../../support/files.js';
import { contents, everything, importableEntities } from '../../support/importing.js';
import { recordsOf } from '../../support/records.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['documents:read', 'customers:read'] });
});
afterAll(() => server.stop());

/** The server's database, which ends the process's work, as it were, before the transaction of that number. */
function cutOff(before: number): Database {
  let count = 0;
  return Object.create(server.database, {
    transaction: {
      value: (work: Parameters<Database['transaction']>[0]) => {
        count += 1;
        if (count >= before) return Promise.reject(new Error('The line was cut.'));
        return server.database.transaction(work);
      },
    },
  }) as Database;
}

const workshop = (database: Database = server.database) => ({
  database,
  clock: server.clock,
  ids: server.ids,
  progress: () => undefined,
});

const pages = new Files(
  Object.fromEntries(
    Array.from({ length: 250 }, (_, at) => [
      `hr/${String(at).padStart(3, '0')}.md`,
      `# Page ${String(at)}\n`,
    ]),
  ),
);
const documents = (database?: Database, dryRun = false) =>
  importDocuments(workshop(database), {
    ...{ folder: pages.folder, source: 'many', collection: 'general', classification: 'internal', dryRun },
    as: person.name,
  });

const lines = (count: number): string =>
  ['id', ...Array.from({ length: count }, (_, at) => `C-${String(at)}`)].join('\n');
const shop = new Files({
  'customers.csv': lines(1_200),
  'mapping.yaml': `source: shop
entities:
  customers:
    file: customers.csv
    key: id
    fields:
      number: id
      name: id
      region: { constant: europe }
      country: { constant: Austria }
      currency: { constant: EUR }
      createdAt: { constant: '2024-01-01' }
`,
});
const business = (database?: Database, dryRun = false) =>
  importBusiness(workshop(database), importableEntities(), {
    ...{ folder: shop.folder, mapping: shop.path('mapping.yaml'), as: person.name, dryRun },
  });

afterAll(() => {
  pages.remove();
  shop.remove();
});

describe('15 a large import holds nobody up, and each change has its record', () => {
  test.each([
    ['documents', documents],
    ['business', business],
  ] as const)('import %s: a dry run of many parts leaves nothing', async (_, run) => {
    const before = await everything(server);
    await run(undefined, true);
    expect(await everything(server)).toEqual(before);
  });

  test.each([
    ['documents', documents, 'Document', 100],
    ['business', business, 'Customer', 500],
  ] as const)(
    'import %s: cut off, the parts before stand with their records',
    async (name, run, type, size) => {
      await expect(run(cutOff(2))).rejects.toThrow(
        /^The line was cut\. 1 of 3 parts are done, .* it does the rest\.$/,
      );
      const records = (await recordsOf(server.database, 'command')).filter(
        ({ operation }) => operation?.name === `import ${name}`,
      );
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({
        outcome: 'succeeded',
        resources: [{ type, action: 'create', count: size }],
        detail: { part: 1, of: 3 },
      });
      const table = name === 'documents' ? 'behalf_documents' : 'behalf_customers';
      const [row] = await server.database.read.query(`SELECT COUNT(*) AS n FROM \`${table}\``);
      expect(Number(row?.n)).toBe(size);
    },
  );

  test.each([
    ['documents', documents, 'Document', [100, 50], 250],
    ['business', business, 'Customer', [500, 200], 1_200],
  ] as const)('import %s: run again, it does the rest', async (name, run, type, sizes, total) => {
    const known = new Set(
      (await recordsOf(server.database, 'command')).map(({ operationId }) => operationId),
    );
    const report = await run();
    const records = (await recordsOf(server.database, 'command')).filter(
      ({ operationId }) => !known.has(operationId),
    );
    expect(records.map(({ detail }) => [detail.part, detail.of])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(new Set(records.map(({ detail }) => detail.run)).size).toBe(1);
    const touched = records.flatMap(({ resources }) => resources);
    expect(touched.map((one) => [one.type, one.action, one.count])).toEqual(
      sizes.map((size) => [type, 'create', size]),
    );
    expect(records.at(-1)?.operationId).toBe(report.operationId);
    expect(records.at(-1)?.detail).toHaveProperty('total');
    const table = name === 'documents' ? 'behalf_documents' : 'behalf_customers';
    const [row] = await server.database.read.query(`SELECT COUNT(*) AS n FROM \`${table}\``);
    expect(Number(row?.n)).toBe(total);
    const before = await contents(server);
    await run();
    expect(await contents(server)).toEqual(before);
  });

  test('a fault in the last row is told before the first part', async () => {
    shop.write('customers.csv', `${lines(1_200).replace('C-0\n', 'C-new\n')}\nC-1`);
    const before = await everything(server);
    await expect(business()).rejects.toThrow(/customers\.csv:1202: id: "C-1" is there twice/);
    expect(await everything(server)).toEqual(before);
  });
});

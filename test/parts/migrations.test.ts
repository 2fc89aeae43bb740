// databases: sqlite, mariadb
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Database, dataSourceOptions } from '../../src/store/sql/database.js';
import { freshDatabaseUrl, migratedDatabaseUrl, targetOf, testDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { misfound, recordIndexer, recordsOf, unindexed } from '../support/records.js';
import { TestServer } from '../support/server.js';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabaseUrl();
});
afterAll(() => fresh.drop());

/** Takes migrations back until this one has gone too. */
async function undo(name: string): Promise<void> {
  const source = await new DataSource(dataSourceOptions(targetOf(fresh.url), migrations, 1)).initialize();
  const isDone = async (): Promise<boolean> =>
    (await source.query<unknown[]>(`SELECT 1 FROM migrations WHERE name = '${name}'`)).length > 0;
  while (await isDone()) await source.undoLastMigration();
  await source.destroy();
}

test('the index of records is made anew after its migration was taken back and run again, and no record changes', async () => {
  const server = await TestServer.start({}, {}, { databaseUrl: fresh.url });
  const person = await server.person({ scopes: ['customers:read', 'orders:read'] });
  const agent = await server.agent(person, { scopes: ['customers:read', 'orders:read'] });
  for (const token of [person.token, agent.token, agent.token])
    expect((await server.query(token, '{ customers { nodes { id } } }')).errors).toEqual([]);
  const before = await recordsOf(server.database);
  expect(before).toHaveLength(3);
  await server.stop();

  await undo('AuditIndex1700000000010');
  const database = await Database.open(targetOf(fresh.url), migrations);
  try {
    expect(await database.pendingMigrations()).toContain('AuditIndex1700000000010');
    await database.migrate();
    expect(await recordsOf(database)).toEqual(before);
    expect(await unindexed(database)).toHaveLength(3);
    expect(await misfound(database)).toEqual([]);
    await recordIndexer(database, {
      error: (line: unknown) => expect.unreachable(JSON.stringify(line)),
    }).run();
    expect(await unindexed(database)).toEqual([]);
    expect(await misfound(database)).toEqual([]);
  } finally {
    await database.close();
  }
});

/** Every table, column and index, and what the tables of the server itself hold. */
async function contentOf(url: string): Promise<{ tables: unknown; rows: unknown; keys: unknown[] }> {
  const database = await Database.open(targetOf(url), migrations, 1);
  const ask = (sql: string): Promise<unknown[]> => database.read.query(sql);
  try {
    await database.migrate();
    const tables =
      testDatabase() === 'sqlite'
        ? [await ask('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name')]
        : [
            await ask(`SELECT TABLE_NAME, ENGINE, ROW_FORMAT, TABLE_COLLATION, CREATE_OPTIONS
              FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1`),
            await ask(`SELECT TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, COLUMN_DEFAULT, IS_NULLABLE, COLUMN_TYPE,
              CHARACTER_SET_NAME, COLLATION_NAME, COLUMN_KEY, EXTRA
              FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2`),
            await ask(`SELECT TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE, SUB_PART, INDEX_TYPE
              FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2, 3`),
            await ask(`SELECT TABLE_NAME, CONSTRAINT_NAME, CONSTRAINT_TYPE
              FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2`),
          ];
    const rows = [
      await ask('SELECT name FROM migrations ORDER BY id'),
      await ask('SELECT * FROM authority_epoch'),
      await ask('SELECT name FROM server_keys ORDER BY name'),
    ];
    const keys = await ask('SELECT value FROM server_keys');
    return { tables, rows, keys: keys.map((row) => JSON.stringify(row)) };
  } finally {
    await database.close();
  }
}

test('the copy that tests get is what migrations make, with server keys that no other database has', async () => {
  const databases = [await freshDatabaseUrl(), await migratedDatabaseUrl(), await migratedDatabaseUrl()];
  const [made, one, other] = await Promise.all(databases.map(({ url }) => contentOf(url)));
  expect([one?.tables, one?.rows]).toEqual([made?.tables, made?.rows]);
  const keys = [made, one, other].flatMap((content) => content?.keys ?? []);
  expect(keys).toHaveLength(6);
  expect(new Set(keys).size).toBe(6);
  await Promise.all(databases.map((database) => database.drop()));
});

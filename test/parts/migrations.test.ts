// databases: sqlite, mariadb
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Database } from '../../src/store/sql/database.js';
import { dataSourceOptions } from '../../src/store/sql/open-sources.js';
import { freshDatabaseUrl, migratedDatabaseUrl, targetOf, testDatabase } from '../support/database.js';

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
      await ask('SELECT name FROM behalf_migrations ORDER BY id'),
      await ask('SELECT * FROM behalf_authority_epoch'),
      await ask('SELECT name FROM behalf_server_keys ORDER BY name'),
    ];
    const keys = await ask('SELECT value FROM behalf_server_keys');
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
  expect(keys).toHaveLength(9);
  expect(new Set(keys).size).toBe(9);
  await Promise.all(databases.map((database) => database.drop()));
});

test('migrations that are taken back leave nothing, and can run again', async () => {
  const fresh = await freshDatabaseUrl();
  const { tables } = await contentOf(fresh.url);
  const source = await new DataSource(dataSourceOptions(targetOf(fresh.url), migrations, 1)).initialize();
  for (const _ of migrations) await source.undoLastMigration();
  await source.destroy();
  const database = await Database.open(targetOf(fresh.url), migrations, 1);
  expect((await database.tableNames()).filter((name) => name !== 'behalf_migrations')).toEqual([]);
  expect(await database.pendingMigrations()).toHaveLength(migrations.length);
  await database.close();
  expect((await contentOf(fresh.url)).tables).toEqual(tables);
  await fresh.drop();
});

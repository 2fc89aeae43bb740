// databases: sqlite, mariadb
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrations } from '../../../migrations/index.js';
import { allTables } from '../../../src/domains/all-tables.js';
import { Database } from '../../../src/store/sql/database.js';
import { dataSourceOptions } from '../../../src/store/sql/open-sources.js';
import { entityOf } from '../../../src/store/sql/entity.js';
import { snake } from '../../../src/store/tables/table.js';
import { migratedDatabaseUrl, targetOf, testDatabase } from '../../support/database.js';
import type { FreshDatabase } from '../../support/fresh-database.js';

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await migratedDatabaseUrl();
  database = await Database.open(targetOf(fresh.url), migrations);
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

/** Tables that no description can say: TypeORM's own, and indexes of words, which no row type reads. */
const undescribed = /^(sqlite_\w+|behalf_(migrations|audit_(terms|index)\w*|passages_(fts|words)\w*))$/;
/** The number by which an index finds a row. */
const rowNumber = 'row_no';

type Columns = Record<string, string[]>;

async function migrated(): Promise<Columns> {
  const rows = await database.read.query(
    testDatabase() === 'sqlite'
      ? 'SELECT m.name AS t, c.name AS c, c."notnull" = 0 AS n FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = \'table\''
      : "SELECT TABLE_NAME AS t, COLUMN_NAME AS c, IS_NULLABLE = 'YES' AS n FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()",
  );
  const found: Columns = {};
  for (const { t, c, n } of rows) {
    const [name, column] = [String(t), String(c)];
    if (undescribed.test(name) || column === rowNumber) continue;
    (found[name] ??= []).push(`${column}${Number(n) === 1 ? '?' : ''}`);
  }
  for (const columns of Object.values(found)) columns.sort();
  return found;
}

describe('31 what ormconfig.ts describes is what migrations make', () => {
  test('every table, with every column and whether it may be empty', async () => {
    const described: Columns = {};
    for (const { name, columns } of allTables({ smallestCell: 5 }))
      described[name] = Object.entries(columns)
        .map(([key, { nullable }]) => `${snake(key)}${nullable ? '?' : ''}`)
        .sort();
    expect(await migrated()).toEqual(described);
  });

  test('TypeORM would change nothing: types, lengths, defaults, keys and indexes', async () => {
    const options = dataSourceOptions(targetOf(fresh.url), [], 1);
    const source = new DataSource({
      // MariaDB tells that a column has no default as `NULL`, which TypeORM understands of this type alone.
      ...(options.type === 'mysql' ? { ...options, type: 'mariadb' } : options),
      entities: allTables({ smallestCell: 5 }).map((table) => entityOf(table, database.dialect)),
    });
    await source.initialize();
    try {
      const { upQueries } = await source.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await source.destroy();
    }
  });
});

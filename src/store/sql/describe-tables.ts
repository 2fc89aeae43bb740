import type { DataSource } from 'typeorm';
import { describeMysql } from './describe-mysql.js';
import { describeSqlite } from './describe-sqlite.js';
import type { ColumnDescription, ForeignKey, Referrer, TableDescription } from './table-description.js';

export type { ColumnDescription, ForeignKey, Referrer, TableDescription };

/** The names of all tables and views of the database, but for those that SQLite's virtual tables keep for themselves. */
export async function tableNames(source: DataSource): Promise<string[]> {
  const sql =
    source.options.type === 'mysql'
      ? "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')"
      : "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
  const rows: { name: string }[] = await source.query(sql);
  return rows.map(({ name }) => name).sort();
}

/**
 * Describes those of the named tables and views that exist. TypeORM's own reading has no views, needs a table of its own
 * for columns that the database computes, and takes names with a point for those of other databases.
 */
export async function describeTables(
  source: DataSource,
  names: readonly string[],
): Promise<TableDescription[]> {
  if (names.length === 0) return [];
  const tables = await (source.options.type === 'mysql'
    ? describeMysql(source, names)
    : describeSqlite(source, names));
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * A text that changes whenever one of the named tables does, and that costs little to read. On SQLite it changes with any
 * table.
 */
export async function tableVersion(source: DataSource, names: readonly string[]): Promise<string> {
  if (names.length === 0) return '';
  if (source.options.type !== 'mysql') return JSON.stringify(await source.query('PRAGMA schema_version'));
  const list = names.map(() => '?').join(', ');
  const read = (sql: string): Promise<object[]> => source.query(sql, [...names]);
  return JSON.stringify([
    await read(
      'SELECT TABLE_NAME AS t, COUNT(*) AS n, SUM(CRC32(CONCAT_WS(0x7C, ORDINAL_POSITION, COLUMN_NAME, COLUMN_TYPE, ' +
        'IS_NULLABLE, COLUMN_KEY, COALESCE(COLLATION_NAME, 0x2D)))) AS v FROM information_schema.COLUMNS ' +
        `WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${list}) GROUP BY TABLE_NAME ORDER BY TABLE_NAME`,
    ),
    await read(
      'SELECT TABLE_NAME AS t, ENGINE AS e FROM information_schema.TABLES ' +
        `WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${list}) ORDER BY TABLE_NAME`,
    ),
    // Of this database alone: to look through all of them takes the server long.
    await read(
      'SELECT COUNT(*) AS n, SUM(CRC32(CONCAT_WS(0x7C, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME, ' +
        'UNIQUE_CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE))) AS v FROM information_schema.REFERENTIAL_CONSTRAINTS ' +
        `WHERE CONSTRAINT_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IN (${list})`,
    ),
  ]);
}

import type { DataSource, QueryRunner, Table as TypeOrmTable } from 'typeorm';

/** A column as the database describes it. */
export interface ColumnDescription {
  readonly name: string;
  /** The database's word for its type, in small letters, such as `varchar`. */
  readonly type: string;
  /** The most characters. Undefined where the type has no length. */
  readonly length: number | undefined;
  /** Whether it is the `tinyint(1)` by which MySQL writes truth values. */
  readonly isTruth: boolean;
  readonly isNullable: boolean;
  readonly comment: string | undefined;
}

/** Columns that name a row of another table. */
export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
}

/** A table as the database describes it. */
export interface TableDescription {
  readonly name: string;
  readonly columns: readonly ColumnDescription[];
  /** The columns of the primary key, in the order of the table. */
  readonly primaryKey: readonly string[];
  readonly foreignKeys: readonly ForeignKey[];
  /** The columns of each index, the primary key left out. */
  readonly indexes: readonly (readonly string[])[];
  readonly comment: string | undefined;
}

/** The names of all tables of the database, views left out. */
export async function tableNames(source: DataSource): Promise<string[]> {
  const sql =
    source.options.type === 'mysql'
      ? "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
      : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
  const rows: { name: string }[] = await source.query(sql);
  return rows.map(({ name }) => name).sort();
}

/**
 * Describes those of the named tables that exist, as TypeORM reads them. It takes a name with a point for one of another
 * database.
 */
export async function describeTables(
  source: DataSource,
  wanted: readonly string[],
): Promise<TableDescription[]> {
  const names = wanted.filter((name) => !name.includes('.'));
  if (names.length === 0) return [];
  const runner = source.createQueryRunner();
  try {
    const truths = await truthColumns(runner, names);
    const tables = await runner.getTables([...names]);
    return tables.map((table) => described(table, truths)).sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    await runner.release();
  }
}

/** The columns `tinyint(1)` of these tables, as `table.column`. TypeORM does not tell them from other numbers. */
async function truthColumns(runner: QueryRunner, names: readonly string[]): Promise<ReadonlySet<string>> {
  if (runner.dataSource.options.type !== 'mysql') return new Set();
  const rows = (await runner.query(
    "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() " +
      `AND COLUMN_TYPE LIKE 'tinyint(1)%' AND TABLE_NAME IN (${names.map(() => '?').join(', ')})`,
    [...names],
  )) as { name: string }[];
  return new Set(rows.map((row) => row.name));
}

function described(table: TypeOrmTable, truths: ReadonlySet<string>): TableDescription {
  const { name: path, columns } = table;
  const name = path.split('.').at(-1) ?? path;
  return {
    name,
    comment: textOf(table.comment),
    foreignKeys: table.foreignKeys.map((key) => ({
      columns: key.columnNames,
      table: key.referencedTableName.split('.').at(-1) ?? key.referencedTableName,
    })),
    indexes: table.indices.map((index) => index.columnNames),
    primaryKey: columns.filter((column) => column.isPrimary).map((column) => column.name),
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type.toLowerCase(),
      length: column.length === '' ? undefined : Number(column.length),
      isTruth: column.type === 'boolean' || truths.has(`${name}.${column.name}`),
      isNullable: column.isNullable,
      comment: textOf(column.comment),
    })),
  };
}

const textOf = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

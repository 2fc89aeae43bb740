import { Table, TableIndex, type QueryRunner, type TableColumnOptions } from 'typeorm';

/**
 * Columns that behave alike in both databases. Text compares by its bytes, trailing spaces included: under a server's
 * default collation 'HR', 'hr' and 'HR ' would be one value, and a boundary would let in rows that it leaves out.
 */
export class Columns {
  private readonly mysql: boolean;

  private constructor(
    private readonly runner: QueryRunner,
    private readonly collation: string | undefined,
  ) {
    this.mysql = collation !== undefined;
  }

  /** Asks the server which bytewise collation without padding it has. */
  static async over(runner: QueryRunner): Promise<Columns> {
    if (runner.dataSource.options.type !== 'mysql') return new Columns(runner, undefined);
    const [row] = (await runner.query('SELECT VERSION() AS version')) as { version: string }[];
    const isMariaDb = row?.version.includes('MariaDB') === true;
    return new Columns(runner, isMariaDb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin');
  }

  /** Gives these tables this project's character set, whatever the database's default is. */
  async nameCharsets(tables: readonly string[]): Promise<void> {
    if (this.collation === undefined) return;
    for (const table of tables) await this.runner.query(nameCharset(table, this.collation));
  }

  text(name: string, length: number): TableColumnOptions {
    return { name, type: 'varchar', length: String(length), ...this.bytewise() };
  }

  id(name = 'id'): TableColumnOptions {
    return this.text(name, 26);
  }

  /** Up to 16 MiB. */
  longtext(name: string): TableColumnOptions {
    return { name, type: this.mysql ? 'mediumtext' : 'text', ...this.bytewise() };
  }

  /** On SQLite, for a full-text index: vacuuming may change the implicit row number. */
  rowNumber(): TableColumnOptions {
    return { name: 'row_no', type: 'integer', isGenerated: true, generationStrategy: 'increment' };
  }

  int(name: string): TableColumnOptions {
    return { name, type: this.mysql ? 'int' : 'integer' };
  }

  /** A safe integer of 64 bits. As SQLite's key it is an alias of the row number. */
  long(name: string): TableColumnOptions {
    return { name, type: this.mysql ? 'bigint' : 'integer' };
  }

  /** Minor units of a currency. */
  minor(name: string): TableColumnOptions {
    return { name, type: 'bigint' };
  }

  time(name: string): TableColumnOptions {
    return { name, type: 'datetime', precision: this.mysql ? 3 : null };
  }

  flag(name: string): TableColumnOptions {
    return { name, type: this.mysql ? 'tinyint' : 'boolean' };
  }

  nullable(column: TableColumnOptions): TableColumnOptions {
    return { ...column, isNullable: true };
  }

  async create(name: string, columns: TableColumnOptions[], options: TableOptions = {}): Promise<void> {
    const primary = options.primaryKey ?? ['id'];
    await this.runner.createTable(
      new Table({
        name,
        columns: columns.map((column) => ({ ...column, isPrimary: primary.includes(column.name) })),
        ...(this.mysql ? { engine: 'InnoDB' } : {}),
      }),
    );
    await this.nameCharsets([name]);
    for (const columnNames of options.unique ?? []) await this.index(name, columnNames, true);
    for (const columnNames of options.indexes ?? []) await this.index(name, columnNames, false);
  }

  private async index(table: string, columnNames: string[], isUnique: boolean): Promise<void> {
    const name = `${isUnique ? 'uq' : 'ix'}_${table}_${columnNames.join('_')}`.slice(0, 60);
    await this.runner.createIndex(table, new TableIndex({ name, columnNames, isUnique }));
  }

  private bytewise(): Partial<TableColumnOptions> {
    return this.collation === undefined ? {} : { charset: 'utf8mb4', collation: this.collation };
  }
}

const nameCharset = (table: string, collation: string): string =>
  `ALTER TABLE \`${table}\` DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`;

interface TableOptions {
  /** The columns of the key, in the order of the table's columns. */
  readonly primaryKey?: readonly string[];
  readonly unique?: string[][];
  readonly indexes?: string[][];
}

export async function dropTables(runner: QueryRunner, names: readonly string[]): Promise<void> {
  for (const name of [...names].reverse()) await runner.dropTable(name);
}

import { Table, TableIndex, type QueryRunner, type TableColumnOptions } from 'typeorm';

/**
 * Columns that both databases keep alike. Text compares by its bytes: under a server's default collation 'HR'
 * and 'hr' would be one value, and a boundary would let in what it leaves out. Trailing spaces are the one
 * difference that stays ('HR ' equals 'HR' on MySQL): none is ever stored or looked for (src/core/text.ts).
 */
export class Columns {
  private readonly mysql: boolean;

  constructor(private readonly runner: QueryRunner) {
    this.mysql = runner.dataSource.options.type === 'mysql';
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

  int(name: string): TableColumnOptions {
    return { name, type: this.mysql ? 'int' : 'integer' };
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
    for (const columnNames of options.unique ?? []) await this.index(name, columnNames, true);
    for (const columnNames of options.indexes ?? []) await this.index(name, columnNames, false);
  }

  private async index(table: string, columnNames: string[], isUnique: boolean): Promise<void> {
    const name = `${isUnique ? 'uq' : 'ix'}_${table}_${columnNames.join('_')}`.slice(0, 60);
    await this.runner.createIndex(table, new TableIndex({ name, columnNames, isUnique }));
  }

  private bytewise(): Partial<TableColumnOptions> {
    return this.mysql ? { charset: 'utf8mb4', collation: 'utf8mb4_bin' } : {};
  }
}

interface TableOptions {
  readonly primaryKey?: readonly string[];
  readonly unique?: string[][];
  readonly indexes?: string[][];
}

export async function dropTables(runner: QueryRunner, names: readonly string[]): Promise<void> {
  for (const name of [...names].reverse()) await runner.dropTable(name);
}

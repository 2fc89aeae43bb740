import { Table, type QueryRunner, type TableColumnOptions, type TableIndexOptions } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';

/**
 * Columns that behave alike in both databases. Text compares by its bytes, trailing spaces included: under a server's
 * default collation 'HR', 'hr' and 'HR ' would be one value, and a boundary would let in rows that it leaves out.
 */
export class Columns {
  readonly mysql: boolean;

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

  /** @param value in SQL */
  withDefault(column: TableColumnOptions, value: string): TableColumnOptions {
    return { ...column, default: value };
  }

  /** Makes a table. @param name without the prefix, like all names of tables here */
  async create(name: string, columns: TableColumnOptions[], options: TableOptions = {}): Promise<void> {
    const table = prefixed(name);
    const { primaryKey = ['id'], unique = [], indexes = [], rowNumber } = options;
    const isNumbered = rowNumber === 'everywhere' || (rowNumber === 'sqlite' && !this.mysql);
    const key = isNumbered ? [rowNumberName] : primaryKey;
    const uniques = isNumbered ? [[...primaryKey], ...unique] : unique;
    const all = isNumbered ? [this.rowNumber(), ...columns] : columns;
    await this.runner.createTable(
      new Table({
        name: table,
        columns: all.map((column) => ({ ...column, isPrimary: key.includes(column.name) })),
        indices: [
          ...uniques.map((names) => indexOf(table, names, true)),
          ...indexes.map((names) => indexOf(table, names, false)),
        ],
        ...(this.collation !== undefined && { engine: `InnoDB ${charset(this.collation)}` }),
      }),
    );
  }

  /** Gives the table in which TypeORM keeps the names of migrations our character set. */
  async nameCharsetOfMigrations(): Promise<void> {
    if (this.collation === undefined) return;
    await this.runner.query(`ALTER TABLE ${prefixed('migrations')} ${charset(this.collation)}`);
  }

  /** For an index of words, which knows rows by their numbers. On SQLite, vacuuming may change the implicit ones. */
  private rowNumber(): TableColumnOptions {
    const type = this.mysql ? 'bigint' : 'integer';
    return { name: rowNumberName, type, isGenerated: true, generationStrategy: 'increment' };
  }

  private bytewise(): Partial<TableColumnOptions> {
    return this.collation === undefined ? {} : { charset: 'utf8mb4', collation: this.collation };
  }
}

const rowNumberName = 'row_no';

/** Every table names its own: a column that is added later must not depend on the database's default. */
const charset = (collation: string): string => `DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`;

const indexOf = (table: string, columnNames: string[], isUnique: boolean): TableIndexOptions => ({
  name: `${isUnique ? 'uq' : 'ix'}_${table}_${columnNames.join('_')}`.slice(0, 60),
  columnNames,
  isUnique,
});

interface TableOptions {
  /** The columns of the key, in the order of the table's columns. */
  readonly primaryKey?: readonly string[];
  readonly unique?: string[][];
  readonly indexes?: string[][];
  /** Where the rows are numbered. There the number is the primary key, and the other one is unique. */
  readonly rowNumber?: 'sqlite' | 'everywhere';
}

export async function dropTables(runner: QueryRunner, names: readonly string[]): Promise<void> {
  for (const name of [...names].reverse()) await runner.query(`DROP TABLE ${prefixed(name)}`);
}

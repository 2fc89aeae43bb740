import { decode, encode } from './column-values.js';
import type { Dialect } from '../tables/dialect.js';
import { all, columnName, conditionSql, eq, quote, type Condition } from './condition.js';
import type { SharedReads } from './shared-reads.js';
import type { Statements, TimedStatements } from '../drivers/statements.js';
import type { AnyTable, Table } from '../tables/table.js';

export interface Order<Row> {
  readonly column: keyof Row & string;
  readonly direction: 'asc' | 'desc';
  /** By the text's bytes, which differ even between texts that the column's collation takes for equal. */
  readonly byBytes?: true;
}
interface SelectOptions<Row> {
  readonly order?: readonly Order<Row>[];
  readonly limit?: number;
  /**
   * Locks the rows until the transaction ends. `claim` skips rows that another transaction has locked. No
   * effect on SQLite, where transactions run alone.
   */
  readonly lock?: 'share' | 'update' | 'claim';
}

/**
 * Statements over one connection or transaction. It checks no authority: domains get `Rows`, never this
 * class.
 */
export class Connection {
  /** How often this transaction has moved the version of all rights. */
  epochMoves = 0;

  constructor(
    private readonly statements: Statements,
    readonly dialect: Dialect,
    /** Undefined inside a transaction, which may see rows of its own. */
    readonly shared?: SharedReads,
    /** Undefined inside a transaction, like `shared`. */
    private readonly statistics?: TimedStatements,
  ) {}

  /**
   * Runs SQL with `?` parameters. Rows are returned as the driver gives them.
   * @param again true for a text that is used often with different parameters
   * @param untilMs when a long SELECT outside of a transaction is ended, in milliseconds since 1970
   */
  async query(
    sql: string,
    params: readonly unknown[] = [],
    again = false,
    untilMs?: number,
  ): Promise<Record<string, unknown>[]> {
    return (await this.statements.run(sql, params, again, untilMs)).rows;
  }

  /** A SELECT over any number of rows. It runs beside the event loop, for at most `leftMs`. */
  async aggregate(
    sql: string,
    params: readonly unknown[],
    leftMs: number,
  ): Promise<Record<string, unknown>[]> {
    if (this.statistics === undefined) return this.query(sql, params);
    return (await this.statistics.run(sql, params, Date.now() + leftMs)).rows;
  }

  async select<Row>(
    table: Table<Row>,
    condition: Condition<Row>,
    options: SelectOptions<Row> = {},
  ): Promise<Row[]> {
    return (await this.selectColumns(table, columnKeys(table), condition, options)) as Row[];
  }

  /** As `select`, but reads only these columns. */
  async selectColumns<Row, K extends keyof Row & string>(
    table: Table<Row>,
    columns: readonly K[],
    condition: Condition<Row>,
    options: SelectOptions<Row> = {},
  ): Promise<Pick<Row, K>[]> {
    const where = conditionSql(table, 't', condition, this.dialect);
    const order = (options.order ?? [])
      .map((by) => `t.${columnName(by.column)} ${by.direction === 'asc' ? 'ASC' : 'DESC'}`)
      .join(', ');
    const sql = [
      `SELECT ${columnList(columns, 't')} FROM ${quote(table.name)} t WHERE ${where.text}`,
      order === '' ? '' : `ORDER BY ${order}`,
      options.limit === undefined ? '' : `LIMIT ${String(Math.trunc(options.limit))}`,
      this.lockClause(options.lock),
    ];
    const text = sql.filter((part) => part !== '').join(' ');
    const rows = await this.query(text, where.params, where.params.length > 0);
    return rows.map((row) => decodeRow(table, columns, row));
  }

  async one<Row>(
    table: Table<Row>,
    condition: Condition<Row>,
    options: Omit<SelectOptions<Row>, 'limit'> = {},
  ): Promise<Row | undefined> {
    return (await this.select(table, condition, { limit: 1, ...options }))[0];
  }

  async insert<Row>(table: Table<Row>, rows: readonly Row[]): Promise<void> {
    const keys = columnKeys(table);
    for (const { values, count } of bounded(table, keys, rows)) {
      let at = 0;
      for (const size of sizes(count)) {
        const part = values.slice(at * keys.length, (at + size) * keys.length);
        await this.statements.run(insertion(table, size), part, true);
        at += size;
      }
    }
  }

  /**
   * Adds a row of which some values are given. Returns its id; undefined where a rule of the database left it out, or where
   * nothing gave it a key.
   */
  async insertValues<Row>(table: Table<Row>, values: Partial<Row>): Promise<string | undefined> {
    const { key } = table;
    if (key === undefined) throw new Error(`${table.name} has no key of its own.`);
    const keys = columnKeys(table).filter((column) => values[column] !== undefined);
    const places = keys.length === 0 && this.dialect === 'sqlite' ? 'DEFAULT VALUES' : valuesText(keys);
    const { affected, numbered } = await this.statements.run(
      `INSERT ${this.orAbort()}INTO ${quote(table.name)} ${places}`,
      keys.map((column) => encode(table.columns[column], values[column])),
    );
    const named = key.columns.map((column) => values[column as keyof Row] ?? numbered);
    return affected === 1 && !named.includes(undefined) ? key.idFrom(named) : undefined;
  }

  /** A table of SQLite may say that a conflict replaces or leaves out rows, or ends the transaction. */
  private orAbort(): string {
    return this.dialect === 'sqlite' ? 'OR ABORT ' : '';
  }

  /** Returns the number of rows that matched the condition. */
  async update<Row>(table: Table<Row>, condition: Condition<Row>, changes: Partial<Row>): Promise<number> {
    const keys = columnKeys(table).filter((key) => changes[key] !== undefined);
    const where = conditionSql(table, table.name, condition, this.dialect);
    const set = keys.map((key) => `${columnName(key)} = ?`).join(', ');
    return this.affecting(`UPDATE ${this.orAbort()}${quote(table.name)} SET ${set} WHERE ${where.text}`, [
      ...keys.map((key) => encode(table.columns[key], changes[key])),
      ...where.params,
    ]);
  }

  /** Returns the number of deleted rows. */
  async delete<Row>(table: Table<Row>, condition: Condition<Row>): Promise<number> {
    const where = conditionSql(table, table.name, condition, this.dialect);
    return this.affecting(`DELETE FROM ${quote(table.name)} WHERE ${where.text}`, where.params);
  }

  async count<Row>(table: Table<Row>, condition: Condition<Row> = all()): Promise<number> {
    const where = conditionSql(table, 't', condition, this.dialect);
    const rows = await this.query(
      `SELECT COUNT(*) AS n FROM ${quote(table.name)} t WHERE ${where.text}`,
      where.params,
    );
    return Number(rows[0]?.n ?? 0);
  }

  byId<Row extends { id: unknown }>(table: Table<Row>, id: string): Promise<Row | undefined> {
    return this.one(table, eq<Row>('id', id));
  }

  /** Runs a statement that changes rows. Returns their number. */
  async affecting(sql: string, params: readonly unknown[], again = false): Promise<number> {
    return (await this.statements.run(sql, params, again)).affected;
  }

  private lockClause(lock: SelectOptions<unknown>['lock']): string {
    if (lock === undefined || this.dialect === 'sqlite') return '';
    return locks[lock];
  }
}

const locks = { share: 'LOCK IN SHARE MODE', update: 'FOR UPDATE', claim: 'FOR UPDATE SKIP LOCKED' } as const;

/** Parts of up to this size may have any number of rows. Larger parts are powers of two. */
const smallPart = 32;
const partMax = 128;

/** Splits a count into few parts of few different sizes, because each size is a text to prepare. */
function* sizes(count: number): Generator<number> {
  for (let left = count; left > 0;) {
    const size = left <= smallPart ? left : Math.min(partMax, 2 ** Math.floor(Math.log2(left)));
    yield size;
    left -= size;
  }
}

const valuesText = (keys: readonly string[]): string =>
  `(${keys.map(columnName).join(', ')}) VALUES (${keys.map(() => '?').join(', ')})`;

const insertions = new WeakMap<AnyTable, string[]>();

/** The text that inserts so many rows; cached. */
function insertion<Row>(table: Table<Row>, count: number): string {
  const known = insertions.get(table) ?? [];
  insertions.set(table, known);
  return (known[count] ??= insertionText(table, count));
}

function insertionText<Row>(table: Table<Row>, count: number): string {
  const names = columnKeys(table).map(columnName);
  const row = `(${names.map(() => '?').join(', ')})`;
  const all = Array<string>(count).fill(row);
  return `INSERT INTO ${quote(table.name)} (${names.join(', ')}) VALUES ${all.join(', ')}`;
}

/** Below SQLite's limit of 32,766 parameters for a statement. */
const parametersMax = 16_000;

/** Well below MySQL's packet limit, because a character may need four bytes. */
const charactersMax = 1_000_000;

interface Chunk {
  readonly values: unknown[];
  readonly count: number;
}

/** Splits encoded rows into the fewest statements that fit both databases' limits. */
function* bounded<Row>(
  table: Table<Row>,
  keys: readonly (keyof Row & string)[],
  rows: readonly Row[],
): Generator<Chunk> {
  let values: unknown[] = [];
  let [count, characters] = [0, 0];
  for (const row of rows) {
    const from = values.length;
    let length = 0;
    for (const key of keys) {
      const value = encode(table.columns[key], row[key]);
      values.push(value);
      length += typeof value === 'string' ? value.length : 8;
    }
    if (count > 0 && (values.length > parametersMax || characters + length > charactersMax)) {
      const next = values.splice(from);
      yield { values, count };
      values = next;
      [count, characters] = [0, 0];
    }
    count += 1;
    characters += length;
  }
  if (count > 0) yield { values, count };
}

export const columnKeys = <Row>(table: Table<Row>): (keyof Row & string)[] =>
  Object.keys(table.columns) as (keyof Row & string)[];

const columnList = (columns: readonly string[], alias: string): string =>
  columns.map((key) => `${alias}.${columnName(key)} AS ${quote(key)}`).join(', ');

function decodeRow<Row, K extends keyof Row & string>(
  table: Table<Row>,
  columns: readonly K[],
  raw: Record<string, unknown>,
): Pick<Row, K> {
  const row: Record<string, unknown> = {};
  for (const key of columns) row[key] = decode(table.columns[key], raw[key]);
  return row as Pick<Row, K>;
}

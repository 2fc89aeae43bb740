import { setTimeout as pause } from 'node:timers/promises';
import { lockedOut, outOfTime, overloaded } from '../../core/errors.js';
import { Lru } from '../../core/lru.js';
import { TooManySteps, type StepLimit } from './row-steps.js';

/** The result of a statement: its rows, or the number of rows that it changed. */
export interface Outcome {
  readonly rows: Record<string, unknown>[];
  readonly affected: number;
  /** The number that the database gave to the key of a row that was added. */
  readonly numbered?: string | undefined;
}

/** Sends statements with `?` parameters to one connection or pool. Throws `StatementFailed`. */
export interface Statements {
  /**
   * @param again true for a text that is used often with different parameters, which is then prepared once
   * @param untilMs when a long SELECT is ended, in milliseconds since 1970
   */
  run(sql: string, params: readonly unknown[], again?: boolean, untilMs?: number): Promise<Outcome>;
}

/**
 * For statements that may take long. They never run in the thread of the event loop, and end at `untilMs`, in
 * milliseconds since 1970.
 */
export interface TimedStatements {
  run(sql: string, params: readonly unknown[], untilMs: number): Promise<Outcome>;
}

/** The database refused a statement or could not be reached. `driverError` is the driver's error. */
export class StatementFailed extends Error {
  override readonly name = 'StatementFailed';
  readonly driverError: { readonly code?: string; readonly errno?: number; readonly sqlState?: string };

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.driverError = cause ?? {};
  }
}

/** ER_STATEMENT_TIMEOUT of MariaDB, ER_QUERY_TIMEOUT of MySQL. */
const timeouts = new Set<unknown>([1969, 3024]);

/**
 * Maps the database's own limits to errors of ours: a statement took too long, or too many operations wait
 * for a connection.
 */
export function asFailure(error: unknown): Error {
  const failure = new StatementFailed(error);
  if (timeouts.has(failure.driverError.errno)) return outOfTime(failure);
  return failure.message === 'Queue limit reached.' ? overloaded(failure) : failure;
}

interface SqliteStatement {
  readonly reader: boolean;
  /** Whether the statement changes nothing. */
  readonly readonly: boolean;
  /** Makes the statement return each row as an array of values. */
  raw(): unknown;
  columns(): { readonly name: string }[];
  all(params: readonly unknown[]): unknown[];
  run(params: readonly unknown[]): { changes: number; lastInsertRowid: number | bigint };
}
export interface SqliteDatabase {
  readonly inTransaction: boolean;
  function(
    name: string,
    options: { deterministic: boolean },
    call: (row: unknown) => number | string,
  ): unknown;
  prepare(sql: string): SqliteStatement;
  pragma(source: string): unknown;
}

const preparedMax = 500;

type Prepared = (params: readonly unknown[]) => Outcome;

/** How often to check whether another process has released the database. */
export const lockPollMs = 5;

const isBusy = (failure: StatementFailed): boolean =>
  failure.driverError.code?.startsWith('SQLITE_BUSY') === true;

/**
 * SQLite in this process: each statement is prepared once and answers at once. A statement that finds the
 * database locked has done nothing, and is sent again. The driver's own waiting would block everybody in this
 * process.
 */
export class SqliteStatements implements Statements {
  readonly prepared = new Lru<string, Prepared>(preparedMax);

  /**
   * @param patienceMs how long a statement is repeated while the database is locked
   * @param limit bounds the rows that one statement looks at
   * @param onlyReads refuses statements that change anything
   * @param next sends a statement again that found the database locked
   */
  constructor(
    private readonly db: SqliteDatabase,
    private readonly patienceMs: number,
    private readonly limit?: StepLimit,
    private readonly onlyReads = false,
    private readonly next?: SqliteStatements,
  ) {}

  /** Throws `TooManySteps` unchanged, so that the same statement can run elsewhere. */
  run(sql: string, params: readonly unknown[]): Promise<Outcome> {
    return this.runUntil(undefined, sql, params);
  }

  /** As `run`, but gives up at that moment of `performance.now()`. The statement is sent at least once. */
  runUntil(until: number | undefined, sql: string, params: readonly unknown[]): Promise<Outcome> {
    try {
      const prepared = this.prepare(sql);
      const { limit } = this;
      return Promise.resolve(
        limit === undefined ? prepared(params) : limit.steps.run(limit, () => prepared(params), sizeOf),
      );
    } catch (error) {
      if (error instanceof TooManySteps) return Promise.reject(error);
      const failure = new StatementFailed(error);
      if (!isBusy(failure)) return Promise.reject(failure);
      return (this.next ?? this).again(until ?? performance.now() + this.patienceMs, sql, params, failure);
    }
  }

  private async again(
    until: number,
    sql: string,
    params: readonly unknown[],
    failure: StatementFailed,
  ): Promise<Outcome> {
    if (performance.now() >= until) throw lockedOut(failure);
    await pause(lockPollMs);
    return this.runUntil(until, sql, params);
  }

  private prepare(sql: string): Prepared {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql);
    if (this.onlyReads && !statement.readonly) throw new Error('A change outside of a transaction.');
    const made = preparedOf(statement);
    this.prepared.set(sql, made);
    return made;
  }
}

const sizeOf = ({ rows }: Outcome): number => rows.length;

function preparedOf(statement: SqliteStatement): Prepared {
  if (!statement.reader)
    return (params) => {
      const { changes, lastInsertRowid } = statement.run(params);
      return { rows: [], affected: changes, numbered: String(lastInsertRowid) };
    };
  // In the driver, an array of values costs half as much as an object.
  statement.raw();
  const names = statement.columns().map(({ name }) => name);
  return (params) => ({
    rows: (statement.all(params) as unknown[][]).map((values) => rowOf(names, values)),
    affected: 0,
  });
}

export function rowOf(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  let at = 0;
  for (const name of names) row[name] = values[at++];
  return row;
}

type Answered = (error: unknown, result: unknown) => void;

/** The part of mysql2 that sends statements: a pool, or one of its connections. */
interface MysqlSender {
  query(sql: string, params: unknown[], answered: Answered): unknown;
  execute(sql: string, params: unknown[], answered: Answered): unknown;
}
export interface MysqlConnection extends MysqlSender {
  release(): void;
  destroy(): void;
}
export interface MysqlPool extends MysqlSender {
  getConnection(answered: (error: unknown, connection: MysqlConnection) => void): void;
  on(event: 'connection', listener: (connection: { query(sql: string): unknown }) => void): void;
}

/**
 * Sends on any free connection of a pool. The pool's own `query` is not used, because its dead answers
 * survive the collections of young garbage until the next full one.
 */
export class AnyFree implements MysqlSender {
  constructor(private readonly pool: MysqlPool) {}

  query(sql: string, params: unknown[], answered: Answered): void {
    this.pool.getConnection((failure, connection) => {
      if (failure !== null && failure !== undefined) {
        answered(failure, undefined);
        return;
      }
      try {
        connection.query(sql, params, (error, result) => {
          connection.release();
          answered(error, result);
        });
      } catch (error) {
        // The driver puts the parameters into the text first, and throws where it cannot.
        connection.release();
        answered(error, undefined);
      }
    });
  }

  execute(sql: string, params: unknown[], answered: Answered): void {
    this.pool.execute(sql, params, answered);
  }
}

/** MySQL or MariaDB. */
export class MysqlStatements implements Statements {
  /** @param longestMs the session's limit for one statement; `Infinity` for none */
  constructor(
    private readonly sender: MysqlSender,
    private readonly longestMs: number,
  ) {}

  run(sql: string, params: readonly unknown[], again = false, untilMs = Infinity): Promise<Outcome> {
    const text = again || untilMs === Infinity ? sql : timed(sql, untilMs, this.longestMs);
    return new Promise((resolve, reject) => {
      const answered: Answered = (error, result) => {
        if (error !== null && error !== undefined) reject(asFailure(error));
        else if (Array.isArray(result)) {
          resolve({ rows: result as Record<string, unknown>[], affected: 0 });
        } else {
          const { affectedRows, insertId } = result as { affectedRows: number; insertId: number | string };
          resolve({
            rows: [],
            affected: affectedRows,
            numbered: Number(insertId) === 0 ? undefined : String(insertId),
          });
        }
      };
      if (again) this.sender.execute(text, params.map(asParameter), answered);
      else this.sender.query(text, params as unknown[], answered);
    });
  }
}

/**
 * Ends a SELECT with its operation. MariaDB reads the leading comment, which MySQL ignores; MySQL reads the
 * hint after SELECT. Both replace the session's own limit, so they never exceed it.
 */
function timed(select: string, untilMs: number, longestMs: number): string {
  const leftMs = Math.max(1, Math.floor(Math.min(untilMs - Date.now(), longestMs)));
  return (
    `/*M! SET STATEMENT max_statement_time = ${String(leftMs / 1000)} FOR */ ` +
    select.replace(/^SELECT /, `SELECT /*+ MAX_EXECUTION_TIME(${String(leftMs)}) */ `)
  );
}

/** The driver would send a number as a double. A text reaches its column exactly. */
const asParameter = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { outOfTime, tooMuchForChange } from '../../core/errors.js';
import { Lru, type CacheState } from '../../core/lru.js';
import { ConcurrencyGate } from './concurrency-gate.js';
import { addDigest } from './digest-function.js';
import { isLockConflict } from './lock-conflicts.js';
import type { ReadingThread } from './reading-thread.js';
import {
  AnyFree,
  asFailure,
  lockPollMs,
  MysqlStatements,
  SqliteStatements,
  StatementFailed,
  type MysqlConnection,
  type MysqlPool,
  type Outcome,
  type SqliteDatabase,
  type Statements,
  type TimedStatements,
} from './statements.js';
import { Steps, TooManySteps, Turn } from './row-steps.js';

/** A connection for one transaction. */
export interface Session {
  readonly statements: Statements;
  /** Whether the database has ended the transaction by itself, as after this failure. */
  hasLost(failure: unknown): boolean;
  /** The statement that begins a transaction. Undefined where the first statement begins it. */
  readonly begin: string | undefined;
  end(isUsable: boolean): void;
}

/** The connections of a pool, and the tasks that wait for one. */
export interface PoolState {
  readonly used: number;
  readonly free: number;
  readonly waiting: number;
}

/** Opens sessions for transactions. */
export interface Sessions {
  /** @param until when to stop waiting for other processes, as a time of `performance.now()` */
  open(until: number): Promise<Session>;
  readonly state?: () => PoolState;
  readonly caches?: Readonly<Record<string, CacheState>>;
}

/**
 * One connection to SQLite that writes, one transaction at a time, and one that only reads. A commit clears
 * the page cache of every other connection, but not its own. So reads use the writing connection, too, except
 * during a transaction, whose changes are not visible yet. While another process writes, writers wait outside
 * of the driver.
 */
export class SqliteSessions implements Sessions {
  readonly reading: Statements;
  readonly caches: Readonly<Record<string, CacheState>>;
  private readonly writing: SqliteStatements;
  /** The end of the pause in which other processes get their turn. */
  private restsUntil = 0;
  /** Statements that looked at too many rows here. They run in the thread from then on. */
  private readonly large = new Lru<string, true>(largeMax);

  constructor(
    private readonly writer: SqliteDatabase,
    reader: SqliteDatabase,
    private readonly scans: Pick<ReadingThread, 'run'>,
    private readonly statementMs: number,
    patienceMs: number,
  ) {
    const turn = new Turn(stepsMax);
    const [ofWriter, ofReader] = [new Steps(writer), new Steps(reader)];
    const apart = new SqliteStatements(reader, patienceMs, { steps: ofReader, max: stepsMax, turn }, true);
    // A transaction may begin before a statement is sent again, so that goes apart.
    const cached = new SqliteStatements(
      writer,
      patienceMs,
      { steps: ofWriter, max: stepsMax, turn },
      true,
      apart,
    );
    const here: Statements = {
      run: (sql, params) => (writer.inTransaction ? apart : cached).run(sql, params),
    };
    this.reading = {
      run: (sql, params, _again, untilMs) =>
        turn.isSpent ? this.later(here, turn, sql, params, untilMs) : this.now(here, sql, params, untilMs),
    };
    this.writing = new SqliteStatements(writer, patienceMs, { steps: ofWriter, max: stepsOfChangeMax });
    this.caches = {
      statements_reading: cached.prepared,
      statements_reading_apart: apart.prepared,
      statements_writing: this.writing.prepared,
      statements_of_many_rows: this.large,
    };
    for (const db of [writer, reader]) {
      db.pragma('busy_timeout = 0');
      addDigest(db);
    }
  }

  private async later(
    here: Statements,
    turn: Turn,
    sql: string,
    params: readonly unknown[],
    untilMs?: number,
  ): Promise<Outcome> {
    while (turn.isSpent) await nextTurn();
    return this.now(here, sql, params, untilMs);
  }

  private now(here: Statements, sql: string, params: readonly unknown[], untilMs?: number): Promise<Outcome> {
    if (this.large.get(sql) !== undefined) return this.inThread(sql, params, untilMs);
    return here.run(sql, params).catch((error: unknown) => {
      if (!(error instanceof TooManySteps)) throw error;
      this.large.set(sql, true);
      return this.inThread(sql, params, untilMs);
    });
  }

  private inThread(sql: string, params: readonly unknown[], untilMs = Infinity): Promise<Outcome> {
    return this.scans.run(sql, params, Math.min(untilMs, Date.now() + this.statementMs));
  }

  async open(until: number): Promise<Session> {
    const rest = this.restsUntil - performance.now();
    if (rest > 0) await pause(rest);
    // TypeORM's own transactions are deferred; with a second process their upgrade to a write lock would
    // fail.
    await this.writing.runUntil(until, 'BEGIN IMMEDIATE', []);
    const began = performance.now();
    return {
      statements: refusingLarge(this.writing),
      hasLost: () => !this.writer.inTransaction,
      begin: undefined,
      end: () => {
        const ended = performance.now();
        this.restsUntil = ended - began < longMs ? 0 : ended + 2 * lockPollMs;
      },
    };
  }
}

/**
 * A statement takes one or two microseconds for each row that it looks at, and a few more for each row that
 * it returns.
 */
const stepsMax = 5_000;
/**
 * Higher than `stepsMax`, because only the writing connection sees its uncommitted changes, so the thread
 * cannot read for it.
 */
const stepsOfChangeMax = 20_000;
const largeMax = 1_000;

const refusingLarge = (statements: Statements): Statements => ({
  run: async (sql, params) => {
    try {
      return await statements.run(sql, params);
    } catch (error) {
      throw error instanceof TooManySteps ? tooMuchForChange(error) : error;
    }
  },
});

/**
 * SQLite has no queue: each process polls for the lock. A process that held it this long pauses before its
 * next transaction, so that the others get a turn.
 */
const longMs = 50;

/** A pool of connections to MySQL. A connection is taken for one statement or one transaction. */
export class MysqlSessions implements Sessions {
  /** Each statement runs on any free connection. */
  readonly statements: Statements;

  private constructor(
    private readonly pool: MysqlPool & Partial<PoolQueues>,
    private readonly size: number,
    private readonly begin: string | undefined,
    private readonly statementMs: number,
  ) {
    this.statements = new MysqlStatements(new AnyFree(pool), statementMs);
  }

  /**
   * @param statementSeconds how long one statement may take; 0 for no limit
   * @param isForTransactions the pool serves transactions only, so autocommit is off and the first statement
   * begins one
   */
  static async over(
    source: DataSource,
    statementSeconds: number,
    isForTransactions: boolean,
  ): Promise<MysqlSessions> {
    const { pool } = source.driver as unknown as { pool: MysqlPool };
    const settings = [...sessionSettings, ...(await settingsByKind(source, statementSeconds))];
    if (isForTransactions) settings.push('SET SESSION autocommit = 0');
    pool.on('connection', (connection) => {
      for (const setting of settings) connection.query(setting);
    });
    // The pool opened one connection before the listener was added.
    for (const setting of settings) await source.query(setting);
    return new MysqlSessions(
      pool,
      source.options.poolSize ?? 1,
      isForTransactions ? undefined : 'START TRANSACTION',
      statementSeconds === 0 ? Number.POSITIVE_INFINITY : statementSeconds * 1000,
    );
  }

  async open(): Promise<Session> {
    const connection = await new Promise<MysqlConnection>((resolve, reject) => {
      this.pool.getConnection((error, free) => {
        if (error === null || error === undefined) resolve(free);
        else reject(asFailure(error));
      });
    });
    return {
      statements: new MysqlStatements(connection, this.statementMs),
      // After a deadlock nothing of the transaction is left.
      hasLost: isLockConflict,
      begin: this.begin,
      end: (isUsable) => {
        if (isUsable) connection.release();
        else connection.destroy();
      },
    };
  }

  /** Runs statistics on at most half of the connections, so that others stay free. */
  statistics(): TimedStatements {
    const gate = new ConcurrencyGate(Math.max(1, Math.floor(this.size / 2)));
    return {
      run: (sql, params, untilMs) =>
        gate.enter(() => {
          if (Date.now() >= untilMs) throw outOfTime();
          return this.statements.run(sql, params, false, untilMs);
        }),
    };
  }

  state(): PoolState {
    const { _allConnections: all, _freeConnections: unused, _connectionQueue: queue } = this.pool;
    const free = unused?.length ?? 0;
    return { used: (all?.length ?? 0) - free, free, waiting: queue?.length ?? 0 };
  }
}

/** Private fields of the driver, which has no public counterpart. */
type PoolQueues = Readonly<
  Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { readonly length: number }>
>;

/**
 * The statements of one transaction. A resolver may still run when the transaction ends, such as one beside
 * the one that failed. Its statements must not reach the connection, which may serve another transaction by
 * then, or write outside of one.
 */
export class WhileItLasts implements Statements {
  private hasEnded = false;
  /** The failure with which the database ended the transaction: what came before is undone. */
  private failure: Error | undefined;

  constructor(private readonly session: Pick<Session, 'statements' | 'hasLost'>) {}

  async run(sql: string, params: readonly unknown[], again?: boolean): Promise<Outcome> {
    this.check();
    if (this.hasEnded) throw new StatementFailed('The transaction has ended.');
    try {
      return await this.session.statements.run(sql, params, again);
    } catch (error) {
      if (this.session.hasLost(error))
        this.failure ??= error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  /** Throws where the database has ended the transaction, whoever caught the failure then. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  end(): void {
    this.hasEnded = true;
  }
}

/** Strict mode, whatever the server's default: a value that does not fit is refused, never truncated. */
const sessionSettings = [
  // A server may be configured to ignore the charset of the handshake.
  'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
  // A TIMESTAMP of a company's table is told in the zone of the session.
  "SET SESSION time_zone = '+00:00'",
  // Reads inside a transaction must see what others have committed.
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  "SET SESSION innodb_lock_wait_timeout = 5, sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'",
];

/**
 * MariaDB and MySQL have different names and units for the limit. MariaDB keeps the results of subqueries by values that a
 * collation takes for equal, so that the boundary of one row would hold for another.
 */
async function settingsByKind(source: DataSource, seconds: number): Promise<string[]> {
  const [row] = await source.query<{ version: string }[]>('SELECT VERSION() AS version');
  if (!/mariadb/i.test(row?.version ?? ''))
    return seconds === 0 ? [] : [`SET SESSION max_execution_time = ${String(seconds * 1000)}`];
  const exact = "SET SESSION optimizer_switch = 'subquery_cache=off'";
  return seconds === 0 ? [exact] : [exact, `SET SESSION max_statement_time = ${String(seconds)}`];
}

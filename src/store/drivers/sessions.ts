import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { outOfTime, tooMuchForChange } from '../../core/errors.js';
import { Lru, type CacheState } from '../../core/lru.js';
import { ConcurrencyGate } from './concurrency-gate.js';
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
  /** Undefined where the first statement begins it. */
  readonly begin: string | undefined;
  end(isUsable: boolean): void;
}

/** Connections of a pool, and who waits for one. */
export interface PoolState {
  readonly used: number;
  readonly free: number;
  readonly waiting: number;
}

/** Where transactions find a connection. */
export interface Sessions {
  /** @param until up to which moment of `performance.now()` it is waited for other processes */
  open(until: number): Promise<Session>;
  readonly state?: () => PoolState;
  readonly caches?: Readonly<Record<string, CacheState>>;
}

/**
 * A connection to SQLite that writes, one transaction at a time, and one that only reads. A commit empties the page
 * cache of every other connection, never its own: so reads go by the first one, too, except while a transaction
 * is under way there, whose changes nobody may see yet. Where another process writes, whoever wants to waits outside of
 * the driver.
 */
export class SqliteSessions implements Sessions {
  readonly reading: Statements;
  readonly caches: Readonly<Record<string, CacheState>>;
  private readonly writing: SqliteStatements;
  /** Others get their turn until then. */
  private restsUntil = 0;
  /** Texts of statements that looked at too many rows here. */
  private readonly large = new Lru<string, true>(largeMax);

  constructor(
    writer: SqliteDatabase,
    reader: SqliteDatabase,
    private readonly scans: Pick<ReadingThread, 'run'>,
    private readonly statementMs: number,
    patienceMs: number,
  ) {
    const turn = new Turn(stepsMax);
    const [ofWriter, ofReader] = [new Steps(writer), new Steps(reader)];
    const cached = new SqliteStatements(writer, patienceMs, { steps: ofWriter, max: stepsMax, turn }, true);
    const apart = new SqliteStatements(reader, patienceMs, { steps: ofReader, max: stepsMax, turn }, true);
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
    for (const db of [writer, reader]) db.pragma('busy_timeout = 0');
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
    // TypeORM's own transactions are deferred, where a second process would make the upgrade fail.
    await this.writing.runUntil(until, 'BEGIN IMMEDIATE', []);
    const began = performance.now();
    return {
      statements: refusingLarge(this.writing),
      begin: undefined,
      end: () => {
        const ended = performance.now();
        this.restsUntil = ended - began < longMs ? 0 : ended + 2 * lockPollMs;
      },
    };
  }
}

/** Rows that a statement looks at take one or two microseconds each, and rows that it gives a few more. */
const stepsMax = 5_000;
/** Nobody but the connection that changes rows sees them as changed, so nobody else can read for it. */
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
 * Nobody queues for SQLite, everybody looks again and again: who has held it for so long lets the others look before the
 * next transaction, so that one long change after the other does not lock them out.
 */
const longMs = 50;

/** A pool of connections to MySQL, each taken for a statement or for a transaction. */
export class MysqlSessions implements Sessions {
  /** Each on any free connection. */
  readonly statements: Statements;

  private constructor(
    private readonly pool: MysqlPool & Partial<PoolQueues>,
    private readonly size: number,
    private readonly begin: string | undefined,
  ) {
    this.statements = new MysqlStatements(new AnyFree(pool));
  }

  /**
   * @param statementSeconds how long one statement may take; 0 for ever
   * @param isForTransactions nothing is ever sent outside of one, so the first statement begins it
   */
  static async over(
    source: DataSource,
    statementSeconds: number,
    isForTransactions: boolean,
  ): Promise<MysqlSessions> {
    const { pool } = source.driver as unknown as { pool: MysqlPool };
    const settings = [...sessionSettings, ...(await statementLimit(source, statementSeconds))];
    if (isForTransactions) settings.push('SET SESSION autocommit = 0');
    pool.on('connection', (connection) => {
      for (const setting of settings) connection.query(setting);
    });
    // The one connection that the pool opened before anyone could listen.
    for (const setting of settings) await source.query(setting);
    return new MysqlSessions(
      pool,
      source.options.poolSize ?? 1,
      isForTransactions ? undefined : 'START TRANSACTION',
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
      statements: new MysqlStatements(connection),
      begin: this.begin,
      end: (isUsable) => {
        if (isUsable) connection.release();
        else connection.destroy();
      },
    };
  }

  /** Statistics, on at most half of the connections, so that there is always one for others. */
  statistics(): TimedStatements {
    const places = new ConcurrencyGate(Math.max(1, Math.floor(this.size / 2)));
    return {
      run: (sql, params, untilMs) =>
        places.enter(() => {
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

/** The driver tells these to nobody else. */
type PoolQueues = Readonly<
  Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { readonly length: number }>
>;

/**
 * The statements of one transaction. Whatever still runs when it ends, such as a resolver beside the one that
 * failed, must not reach the connection: it may serve another transaction by then, or write outside of any.
 */
export class WhileItLasts implements Statements {
  private hasEnded = false;

  constructor(private readonly statements: Statements) {}

  run(sql: string, params: readonly unknown[], again?: boolean): Promise<Outcome> {
    if (this.hasEnded) return Promise.reject(new StatementFailed('The transaction has ended.'));
    return this.statements.run(sql, params, again);
  }

  end(): void {
    this.hasEnded = true;
  }
}

/** Strict mode, whatever the server's default: an over-long or misfit value is refused, never cut. */
const sessionSettings = [
  // What a client asks for when it connects, a server may be told to ignore.
  'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
  // A look inside a transaction must see what others have committed.
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  "SET SESSION innodb_lock_wait_timeout = 5, sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
];

/** The two databases have the same setting under other names and in other units. */
async function statementLimit(source: DataSource, seconds: number): Promise<string[]> {
  if (seconds === 0) return [];
  const [row] = await source.query<{ version: string }[]>('SELECT VERSION() AS version');
  return /mariadb/i.test(row?.version ?? '')
    ? [`SET SESSION max_statement_time = ${String(seconds)}`]
    : [`SET SESSION max_execution_time = ${String(seconds * 1000)}`];
}

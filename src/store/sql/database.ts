import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { DatabaseUrl } from '../../core/database-url.js';
import type { CacheState } from '../../core/lru.js';
import type { Dialect } from '../tables/dialect.js';
import { Connection } from './connection.js';
import { describeTables, tableNames, tableVersion, type TableDescription } from './describe-tables.js';
import { SerialQueue } from '../drivers/serial-queue.js';
import { mysqlOptions } from '../drivers/mysql-options.js';
import { ReadingThread } from '../drivers/reading-thread.js';
import { isLockConflict } from '../drivers/lock-conflicts.js';
import { againWhileLost } from './running-again.js';
import { SharedReads } from './shared-reads.js';
import { refuseFormerLayout } from './former-layout.js';
import {
  MysqlSessions,
  SqliteSessions,
  WhileItLasts,
  type PoolState,
  type Sessions,
} from '../drivers/sessions.js';
import { sqliteDriver } from '../drivers/sqlite-driver.js';
import type { SqliteDatabase, Statements, TimedStatements } from '../drivers/statements.js';
import { prefixed } from '../tables/table.js';

/**
 * The settings of the connection that writes and mostly also reads (see `SqliteSessions`). A long list from a
 * large table reads rows that lie far apart. The mapped file serves them faster than the page cache, which
 * then only holds pages that are not in the file yet. `mappedBytes` is SQLite's maximum.
 */
const sqliteMemory = { cacheKib: 65_536, mappedBytes: 0x7fff0000 };

const migrationsTable = prefixed('migrations');

type Migrations = NonNullable<DataSourceOptions['migrations']>;

export function dataSourceOptions(
  target: DatabaseUrl,
  migrations: Migrations,
  poolSize: number,
): DataSourceOptions {
  const common = {
    migrations,
    migrationsTableName: migrationsTable,
    synchronize: false,
    logging: false,
  } as const;
  if (target.dialect === 'sqlite') {
    return {
      ...common,
      type: 'better-sqlite3',
      driver: sqliteDriver(),
      database: target.path,
      enableWAL: true,
      // WAL with NORMAL may lose the last commits at a power cut. A record is a promise.
      prepareDatabase: (db: SqliteDatabase & { readonly readonly: boolean }) => {
        db.pragma('synchronous = FULL');
        if (db.readonly) return;
        db.pragma(`cache_size = -${String(sqliteMemory.cacheKib)}`);
        db.pragma(`mmap_size = ${String(sqliteMemory.mappedBytes)}`);
      },
    };
  }
  const { user, ssl, stream, ...rest } = mysqlOptions(target);
  return {
    ...common,
    ...rest,
    type: 'mysql',
    username: user,
    ...(ssl !== undefined && { ssl }),
    extra: { maxPreparedStatements: preparedMax, ...(stream !== undefined && { stream }) },
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    poolSize,
    connectTimeout: 5_000,
  };
}

/** Limits of a server's statements. Commands have no limits of time. */
export interface StatementLimits {
  /** 0: no limit. MySQL ends only reads, MariaDB any statement. */
  readonly seconds: number;
  /** How many operations may wait for a connection. */
  readonly waiting: number;
  /** On SQLite: how long to wait for another process that writes. */
  readonly lockSeconds: number;
}

/** The limits for commands. */
const unlimited: StatementLimits = { seconds: 0, waiting: 0, lockSeconds: 60 };

/** The parts of an open database, the same for SQLite and MySQL. */
interface Ways {
  readonly dialect: Dialect;
  /** The first source runs the migrations. */
  readonly sources: readonly [DataSource, ...DataSource[]];
  readonly reading: Statements;
  readonly statistics: TimedStatements;
  readonly changes: Sessions;
  readonly records: Sessions;
  /** Closes everything but the sources. */
  close(): Promise<unknown>;
  readonly lockMs: number;
}

/**
 * On SQLite: a serial queue for the one writing connection, and another connection for reads. On MySQL: a
 * pool, and one separate connection for records, so that a record never waits for the operations it is about.
 */
export class Database {
  readonly read: Connection;
  private readonly serialQueue = new SerialQueue();

  private constructor(private readonly ways: Ways) {
    this.read = new Connection(ways.reading, ways.dialect, new SharedReads(ways.reading), ways.statistics);
  }

  static async open(
    target: DatabaseUrl,
    migrations: Migrations,
    poolSize = 10,
    limits: StatementLimits = unlimited,
  ): Promise<Database> {
    const options = dataSourceOptions(target, migrations, poolSize);
    return new Database(
      target.dialect === 'mysql'
        ? await openMysql(options, limits)
        : await openSqlite(options, target.path, limits),
    );
  }

  get dialect(): Dialect {
    return this.ways.dialect;
  }

  /**
   * Commits all changes or none. On SQLite transactions run one at a time. On MySQL they are READ COMMITTED,
   * so that reads inside see what others have committed. After a deadlock or a lost race for a lock, `work`
   * runs again.
   */
  transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.run(this.ways.changes, work);
  }

  /** As `transaction`, for records. On MySQL they run one at a time on a connection reserved for them. */
  recording<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.run(this.ways.records, work);
  }

  /** Undefined on SQLite. */
  get pool(): PoolState | undefined {
    return this.ways.changes.state?.();
  }

  /** Caches of prepared statements in this process. On MySQL the driver has them, per connection. */
  get caches(): Readonly<Record<string, CacheState>> {
    return this.ways.changes.caches ?? {};
  }

  /** The names of this program's migrations that the database lacks. */
  async pendingMigrations(): Promise<string[]> {
    const [source] = this.ways.sources;
    const done = await this.read.query(`SELECT name FROM ${migrationsTable}`).catch(async () => {
      // Either the table or the database is missing. Only a missing database is an error.
      await this.read.query('SELECT 1');
      return [];
    });
    const names = new Set(done.map((row) => row.name));
    return source.migrations
      .map((migration) => migration.name ?? migration.constructor.name)
      .filter((name) => !names.has(name));
  }

  /** The names of all tables, views left out. */
  tableNames(): Promise<string[]> {
    return tableNames(this.ways.sources[0]);
  }

  /** Describes those of the named tables that exist. */
  describe(names: readonly string[]): Promise<TableDescription[]> {
    return describeTables(this.ways.sources[0], names);
  }

  /** A text that changes whenever one of the named tables does. */
  tableVersion(names: readonly string[]): Promise<string> {
    return tableVersion(this.ways.sources[0], names);
  }

  /** Runs the pending migrations. Throws `CommandError` where the tables are those of a former layout. */
  async migrate(): Promise<string[]> {
    const [source] = this.ways.sources;
    await refuseFormerLayout(this.read, await this.tableNames());
    const waiting = (ms: number): unknown =>
      this.dialect === 'sqlite' && sqliteOf(source).pragma(`busy_timeout = ${String(ms)}`);
    // TypeORM does not retry, and a migration serves nobody else, so the driver may block here.
    waiting(this.ways.lockMs);
    try {
      const done = await source.runMigrations({ transaction: 'each' });
      return done.map((migration) => migration.name);
    } finally {
      waiting(0);
    }
  }

  async close(): Promise<void> {
    const [first, ...others] = this.ways.sources;
    await this.ways.close();
    for (const source of others) await source.destroy();
    await this.serialQueue.run(() => first.destroy());
  }

  private async run<T>(sessions: Sessions, work: (tx: Connection) => Promise<T>): Promise<T> {
    // Counted from here, so that time in the queue counts too, and no transaction waits longer than the
    // limit.
    const until = performance.now() + this.ways.lockMs;
    if (this.dialect === 'sqlite') return this.serialQueue.run(() => this.attempt(sessions, work, until));
    return againWhileLost(() => this.attempt(sessions, work, until), until);
  }

  private async attempt<T>(
    sessions: Sessions,
    work: (tx: Connection) => Promise<T>,
    until: number,
  ): Promise<T> {
    const session = await sessions.open(until);
    const bounds = new WhileItLasts(session);
    let isUsable = true;
    try {
      if (session.begin !== undefined) await session.statements.run(session.begin, []);
      const result = await work(new Connection(bounds, this.dialect));
      bounds.end();
      bounds.check();
      await session.statements.run('COMMIT', []).catch((error: unknown) => {
        // SQLite checks deferred constraints here.
        if (isLockConflict(error) || isConstraint(error)) throw error;
        throw new CommitLost('COMMIT was not acknowledged', { cause: error });
      });
      return result;
    } catch (error) {
      bounds.end();
      // A failed rollback means a lost connection, and the server rolls back then. The first error says more.
      await session.statements.run('ROLLBACK', []).catch(() => (isUsable = false));
      throw error;
    } finally {
      session.end(isUsable);
    }
  }
}

/** Per connection. The server limits the sum over all connections. */
const preparedMax = 400;
/** The driver compiles a function for each set of result columns, and would keep 15,000 of them. */
const parsersMax = 1_000;

async function openMysql(options: DataSourceOptions, limits: StatementLimits): Promise<Ways> {
  const { seconds, waiting, lockSeconds } = limits;
  // Loaded here, so that commands on SQLite do not wait for it.
  const { setMaxParserCache } = await import('mysql2');
  setMaxParserCache(parsersMax);
  const extra = { ...(options.extra as object), queueLimit: waiting };
  const source = await new DataSource({ ...options, extra }).initialize();
  const alone = { ...options, extra, poolSize: 1, migrations: [] } as DataSourceOptions;
  const recorder = await new DataSource(alone).initialize();
  const changes = await MysqlSessions.over(source, seconds, false);
  const records = await MysqlSessions.over(recorder, seconds, true);
  return {
    dialect: 'mysql',
    sources: [source, recorder],
    reading: changes.statements,
    statistics: changes.statistics(),
    changes,
    records,
    close: () => Promise.resolve(),
    lockMs: lockSeconds * 1_000,
  };
}

async function openSqlite(
  options: DataSourceOptions,
  path: string,
  { seconds, lockSeconds }: StatementLimits,
): Promise<Ways> {
  const lockMs = lockSeconds * 1_000;
  mkdirSync(dirname(path), { recursive: true });
  const isNew = !existsSync(path);
  const source = await new DataSource(options).initialize();
  if (isNew) chmodSync(path, 0o600);
  const readOnly = { ...options, readonly: true, enableWAL: false, migrations: [] } as DataSourceOptions;
  const reader = await new DataSource(readOnly).initialize();
  // Two threads, so that no list waits for statistics.
  const settings = { path, ...sqliteMemory };
  const [scans, statistics] = [new ReadingThread(settings), new ReadingThread(settings)];
  const statementMs = seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
  const sessions = new SqliteSessions(sqliteOf(source), sqliteOf(reader), scans, statementMs, lockMs);
  const { reading } = sessions;
  return {
    dialect: 'sqlite',
    sources: [source, reader],
    reading,
    statistics,
    changes: sessions,
    records: sessions,
    close: () => Promise.all([scans.close(), statistics.close()]),
    lockMs,
  };
}

const sqliteOf = (source: DataSource): SqliteDatabase =>
  (source.driver as unknown as { databaseConnection: SqliteDatabase }).databaseConnection;

/** The connection was lost during COMMIT: the change may or may not have been made. */
export class CommitLost extends Error {
  override readonly name = 'CommitLost';
}

/** Whether the database refused a statement. False where it could not be reached. */
export function isStatementFault(error: unknown): boolean {
  const code = (error as { driverError?: { code?: string } }).driverError?.code ?? '';
  return code.startsWith('ER_') || code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_TOOBIG';
}

const isConstraint = (error: unknown): boolean =>
  (error as { driverError?: { code?: string } }).driverError?.code?.startsWith('SQLITE_CONSTRAINT') === true;

/** Whether a unique key refused a row. */
export function isDuplicate(error: unknown): boolean {
  const driver = (error as { driverError?: { errno?: number; code?: string } }).driverError;
  return driver?.errno === 1062 || /^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE)$/.test(driver?.code ?? '');
}

import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { DatabaseUrl } from '../core/database-url.js';
import type { Dialect } from './condition.js';
import { Connection } from './connection.js';
import { collectingAborts, keepStatements, type Statements as Kept } from './keep-statements.js';
import { Lane } from './lane.js';
import { SharedReads } from './shared-reads.js';
import {
  MysqlStatements,
  SqliteStatements,
  asFailure,
  type MysqlConnection,
  StatementFailed,
  type MysqlPool,
  type Outcome,
  type SqliteDatabase,
  type Statements,
} from './statements.js';

type Migrations = NonNullable<DataSourceOptions['migrations']>;

export function dataSourceOptions(
  target: DatabaseUrl,
  migrations: Migrations,
  poolSize: number,
): DataSourceOptions {
  const common = {
    migrations,
    migrationsTableName: 'migrations',
    synchronize: false,
    logging: false,
  } as const;
  if (target.dialect === 'sqlite') {
    return {
      ...common,
      type: 'better-sqlite3',
      database: target.path,
      enableWAL: true,
      // WAL with NORMAL may lose the last commits at a power cut; a record is a promise.
      prepareDatabase: (db: Kept) => {
        if (collectingAborts(process.versions.node)) keepStatements(db);
        db.pragma('synchronous = FULL');
      },
    };
  }
  return {
    ...common,
    type: 'mysql',
    url: target.url,
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    poolSize,
    connectTimeout: 5_000,
  };
}

/** What bounds a server's statements in MySQL; commands have all the time they need. */
export interface StatementLimits {
  /** 0: none. MySQL ends only what reads, MariaDB everything. */
  readonly seconds: number;
  /** How many may wait for a connection. */
  readonly waiting: number;
}

/** Connections of a pool, and who waits for one. */
export interface PoolState {
  readonly used: number;
  readonly free: number;
  readonly waiting: number;
}

/** One writing lane and one reading connection on SQLite; a pool on MySQL. */
export class Database {
  readonly read: Connection;
  private readonly lane = new Lane();
  private writing: SqliteStatements | undefined;

  private constructor(
    readonly dialect: Dialect,
    private readonly source: DataSource,
    private readonly readSource: DataSource,
  ) {
    const statements =
      dialect === 'mysql'
        ? new MysqlStatements(poolOf(readSource))
        : new SqliteStatements(sqliteOf(readSource));
    this.read = new Connection(statements, dialect, new SharedReads(statements));
  }

  static async open(
    target: DatabaseUrl,
    migrations: Migrations,
    poolSize = 10,
    limits: StatementLimits = { seconds: 0, waiting: 0 },
  ): Promise<Database> {
    const options = dataSourceOptions(target, migrations, poolSize);
    if (target.dialect === 'mysql') {
      const extra = { queueLimit: limits.waiting, maxPreparedStatements: preparedMax };
      const bounded = { ...options, extra } as DataSourceOptions;
      const source = await new DataSource(bounded).initialize();
      await prepareSessions(source, limits.seconds);
      return new Database('mysql', source, source);
    }
    mkdirSync(dirname(target.path), { recursive: true });
    const isNew = !existsSync(target.path);
    const source = await new DataSource(options).initialize();
    if (isNew) chmodSync(target.path, 0o600);
    const readOnly = { ...options, readonly: true, enableWAL: false, migrations: [] } as DataSourceOptions;
    const reader = await new DataSource(readOnly).initialize();
    return new Database('sqlite', source, reader);
  }

  /**
   * All or nothing. On SQLite transactions run one after the other; on MySQL with READ COMMITTED, so that
   * a look inside sees what others have committed. A deadlock or a lost race for a lock runs `work` again.
   */
  async transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    if (this.dialect === 'sqlite') return this.lane.run(() => this.attempt(work));
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.attempt(work);
      } catch (error) {
        if (attempt === attemptsMax || !isLockConflict(error)) throw error;
      }
    }
  }

  /** Undefined on SQLite. */
  get pool(): PoolState | undefined {
    if (this.dialect === 'sqlite') return undefined;
    const pool = poolOf(this.source) as unknown as Partial<PoolQueues>;
    const free = pool._freeConnections?.length ?? 0;
    const waiting = pool._connectionQueue?.length ?? 0;
    return { used: (pool._allConnections?.length ?? 0) - free, free, waiting };
  }

  /** Names of the migrations that this program has and the database lacks. */
  async pendingMigrations(): Promise<string[]> {
    const done = await this.source
      .query<{ name: string }[]>('SELECT name FROM migrations')
      .catch(async () => {
        // No table yet, or no database: only the second is a fault.
        await this.source.query('SELECT 1');
        return [];
      });
    const names = new Set(done.map((row) => row.name));
    return this.source.migrations
      .map((migration) => migration.name ?? migration.constructor.name)
      .filter((name) => !names.has(name));
  }

  async migrate(): Promise<string[]> {
    const done = await this.source.runMigrations({ transaction: 'each' });
    return done.map((migration) => migration.name);
  }

  async close(): Promise<void> {
    if (this.readSource !== this.source) await this.readSource.destroy();
    await this.lane.run(() => this.source.destroy());
  }

  private async attempt<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    const session = this.dialect === 'mysql' ? await mysqlSession(this.source) : this.sqliteSession();
    const bounds = new WhileItLasts(session.statements);
    let isUsable = true;
    try {
      await session.statements.run(session.begin, []);
      const result = await work(new Connection(bounds, this.dialect));
      bounds.end();
      await session.statements.run('COMMIT', []).catch((error: unknown) => {
        throw isLockConflict(error) ? error : new CommitLost('COMMIT was not acknowledged', { cause: error });
      });
      return result;
    } catch (error) {
      bounds.end();
      // A failed roll-back means a lost connection, and that rolls back too; the first error tells more.
      await session.statements.run('ROLLBACK', []).catch(() => (isUsable = false));
      throw error;
    } finally {
      session.end(isUsable);
    }
  }

  /** TypeORM's own transactions are deferred on SQLite, where a second process would make the upgrade fail. */
  private sqliteSession(): Session {
    this.writing ??= new SqliteStatements(sqliteOf(this.source));
    return { statements: this.writing, begin: 'BEGIN IMMEDIATE', end: () => undefined };
  }
}

/**
 * The statements of one transaction. Whatever still runs when it ends, such as a resolver beside the one that
 * failed, must not reach the connection: it may serve another transaction by then, or write outside of any.
 */
class WhileItLasts implements Statements {
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

/** A connection for one transaction. */
interface Session {
  readonly statements: Statements;
  readonly begin: string;
  end(isUsable: boolean): void;
}

/** The driver tells these to nobody else. */
type PoolQueues = Readonly<
  Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { readonly length: number }>
>;

const attemptsMax = 5;
/** Of one connection; the server counts those of all. */
const preparedMax = 200;

const poolOf = (source: DataSource): MysqlPool => (source.driver as unknown as { pool: MysqlPool }).pool;
const sqliteOf = (source: DataSource): SqliteDatabase =>
  (source.driver as unknown as { databaseConnection: SqliteDatabase }).databaseConnection;

async function mysqlSession(source: DataSource): Promise<Session> {
  const connection = await new Promise<MysqlConnection>((resolve, reject) => {
    poolOf(source).getConnection((error, free) => {
      if (error === null || error === undefined) resolve(free);
      else reject(asFailure(error));
    });
  });
  return {
    statements: new MysqlStatements(connection),
    begin: 'START TRANSACTION',
    end: (isUsable) => {
      if (isUsable) connection.release();
      else connection.destroy();
    },
  };
}

/** The connection was lost during COMMIT: the change may have been made or not. */
export class CommitLost extends Error {
  override readonly name = 'CommitLost';
}

/** Thrown inside a transaction that lost a race and would succeed, or find the winner's work, if run again. */
export class RunAgain extends Error {
  override readonly name = 'RunAgain';
}

/** ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD: nothing was changed, the transaction may run again. */
export function isLockConflict(error: unknown): boolean {
  if (error instanceof RunAgain) return true;
  const code = (error as { driverError?: { errno?: number } }).driverError?.errno;
  return code === 1213 || code === 1205 || code === 1020;
}

/** True where the database refused a statement, false where it could not be asked at all. */
export function isStatementFault(error: unknown): boolean {
  const code = (error as { driverError?: { code?: string } }).driverError?.code ?? '';
  return code.startsWith('ER_') || code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_TOOBIG';
}

/** True for a row that a unique key refused. */
export function isDuplicate(error: unknown): boolean {
  const driver = (error as { driverError?: { errno?: number; code?: string } }).driverError;
  return driver?.errno === 1062 || /^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE)$/.test(driver?.code ?? '');
}

const sessionSettings = [
  // A look inside a transaction must see what others have committed.
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  "SET SESSION innodb_lock_wait_timeout = 5, sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
];

/** Strict mode, whatever the server's default: an over-long or misfit value is refused, never cut. */
async function prepareSessions(source: DataSource, statementSeconds: number): Promise<void> {
  const settings = [...sessionSettings, ...(await statementLimit(source, statementSeconds))];
  poolOf(source).on('connection', (connection) => {
    for (const setting of settings) connection.query(setting);
  });
  // The one connection that the pool opened before anyone could listen.
  for (const setting of settings) await source.query(setting);
}

/** The two databases have the same setting under other names and in other units. */
async function statementLimit(source: DataSource, seconds: number): Promise<string[]> {
  if (seconds === 0) return [];
  const [row] = await source.query<{ version: string }[]>('SELECT VERSION() AS version');
  return /mariadb/i.test(row?.version ?? '')
    ? [`SET SESSION max_statement_time = ${String(seconds)}`]
    : [`SET SESSION max_execution_time = ${String(seconds * 1000)}`];
}

import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import type { DatabaseUrl } from '../core/database-url.js';
import type { Dialect } from './condition.js';
import { Connection } from './connection.js';
import { collectingAborts, keepStatements, type Statements } from './keep-statements.js';
import { Lane } from './lane.js';

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
      prepareDatabase: (db: Statements) => {
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

/** One writing lane and one reading connection on SQLite; a pool on MySQL. */
export class Database {
  readonly read: Connection;
  private readonly lane = new Lane();

  private constructor(
    readonly dialect: Dialect,
    private readonly source: DataSource,
    private readonly readSource: DataSource,
  ) {
    this.read = new Connection(readSource.manager, dialect);
  }

  static async open(target: DatabaseUrl, migrations: Migrations, poolSize = 10): Promise<Database> {
    const options = dataSourceOptions(target, migrations, poolSize);
    if (target.dialect === 'mysql') {
      const source = await new DataSource(options).initialize();
      await prepareSessions(source);
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
    const runner = this.source.createQueryRunner();
    try {
      await begin(runner, this.dialect);
      const result = await work(new Connection(runner.manager, this.dialect));
      await runner.query('COMMIT').catch((error: unknown) => {
        throw isLockConflict(error) ? error : new CommitLost('COMMIT was not acknowledged', { cause: error });
      });
      return result;
    } catch (error) {
      // A failed roll-back means a lost connection, and that rolls back too; the first error tells more.
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }
}

const attemptsMax = 5;

/** TypeORM's own transactions are deferred on SQLite, where a second process would make the upgrade fail. */
async function begin(runner: QueryRunner, dialect: Dialect): Promise<void> {
  if (dialect === 'sqlite') {
    await runner.query('BEGIN IMMEDIATE');
    return;
  }
  await runner.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await runner.query('START TRANSACTION');
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

interface Pool {
  on(event: 'connection', listener: (connection: { query(sql: string): unknown }) => void): void;
}

const sessionSettings =
  "SET SESSION innodb_lock_wait_timeout = 5, sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/** Strict mode, whatever the server's default: an over-long or misfit value is refused, never cut. */
async function prepareSessions(source: DataSource): Promise<void> {
  const { pool } = source.driver as unknown as { pool: Pool };
  pool.on('connection', (connection) => {
    connection.query(sessionSettings);
  });
  // The one connection that the pool opened before anyone could listen.
  await source.query(sessionSettings);
}

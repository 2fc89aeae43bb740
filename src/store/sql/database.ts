import type { DatabaseUrl } from '../../core/database-url.js';
import type { CacheState } from '../../core/lru.js';
import type { Dialect } from '../tables/dialect.js';
import { Connection } from './connection.js';
import { describeTables, tableNames, tableVersion, type TableDescription } from './describe-tables.js';
import { SerialQueue } from '../drivers/serial-queue.js';
import { isLockConflict } from '../drivers/lock-conflicts.js';
import {
  dataSourceOptions,
  migrationsTable,
  openMysql,
  openSqlite,
  sqliteOf,
  unlimited,
  type Migrations,
  type OpenSources,
  type StatementLimits,
} from './open-sources.js';
import { againWhileLost } from './running-again.js';
import { SharedReads } from './shared-reads.js';
import { refuseFormerLayout } from './former-layout.js';
import { WhileItLasts, type PoolState, type Sessions } from '../drivers/sessions.js';

/**
 * On SQLite: a serial queue for the one writing connection, and another connection for reads. On MySQL: a
 * pool, and one separate connection for records, so that a record never waits for the operations it is about.
 */
export class Database {
  readonly read: Connection;
  private readonly serialQueue = new SerialQueue();

  private constructor(private readonly opened: OpenSources) {
    this.read = new Connection(
      opened.reading,
      opened.dialect,
      new SharedReads(opened.reading),
      opened.statistics,
    );
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
    return this.opened.dialect;
  }

  /**
   * Commits all changes or none. On SQLite transactions run one at a time. On MySQL they are READ COMMITTED,
   * so that reads inside see what others have committed. After a deadlock or a lost race for a lock, `work`
   * runs again.
   */
  transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.run(this.opened.changes, work);
  }

  /** As `transaction`, for records. On MySQL they run one at a time on a connection reserved for them. */
  recording<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.run(this.opened.records, work);
  }

  /** Undefined on SQLite. */
  get pool(): PoolState | undefined {
    return this.opened.changes.state?.();
  }

  /** Caches of prepared statements in this process. On MySQL the driver has them, per connection. */
  get caches(): Readonly<Record<string, CacheState>> {
    return this.opened.changes.caches ?? {};
  }

  /** The names of this program's migrations that the database lacks. */
  async pendingMigrations(): Promise<string[]> {
    const [source] = this.opened.sources;
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
    return tableNames(this.opened.sources[0]);
  }

  /** Describes those of the named tables that exist. */
  describe(names: readonly string[]): Promise<TableDescription[]> {
    return describeTables(this.opened.sources[0], names);
  }

  /** A text that changes whenever one of the named tables does. */
  tableVersion(names: readonly string[]): Promise<string> {
    return tableVersion(this.opened.sources[0], names);
  }

  /** Runs the pending migrations. Throws `CommandError` where the tables are those of a former layout. */
  async migrate(): Promise<string[]> {
    const [source] = this.opened.sources;
    await refuseFormerLayout(this.read, await this.tableNames());
    const waiting = (ms: number): unknown =>
      this.dialect === 'sqlite' && sqliteOf(source).pragma(`busy_timeout = ${String(ms)}`);
    // TypeORM does not retry, and a migration serves nobody else, so the driver may block here.
    waiting(this.opened.lockMs);
    try {
      const done = await source.runMigrations({ transaction: 'each' });
      return done.map((migration) => migration.name);
    } finally {
      waiting(0);
    }
  }

  async close(): Promise<void> {
    const [first, ...others] = this.opened.sources;
    await this.opened.close();
    for (const source of others) await source.destroy();
    await this.serialQueue.run(() => first.destroy());
  }

  private async run<T>(sessions: Sessions, work: (tx: Connection) => Promise<T>): Promise<T> {
    // Counted from here, so that time in the queue counts too, and no transaction waits longer than the
    // limit.
    const until = performance.now() + this.opened.lockMs;
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

import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { DatabaseUrl } from '../../core/database-url.js';
import { mysqlOptions } from '../drivers/mysql-options.js';
import { ReadingThread } from '../drivers/reading-thread.js';
import { MysqlSessions, SqliteSessions, type Sessions } from '../drivers/sessions.js';
import { sqliteDriver } from '../drivers/sqlite-driver.js';
import type { SqliteDatabase, Statements, TimedStatements } from '../drivers/statements.js';
import type { Dialect } from '../tables/dialect.js';
import { prefixed } from '../tables/table.js';

/**
 * The settings of the connection that writes and mostly also reads (see `SqliteSessions`). A long list from a
 * large table reads rows that lie far apart. The mapped file serves them faster than the page cache, which
 * then only holds pages that are not in the file yet. `mappedBytes` is SQLite's maximum.
 */
const sqliteMemory = { cacheKib: 65_536, mappedBytes: 0x7fff0000 };

export const migrationsTable = prefixed('migrations');

export type Migrations = NonNullable<DataSourceOptions['migrations']>;

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
export const unlimited: StatementLimits = { seconds: 0, waiting: 0, lockSeconds: 60 };

/** The data sources and sessions of an open database, the same for SQLite and MySQL. */
export interface OpenSources {
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

/** Per connection. The server limits the sum over all connections. */
const preparedMax = 400;
/** The driver compiles a function for each set of result columns, and would keep 15,000 of them. */
const parsersMax = 1_000;

export async function openMysql(options: DataSourceOptions, limits: StatementLimits): Promise<OpenSources> {
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

export async function openSqlite(
  options: DataSourceOptions,
  path: string,
  { seconds, lockSeconds }: StatementLimits,
): Promise<OpenSources> {
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

export const sqliteOf = (source: DataSource): SqliteDatabase =>
  (source.driver as unknown as { databaseConnection: SqliteDatabase }).databaseConnection;

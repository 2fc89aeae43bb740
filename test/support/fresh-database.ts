import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { migrations } from '../../migrations/index.js';
import { parseDatabaseUrl } from '../../src/core/database-url.js';
import { sqliteDriver } from '../../src/store/drivers/sqlite-driver.js';
import { Database } from '../../src/store/sql/database.js';
import { memoryFolder } from './memory-folder.js';

export interface FreshDatabase {
  /** As `DATABASE_URL` takes it. */
  readonly url: string;
  drop(): Promise<void>;
}

/** Makes a template for copies. */
export async function migrate({ url }: FreshDatabase): Promise<void> {
  const database = await Database.open(parseDatabaseUrl(url), migrations, 1);
  await database.migrate();
  await database.close();
}

export async function freshSqlite(): Promise<FreshDatabase> {
  const folder = await mkdtemp(join(memoryFolder(), 'behalf-sqlite-'));
  return {
    url: `sqlite:${join(folder, 'behalf.sqlite')}`,
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A new database in that server. */
export async function freshMariaDb(serverUrl: string): Promise<FreshDatabase> {
  const name = `behalf_${randomBytes(8).toString('hex')}`;
  await onMariaDb(serverUrl, (connection) =>
    connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`),
  );
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = (connection: Connection): Promise<unknown> =>
    connection.query(`DROP DATABASE IF EXISTS ${name}`);
  return { url: url.href, drop: () => onMariaDb(serverUrl, drop) };
}

/** As if a fresh file had been migrated: a copy of one that was, with server keys of its own. */
export async function copySqlite(template: string): Promise<FreshDatabase> {
  const fresh = await freshSqlite();
  const path = fresh.url.slice('sqlite:'.length);
  await copyFile(template, path);
  const connection = new (sqliteDriver())(path);
  const setKey = connection.prepare(newKey);
  for (const name of keyNames) setKey.run(randomKey(), name);
  connection.close();
  return fresh;
}

/** As `copySqlite`, from another database of that server. */
export async function copyMariaDb(serverUrl: string, template: string): Promise<FreshDatabase> {
  const fresh = await freshMariaDb(serverUrl);
  await onMariaDb(fresh.url, async (connection) => {
    const [tables] = await connection.query<RowDataPacket[]>(
      'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
      [template],
    );
    const copies = tables.flatMap(({ name }) => [
      `CREATE TABLE ${String(name)} LIKE ${template}.${String(name)}`,
      `INSERT INTO ${String(name)} SELECT * FROM ${template}.${String(name)}`,
    ]);
    await connection.query(copies.join(';'));
    for (const name of keyNames) await connection.query(newKey, [randomKey(), name]);
  });
  return fresh;
}

/** As the migration makes them. */
const keyNames = ['cursors', 'digests', 'providers'];
const newKey = 'UPDATE behalf_server_keys SET value = ? WHERE name = ?';
const randomKey = (): string => randomBytes(32).toString('base64url');

async function onMariaDb(url: string, work: (connection: Connection) => Promise<unknown>): Promise<void> {
  const connection = await createConnection({ uri: url, multipleStatements: true });
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}

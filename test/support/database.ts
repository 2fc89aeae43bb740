import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { inject } from 'vitest';
import { parseDatabaseUrl, type DatabaseUrl } from '../../src/core/database-url.js';
import type {} from './mariadb-setup.js';

export type TestDatabase = 'sqlite' | 'mariadb';

export interface FreshDatabase {
  /** As `DATABASE_URL` takes it. */
  readonly url: string;
  drop(): Promise<void>;
}

/** The database kind of this test run. */
export function testDatabase(): TestDatabase {
  const name = process.env.BEHALF_TEST_DATABASE;
  if (name === 'sqlite' || name === 'mariadb') return name;
  throw new Error('Only tests below test/promises and test/parts have a database.');
}

/** A new, empty database. */
export async function freshDatabaseUrl(): Promise<FreshDatabase> {
  return testDatabase() === 'sqlite' ? freshSqlite() : freshMariaDb(inject('mariaDbUrl'));
}

/** The URL of a test's database, parsed. */
export const targetOf = (url: string): DatabaseUrl => parseDatabaseUrl(url);

async function freshSqlite(): Promise<FreshDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-sqlite-'));
  return {
    url: `sqlite:${join(folder, 'behalf.sqlite')}`,
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A new database in that server. */
export async function freshMariaDb(serverUrl: string): Promise<FreshDatabase> {
  const name = `behalf_${randomBytes(8).toString('hex')}`;
  await run(serverUrl, `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(serverUrl, `DROP DATABASE IF EXISTS ${name}`) };
}

async function run(serverUrl: string, statement: string): Promise<void> {
  const connection = await createConnection(serverUrl);
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

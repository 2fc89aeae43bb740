import { inject } from 'vitest';
import { parseDatabaseUrl, type DatabaseUrl } from '../../src/core/database-url.js';
import type { TestDatabase } from './declared-databases.js';
import { copyMariaDb, copySqlite, freshMariaDb, freshSqlite, type FreshDatabase } from './fresh-database.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The migrated file that the tests of the `sqlite` project copy. */
    readonly sqliteTemplate: string;
    /** The server that the tests of the `mariadb` project share. */
    readonly mariaDbUrl: string;
    /** The migrated database of that server. */
    readonly mariaDbTemplate: string;
  }
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

/** As if a fresh database had been migrated: a copy of one that was, with server keys of its own. */
export async function migratedDatabaseUrl(): Promise<FreshDatabase> {
  return testDatabase() === 'sqlite'
    ? copySqlite(inject('sqliteTemplate'))
    : copyMariaDb(inject('mariaDbUrl'), inject('mariaDbTemplate'));
}

/** The URL of a test's database, parsed. */
export const targetOf = (url: string): DatabaseUrl => parseDatabaseUrl(url);

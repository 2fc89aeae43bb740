import type { TestProject } from 'vitest/node';
import { freshMariaDb, migrate } from './fresh-database.js';
import { forgetful, mariaDbUnavailable, startMariaDb } from './mariadb.js';
import { memoryFolder } from './memory-folder.js';

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const url = process.env.BEHALF_TEST_MYSQL_URL;
  if (url !== undefined) return provide(project, url);
  const unavailable = mariaDbUnavailable();
  if (unavailable !== undefined) {
    if (process.env.BEHALF_TEST_REQUIRE_DATABASES === '1') throw new Error(unavailable);
    console.warn(`Tests on MariaDB are skipped: ${unavailable}, or set BEHALF_TEST_MYSQL_URL.`);
    return undefined;
  }
  const server = await startMariaDb(forgetful, memoryFolder());
  await provide(project, server.url);
  return () => server.stop();
}

/** The server, and one migrated database in it, which each test copies. */
async function provide(project: TestProject, serverUrl: string): Promise<() => Promise<void>> {
  const template = await freshMariaDb(serverUrl);
  await migrate(template);
  project.provide('mariaDbUrl', serverUrl);
  project.provide('mariaDbTemplate', new URL(template.url).pathname.slice(1));
  return () => template.drop();
}

import type { TestProject } from 'vitest/node';
import { mariaDbMissing, startMariaDb } from './mariadb.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that the tests of the `mariadb` project share. */
    readonly mariaDbUrl: string;
  }
}

/** Why the `mariadb` project cannot run here; undefined when it can. */
export function mariaDbUnavailable(): string | undefined {
  return process.env.BEHALF_TEST_MYSQL_URL === undefined ? mariaDbMissing() : undefined;
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const url = process.env.BEHALF_TEST_MYSQL_URL;
  if (url !== undefined) {
    project.provide('mariaDbUrl', url);
    return undefined;
  }
  const unavailable = mariaDbUnavailable();
  if (unavailable !== undefined) {
    if (process.env.BEHALF_TEST_REQUIRE_DATABASES === '1') throw new Error(unavailable);
    console.warn(`Tests on MariaDB are skipped: ${unavailable}, or set BEHALF_TEST_MYSQL_URL.`);
    return undefined;
  }
  const server = await startMariaDb();
  project.provide('mariaDbUrl', server.url);
  return () => server.stop();
}

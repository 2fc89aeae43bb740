import { defineConfig } from 'vitest/config';
import { filesOn, type TestDatabase } from './test/support/declared-databases.js';
import { mariaDbUnavailable } from './test/support/mariadb.js';

/** BEHALF_TEST_DATABASES=mariadb leaves SQLite out, and the other way round. */
const databases = (process.env.BEHALF_TEST_DATABASES ?? 'sqlite,mariadb').split(',');

const onDatabase = (name: TestDatabase, options: object) => ({
  extends: true as const,
  test: {
    name,
    include: filesOn(name),
    env: { BEHALF_TEST_DATABASE: name },
    ...options,
  },
});

const sqlite = onDatabase('sqlite', { globalSetup: ['test/support/sqlite-setup.ts'] });
const mariadb = onDatabase('mariadb', {
  globalSetup: ['test/support/mariadb-setup.ts'],
  ...(mariaDbUnavailable() !== undefined && { runner: './test/support/skip-all.ts' }),
});

export default defineConfig({
  // As Node itself resolves it: a bundler's choice would be a second instance beside that of the libraries.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    pool: 'forks',
    // A file's modules are loaded once for each worker: nothing patches a module, and what a file stands in for is undone.
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    setupFiles: ['test/support/each-file.ts'],
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{promises,parts}/**', '**/node_modules/**'],
        },
      },
      ...[sqlite, mariadb].filter((project) => databases.includes(project.test.name)),
    ],
  },
});

// Kills the server under load, round after round, on each database: `npm run test:crash [-- --rounds 50 --database sqlite]`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, database: { type: 'string' } },
});
if (!/^[1-9]\d{0,3}$/.test(values.rounds)) throw new Error('--rounds must be a whole number from 1 to 9999.');
if (!['sqlite', 'mariadb', undefined].includes(values.database)) {
  throw new Error('--database is sqlite or mariadb; both, unless said.');
}

const root = join(import.meta.dirname, '..', '..');
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    'test/parts/crash.test.ts',
    '--reporter=verbose',
    '--disable-console-intercept',
    // One database after the other, so that neither waits for the other's load.
    '--no-file-parallelism',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      BEHALF_TEST_CRASH_ROUNDS: values.rounds,
      BEHALF_TEST_DATABASES: values.database ?? 'sqlite,mariadb',
      BEHALF_TEST_REQUIRE_DATABASES: '1',
    },
  },
);
process.exitCode = status ?? 1;

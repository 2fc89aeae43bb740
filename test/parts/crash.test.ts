// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Crashes } from '../support/crash.js';
import { freshDatabaseUrl, testDatabase } from '../support/database.js';
import { freshMariaDb, type FreshDatabase } from '../support/fresh-database.js';
import { startMariaDb } from '../support/mariadb.js';
import { memoryFolder } from '../support/memory-folder.js';

/** `npm run test:crash` asks for more. */
const rounds = Number(process.env.BEHALF_TEST_CRASH_ROUNDS ?? 2);
const tell = process.env.BEHALF_TEST_CRASH_ROUNDS === undefined ? () => undefined : console.log;
const timeoutMs = 60_000 + rounds * 20_000;

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabaseUrl();
});
afterAll(() => database.drop());

test(
  'a server that is killed under load: every response has its record, every change one, every record its change',
  { timeout: timeoutMs },
  async () => {
    const crashes = await Crashes.start(database.url);
    for (let round = 1; round <= rounds; round += 1) {
      await crashes.round();
      const { faults, ...figures } = await crashes.figures();
      tell(
        `${testDatabase()}, round ${String(round)} of ${String(rounds)}: ${JSON.stringify({ ...figures, faults: faults.length })}`,
      );
      expect(faults).toEqual([]);
    }
    expect(crashes.refused).toEqual([]);
    await crashes.stop();
  },
);

if (testDatabase() === 'mariadb') {
  test(
    'a database that is killed under load: the same, and the server goes on by itself',
    { timeout: timeoutMs },
    async () => {
      const mariaDb = await startMariaDb([], memoryFolder());
      try {
        const crashes = await Crashes.start((await freshMariaDb(mariaDb.url)).url);
        await crashes.databaseRound(mariaDb);
        const { faults, ...figures } = await crashes.figures();
        tell(
          `MariaDB killed: ${JSON.stringify({ ...figures, faults: faults.length, refused: crashes.refused })}`,
        );
        expect(faults).toEqual([]);
        await crashes.stop();
      } finally {
        await mariaDb.stop();
      }
    },
  );
}

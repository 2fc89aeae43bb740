// databases: mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { RunAgain } from '../../src/store/drivers/lock-conflicts.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import { Database } from '../../src/store/sql/database.js';
import { authorityEpoch } from '../../src/store/tables/identity.js';
import { migratedDatabaseUrl, targetOf } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';

// Transactions of SQLite run alone, so none loses to another.
let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await migratedDatabaseUrl();
  database = await Database.open(targetOf(fresh.url), migrations);
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

const mark = (tx: Connection, tokenGeneration: number): Promise<number> =>
  tx.update(authorityEpoch, eq('id', 1), { tokenGeneration });
const marked = async (): Promise<number | undefined> =>
  (await database.read.one(authorityEpoch, eq('id', 1)))?.tokenGeneration;

test('a transaction that loses again and again runs until it wins', async () => {
  let runs = 0;
  await database.transaction(async (tx) => {
    runs += 1;
    await mark(tx, runs);
    if (runs < 12) throw new RunAgain('lost');
  });
  expect(await marked()).toBe(12);
});

test('a transaction that always loses ends with an error that says so, and changes nothing', async () => {
  const before = await marked();
  const losing = database.transaction(async (tx) => {
    await mark(tx, 99);
    throw new RunAgain('lost');
  });
  await expect(losing).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 'load' } });
  expect(await marked()).toBe(before);
});

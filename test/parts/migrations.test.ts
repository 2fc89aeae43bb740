import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Indexer } from '../../src/audit/indexer.js';
import { all } from '../../src/store/sql/condition.js';
import { Database, dataSourceOptions } from '../../src/store/sql/database.js';
import { auditUnindexed } from '../../src/store/tables/audit.js';
import { freshDatabaseUrl, targetOf } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { misfound, recordsOf } from '../support/records.js';
import { TestServer } from '../support/server.js';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabaseUrl();
});
afterAll(() => fresh.drop());

/** Takes migrations back until this one has gone too. */
async function undo(name: string): Promise<void> {
  const source = await new DataSource(dataSourceOptions(targetOf(fresh.url), migrations, 1)).initialize();
  const isDone = async (): Promise<boolean> =>
    (await source.query<unknown[]>(`SELECT 1 FROM migrations WHERE name = '${name}'`)).length > 0;
  while (await isDone()) await source.undoLastMigration();
  await source.destroy();
}

test('the index of records is made anew after its migration was taken back and run again, and no record changes', async () => {
  const server = await TestServer.start({}, {}, { databaseUrl: fresh.url });
  const person = await server.person({ scopes: ['customers:read', 'orders:read'] });
  const agent = await server.agent(person, { scopes: ['customers:read', 'orders:read'] });
  for (const token of [person.token, agent.token, agent.token])
    expect((await server.query(token, '{ customers { nodes { id } } }')).errors).toEqual([]);
  const before = await recordsOf(server.database);
  expect(before).toHaveLength(3);
  await server.stop();

  await undo('AuditIndex1700000000010');
  const database = await Database.open(targetOf(fresh.url), migrations);
  try {
    expect(await database.pendingMigrations()).toContain('AuditIndex1700000000010');
    await database.migrate();
    expect(await recordsOf(database)).toEqual(before);
    expect(await database.read.count(auditUnindexed)).toBe(3);
    expect(await misfound(database)).toEqual([]);
    await new Indexer(database, { error: (line: unknown) => expect.unreachable(JSON.stringify(line)) }).run();
    expect(await database.read.select(auditUnindexed, all())).toEqual([]);
    expect(await misfound(database)).toEqual([]);
  } finally {
    await database.close();
  }
});

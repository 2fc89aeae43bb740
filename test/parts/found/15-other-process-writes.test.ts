// databases: sqlite, mariadb
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { migrations } from '../../../migrations/index.js';
import { mysqlOptions } from '../../../src/store/drivers/mysql-options.js';
import { auditRecords } from '../../../src/store/tables/audit.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { Database } from '../../../src/store/sql/database.js';
import { ticketMessages } from '../../../src/domains/business/tables.js';
import { BusinessRows } from '../../support/business.js';
import { targetOf, testDatabase } from '../../support/database.js';
import { LockHolder } from '../../support/lock-holder.js';
import { TestServer, type Answer } from '../../support/server.js';

const scopes = ['customers:read', 'tickets:read', 'tickets:reply'];

let server: TestServer;
let token: string;
let ticketId: string;

async function start(env: Record<string, string> = {}): Promise<void> {
  server = await TestServer.start({}, env);
  const rows = new BusinessRows(server);
  ticketId = (await rows.ticket('T-1', await rows.customer('C-1', 'europe'))).id;
  ({ token } = await server.person({ scopes }));
}
afterEach(() => server.stop());

const reads = (): Promise<Answer> => server.query(token, '{ tickets { nodes { number } } }');
const reply = (key: string): Promise<Answer> =>
  server.query(
    token,
    `mutation { replyToTicket(ticketId: "${ticketId}", body: "Hello", idempotencyKey: "${key}") { message { id } } }`,
  );

/** Somebody else is inside a transaction that has written. */
async function otherWrites(): Promise<{ release(): Promise<void> }> {
  const target = targetOf(server.databaseUrl);
  if (target.dialect === 'sqlite') return LockHolder.hold(server.databaseUrl);
  const connection = await createConnection({ ...mysqlOptions(target) });
  await connection.query('START TRANSACTION');
  await connection.query('UPDATE behalf_tickets SET version = version');
  return {
    release: async () => {
      await connection.query('ROLLBACK');
      await connection.end();
    },
  };
}

describe('15 while another process writes, nobody is held up who does not have to be', () => {
  beforeEach(() => start());

  test('health, readiness and metadata answer, and what has to wait is answered when the other is done', async () => {
    const other = await otherWrites();
    let waiting = 3;
    const answers = [reads(), reply('a'), reply('b')].map((asked) => asked.finally(() => (waiting -= 1)));
    for (const path of ['/healthz', '/readyz', '/.well-known/oauth-authorization-server', '/metrics'])
      expect([path, (await fetch(`${server.url}${path}`)).status]).toEqual([path, 200]);
    // On SQLite the record of a read is a change, too, and waits with the mutations.
    expect(waiting).toBeGreaterThanOrEqual(testDatabase() === 'sqlite' ? 3 : 2);
    await other.release();
    for (const answer of await Promise.all(answers)) expect(answer.errors).toEqual([]);
    expect(await server.database.read.count(ticketMessages)).toBe(2);
  });

  test('statements that only read are answered at once', async () => {
    const other = await otherWrites();
    try {
      expect(await server.app.database.read.count(ticketMessages)).toBe(0);
      expect(await server.app.database.pendingMigrations()).toEqual([]);
    } finally {
      await other.release();
    }
  });
});

const onSqlite = (): void => {
  test('transactions that come together wait outside of the driver, and run in the order in which they came', async () => {
    await start();
    const other = await otherWrites();
    const order: number[] = [];
    const commands = await Database.open(targetOf(server.databaseUrl), migrations);
    const runs = [1, 2, 3, 4].map((number) =>
      commands.transaction(() => {
        order.push(number);
        return Promise.resolve();
      }),
    );
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(order).toEqual([]);
    await other.release();
    await Promise.all(runs);
    expect(order).toEqual([1, 2, 3, 4]);
    await commands.close();
  });

  test('the driver itself waits for nobody, on no connection', async () => {
    await start();
    const waits = 'PRAGMA busy_timeout';
    const { database } = server.app;
    expect(await database.read.query(waits)).toEqual([{ timeout: 0 }]);
    await database.transaction(async (tx) => {
      expect(await tx.query(waits)).toEqual([{ timeout: 0 }]);
      // While a transaction is under way, reads have a connection of their own.
      expect(await database.read.query(waits)).toEqual([{ timeout: 0 }]);
    });
  });

  test('a command that has waited long enough says who it waited for, and does nothing', async () => {
    await start();
    const other = await otherWrites();
    const impatient = { seconds: 0, waiting: 0, lockSeconds: 0 };
    const commands = await Database.open(targetOf(server.databaseUrl), migrations, 1, impatient);
    let hasBegun = false;
    const waiting = commands.transaction(() => Promise.resolve((hasBegun = true)));
    await expect(waiting).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 'load' } });
    expect(hasBegun).toBe(false);
    await other.release();
    await commands.close();
  });

  test('who has waited for as long as an operation may take is told that it is no fault of theirs, and nothing is changed', async () => {
    await start({ BEHALF_OPERATION_SECONDS: '1' });
    const other = await otherWrites();
    const [read, changed] = await Promise.all([reads(), reply('a')]);
    expect([read.status, read.errors[0]?.extensions.code]).toEqual([503, 'AUDIT_UNAVAILABLE']);
    expect(changed.status).toBe(503);
    expect(['LIMIT_EXCEEDED', 'AUDIT_UNAVAILABLE']).toContain(changed.errors[0]?.extensions.code);
    expect([read.data, changed.data]).toEqual([undefined, undefined]);
    await other.release();
    expect(await server.database.read.count(ticketMessages)).toBe(0);
    expect((await reply('a')).errors).toEqual([]);
    expect(await server.database.read.select(auditRecords, all(eq('outcome', 'succeeded')))).toHaveLength(1);
  });

  test('one long transaction after the other leaves room for those of others', async () => {
    await start();
    const [mine, others] = [server.database, await Database.open(targetOf(server.databaseUrl), migrations)];
    const order: string[] = [];
    const now = performance.now.bind(performance);
    let aheadMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
    const noted = (name: string) => () => Promise.resolve(order.push(name));
    let theirs: Promise<unknown> = Promise.resolve();
    const first = mine.transaction(async () => {
      theirs = others.transaction(noted('theirs'));
      // They have looked, and look again and again.
      await nextTurn();
      aheadMs += 60;
      order.push('first');
    });
    await Promise.all([first, mine.transaction(noted('second'))]);
    await theirs;
    expect(order).toEqual(['first', 'theirs', 'second']);
    await others.close();
  });
};

if (testDatabase() === 'sqlite') describe('15 SQLite is never waited for inside the driver', onSqlite);

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock, type Clock } from '../../../src/core/clock.js';
import { Connection } from '../../../src/store/sql/connection.js';
import { ReadingThread } from '../../../src/store/drivers/reading-thread.js';
import { SqliteStatements } from '../../../src/store/drivers/statements.js';
import { BusinessRows, startBusiness } from '../../support/business.js';
import { testDatabase } from '../../support/database.js';
import type { TestServer } from '../../support/server.js';
import { statementsOf } from '../../support/statements.js';

let aheadMs = 0;
const clock: Clock = { now: () => systemClock.now() + aheadMs };

let server: TestServer;
let analyst: string;

beforeAll(async () => {
  server = await startBusiness({ clock }, { BEHALF_OPERATION_COST_MAX: '1000000' });
  const rows = new BusinessRows(server);
  const product = await rows.product('M');
  for (const at of [0, 1, 2, 3]) {
    const customer = await rows.customer(`C-${at}`, 'europe');
    for (const year of ['2023', '2024', '2025']) {
      const order = await rows.order(`O-${at}-${year}`, customer, {
        placedAt: `${year}-05-0${at + 1}T10:00:00.000Z`,
      });
      await rows.line(order, product);
    }
  }
  analyst = (await server.person({ scopes: ['analytics:sales', 'analytics:tickets'] })).token;
});
afterAll(() => server.stop());

const field = (alias: string, from: string, name = 'salesByCategory'): string =>
  `${alias}: ${name}(from: "${from}", to: "2026-01-01T00:00:00Z", bucket: QUARTER) { period suppressed }`;

const grouping = (statements: readonly string[]): number =>
  statements.filter((sql) => sql.includes(' GROUP BY ')).length;

/** Fifty times of their own over the same years. */
const fifty = Array.from({ length: 50 }, (_, at) =>
  field(`a${at}`, `2023-0${1 + (at % 9)}-${String(10 + (at % 18))}T00:00:00Z`),
);

describe('13 statistics share equal work within an operation, and take their turn', () => {
  test('fifty aliases over the same years look at the rows as often as one', async () => {
    const one = await statementsOf(() => server.query(analyst, `{ ${field('a', '2023-01-01T00:00:00Z')} }`));
    const all = await statementsOf(async () => {
      const answer = await server.query(analyst, `{ ${fifty.join('\n')} }`);
      expect(answer.errors).toEqual([]);
      expect(Object.keys(answer.data as object)).toHaveLength(50);
    });
    expect(grouping(one)).toBe(3 * 6);
    expect(grouping(all)).toBe(grouping(one));
  });

  test('an operation has one of these statements under way, however many it asks for', async () => {
    let [running, most] = [0, 0];
    const aggregate = Object.getOwnPropertyDescriptor(Connection.prototype, 'aggregate')
      ?.value as Connection['aggregate'];
    const spy = vi.spyOn(Connection.prototype, 'aggregate').mockImplementation(async function (
      this: Connection,
      ...args
    ) {
      running += 1;
      most = Math.max(most, running);
      try {
        return await aggregate.apply(this, args);
      } finally {
        running -= 1;
      }
    });
    try {
      const names = ['salesByPeriod', 'salesByRegion', 'salesByCategory'];
      const fields = names.map((name) => field(name, '2023-01-01T00:00:00Z', name));
      expect((await server.query(analyst, `{ ${fields.join('\n')} }`)).errors).toEqual([]);
      expect(spy.mock.calls.length).toBeGreaterThan(3 * 12);
    } finally {
      spy.mockRestore();
    }
    expect(most).toBe(1);
  });

  test('the operation’s deadline ends them: nothing more is asked', async () => {
    const aggregate = Object.getOwnPropertyDescriptor(Connection.prototype, 'aggregate')
      ?.value as Connection['aggregate'];
    const spy = vi.spyOn(Connection.prototype, 'aggregate').mockImplementation(async function (
      this: Connection,
      ...args
    ) {
      const rows = await aggregate.apply(this, args);
      aheadMs += 20_000;
      return rows;
    });
    try {
      const answer = await server.query(analyst, `{ ${fifty.join('\n')} }`);
      expect(new Set(answer.errors.map((error) => error.extensions.limit))).toEqual(new Set(['time']));
      expect(answer.errors[0]?.extensions.code).toBe('LIMIT_EXCEEDED');
      expect(spy.mock.calls.length).toBe(2);
    } finally {
      spy.mockRestore();
    }
  });

  test('a statement that is under way ends at the deadline too', async () => {
    const connection = server.app.database.read;
    const names = Array.from({ length: 8 }, (_, at) => `o${at}`);
    const rows = names.map((name) => `behalf_orders ${name}`).join(' CROSS JOIN ');
    const counted = connection.dialect === 'sqlite' ? 'behalf_step(o7.rowid)' : '1 = 1';
    const lengths = names.map((name) => `LENGTH(${name}.number)`).join(' + ');
    // More than four hundred million rows, each of which has to be looked at.
    const sql = `SELECT COUNT(*) AS n FROM ${rows} WHERE ${counted} AND ${lengths} < 0`;
    await expect(connection.aggregate(sql, [], 20)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 'time' },
    });
  });

  test('each year counts in the cost, so that not everything goes into one operation', async () => {
    const agent = await server.agent(await server.person({ scopes: ['analytics:sales'] }), {
      scopes: ['analytics:sales'],
      operationCost: 50_000,
    });
    const decade = Array.from({ length: 10 }, (_, at) => field(`a${at}`, '2016-01-01T00:00:00Z'));
    const statements = await statementsOf(async () => {
      const answer = await server.query(agent.token, `{ ${decade.join('\n')} }`);
      expect(answer.errors[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
      expect(answer.data).toBeUndefined();
    });
    expect(grouping(statements)).toBe(0);
    const one = await server.query(agent.token, `{ ${decade[0]} }`);
    expect(one.errors).toEqual([]);
  });
});

const onSqlite = (): void => {
  /** What the event loop waits for, and what the reading threads are sent. */
  async function sent(work: () => Promise<unknown>): Promise<{ here: string[]; inThread: string[] }> {
    const [here, inThread] = [
      vi.spyOn(SqliteStatements.prototype, 'run'),
      vi.spyOn(ReadingThread.prototype, 'run'),
    ];
    try {
      await work();
      const texts = (calls: readonly (readonly unknown[])[]): string[] => calls.map(([sql]) => String(sql));
      return { here: texts(here.mock.calls), inThread: texts(inThread.mock.calls) };
    } finally {
      here.mockRestore();
      inThread.mockRestore();
    }
  }

  test('every one of these statements is read in a thread of its own', async () => {
    const { here, inThread } = await sent(() =>
      server.query(analyst, `{ ${field('a', '2023-01-01T00:00:00Z')} }`),
    );
    expect(grouping(here)).toBe(0);
    expect(grouping(inThread)).toBe(3 * 6);
  });

  const orders = (tables: number): string =>
    Array.from({ length: tables }, (_, at) => `behalf_orders ${at === 0 ? 't' : `o${String(at)}`}`).join(
      ' CROSS JOIN ',
    );
  /** Twelve to the power of four rows. */
  const large = `SELECT COUNT(*) AS n FROM ${orders(4)} WHERE behalf_step(t.rowid + o3.rowid)`;

  test('any other statement that looks at too many rows begins again in a thread, and later begins there', async () => {
    const { read } = server.app.database;
    for (const times of [1, 0]) {
      const { here, inThread } = await sent(async () => {
        expect(await read.query(large)).toEqual([{ n: 12 ** 4 }]);
      });
      expect([here.length, inThread.length]).toEqual([times, 1]);
    }
  });

  test('a change that looks at too many rows is refused', async () => {
    const more = `SELECT COUNT(*) AS n FROM ${orders(5)} WHERE behalf_step(t.rowid + o4.rowid)`;
    await expect(server.app.database.transaction((tx) => tx.query(more))).rejects.toMatchObject({
      code: 'QUERY_TOO_COMPLEX',
    });
  });
};

if (testDatabase() === 'sqlite')
  describe('13 what looks at many rows does not hold the event loop', onSqlite);

// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Consumer } from '../../src/audit/outbox/consumer.js';
import { Outbox } from '../../src/audit/outbox/outbox.js';
import { placeRecords } from '../../src/audit/outbox/sequencer.js';
import { all, eq } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import type { Database } from '../../src/store/sql/database.js';
import { auditCursors, auditOutbox, auditSequence, auditSetAside } from '../../src/store/tables/audit.js';
import { testDatabase } from '../support/database.js';
import { volume } from '../support/volume.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let database: Database;

beforeAll(async () => {
  server = await TestServer.start({ indexEveryMs: 86_400_000 });
  database = server.database;
  await change('CREATE TABLE handled (n INTEGER, consumer VARCHAR(20), record_id VARCHAR(26))');
  // Handling a record twice would be an error.
  await change('CREATE UNIQUE INDEX once ON handled (consumer, record_id)');
});
afterAll(() => server.stop());

const change = (sql: string, params: readonly unknown[] = []): Promise<number> =>
  database.transaction((tx) => tx.affecting(sql, params));

beforeEach(async () => {
  const queues = [auditOutbox, auditSequence, auditCursors, auditSetAside].map(({ name }) => name);
  for (const table of ['handled', ...queues]) await change(`DELETE FROM ${table}`);
  await database.transaction((tx) =>
    tx.insert(
      auditCursors,
      ['sequencer', 'index', 'export'].map((consumer) => ({ consumer, position: 0 })),
    ),
  );
});

class Faulty extends Error {}
const quiet = { error: () => undefined };

/** Writes down what it handles, in the transaction in which it handles it. */
const consumer = (name: string, fault: (id: string) => Error | undefined = () => undefined): Consumer => ({
  name,
  async handle(tx, ids) {
    for (const id of ids) {
      const error = fault(id);
      if (error !== undefined) throw error;
      await tx.affecting(
        'INSERT INTO handled (n, consumer, record_id) SELECT COUNT(*), ?, ? FROM handled WHERE consumer = ?',
        [name, id, name],
      );
    }
    return ids.length;
  },
  isFaulty: (error): error is Error => error instanceof Faulty,
});

const outbox = (...consumers: readonly Consumer[]): Outbox => new Outbox(database, consumers, quiet);
const enqueue = (tx: Connection, ids: readonly string[]): Promise<void> =>
  tx.insert(
    auditOutbox,
    ids.map((recordId) => ({ recordId })),
  );
const write = (...ids: string[]): Promise<void> => database.transaction((tx) => enqueue(tx, ids));
const handledBy = async (name: string): Promise<unknown[]> =>
  (await database.read.query('SELECT record_id FROM handled WHERE consumer = ? ORDER BY n', [name])).map(
    (row) => row.record_id,
  );
const positionOf = async (name: string): Promise<number | undefined> =>
  (await database.read.one(auditCursors, eq('consumer', name)))?.position;

describe('the outbox', () => {
  test('hands every record to every consumer once, in one order, in whatever order records are committed', async () => {
    const commits = fc.array(
      fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 30 }),
      {
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(commits, fc.array(fc.boolean(), { maxLength: 8 }), async (batches, runs) => {
        for (const table of ['handled', auditSequence.name]) await change(`DELETE FROM ${table}`);
        const written = new Set<string>();
        const both = outbox(consumer('index'), consumer('export'));
        for (const [at, numbers] of batches.entries()) {
          const ids = numbers.map((n) => `R${String(n)}`).filter((id) => !written.has(id));
          for (const id of ids) written.add(id);
          await write(...ids);
          if (runs[at] === true) await outbox(consumer('export')).run();
        }
        await both.run();
        const order = await handledBy('index');
        expect([...order].sort()).toEqual([...written].sort());
        expect(await handledBy('export')).toEqual(order);
        expect(await database.read.count(auditSequence)).toBe(0);
        expect(both.waiting('index')).toBe(0);
      }),
      { numRuns: volume(200) },
    );
  });

  test('keeps a record until the slowest consumer has passed it', async () => {
    await write('A', 'B');
    await outbox(consumer('index')).run();
    expect(await database.read.count(auditSequence)).toBe(2);
    await write('C');
    await outbox(consumer('export')).run();
    expect((await database.read.select(auditSequence, all())).map(({ recordId }) => recordId)).toEqual(['C']);
    await outbox(consumer('index')).run();
    expect(await handledBy('index')).toEqual(['A', 'B', 'C']);
    expect(await database.read.count(auditSequence)).toBe(0);
  });

  test('a consumer that fails holds up no other, loses nothing, and says so', async () => {
    await write('A', 'B');
    let isDown = true;
    const failing = consumer('index', () => (isDown ? new Error('down') : undefined));
    const both = outbox(failing, consumer('export'));
    await expect(both.run()).rejects.toThrow('down');
    expect(await handledBy('export')).toEqual(['A', 'B']);
    expect([await positionOf('index'), both.waiting('index')]).toEqual([0, 2]);
    isDown = false;
    await both.run();
    expect(await handledBy('index')).toEqual(['A', 'B']);
  });

  test('work and cursor are committed together or not at all', async () => {
    await write('A', 'B', 'C');
    const dying = {
      read: database.read,
      transaction: <T>(work: (tx: Connection) => Promise<T>): Promise<T> =>
        database.transaction(async (tx) => {
          const result = await work(tx);
          if ((await tx.query('SELECT 1 FROM handled')).length > 0) throw new Error('dies here');
          return result;
        }),
    };
    await expect(new Outbox(dying, [consumer('export')], quiet).run()).rejects.toThrow('dies here');
    expect([await handledBy('export'), await positionOf('export')]).toEqual([[], 0]);
    await outbox(consumer('export')).run();
    expect(await handledBy('export')).toEqual(['A', 'B', 'C']);
  });

  test('replicas that run at the same moment handle each record once', async () => {
    const ids = Array.from({ length: 700 }, (_, n) => `R${String(n).padStart(4, '0')}`);
    await write(...ids);
    // On SQLite, the writers of one process share a queue.
    const databases = testDatabase() === 'sqlite' ? [database, database] : [database, server.app.database];
    const replicas = databases.map((one) => new Outbox(one, [consumer('index'), consumer('export')], quiet));
    await Promise.all(replicas.map((replica) => replica.run()));
    await replicas[0]?.run();
    for (const name of ['index', 'export']) expect(await handledBy(name)).toEqual(ids);
  });

  test('a record at fault is passed with the next one that can be handled, and tried again by the next process', async () => {
    let isBad = true;
    const fault = (id: string): Error | undefined =>
      isBad && id.startsWith('X') ? new Faulty(id) : undefined;
    const told: unknown[] = [];
    const picky = new Outbox(database, [consumer('export', fault)], {
      error: (line: unknown) => told.push(line),
    });
    await write('X1', 'X2');
    // Nothing else could be handled, so the fault may be anything.
    await expect(picky.run()).rejects.toThrow('X1');
    expect([await positionOf('export'), await database.read.count(auditSetAside)]).toEqual([0, 0]);
    await write('Z');
    await picky.run();
    await picky.run();
    expect([await handledBy('export'), await positionOf('export')]).toEqual([['Z'], 3]);
    expect(told).toMatchObject([{ operationId: 'X1' }, { operationId: 'X2' }]);
    expect(picky.waiting('export')).toBe(2);
    isBad = false;
    await outbox(consumer('export', fault)).run();
    expect((await handledBy('export')).sort()).toEqual(['X1', 'X2', 'Z']);
    expect(await database.read.count(auditSetAside)).toBe(0);
  });

  test('a replica that finds a record faulty never moves the cursor back over what another replica handled', async () => {
    await write('A', 'X');
    const old = consumer('export', (id) => (id === 'X' ? new Faulty(id) : undefined));
    let transactions = 0;
    const slow = {
      read: database.read,
      transaction: async <T>(work: (tx: Connection) => Promise<T>): Promise<T> => {
        transactions += 1;
        // The positions, both records, A alone, and X alone, which is faulty.
        if (transactions === 5) {
          await write('Z');
          await outbox(consumer('export')).run();
        }
        return database.transaction(work);
      },
    };
    const told: unknown[] = [];
    await new Outbox(slow, [old], { error: (line: unknown) => told.push(line) }).run();
    expect(transactions).toBeGreaterThan(5);
    expect([await positionOf('export'), told]).toEqual([3, []]);
    expect(await database.read.count(auditSetAside)).toBe(0);
    expect(await handledBy('export')).toEqual(['A', 'X', 'Z']);
  });

  test('a fault of its own tables is not taken for a fault of a record', async () => {
    await write('A', 'X');
    await write('Z');
    const picky: Consumer = {
      ...consumer('export', (id) => (id === 'X' ? new Faulty(id) : undefined)),
      isFaulty: (error): error is Error => error instanceof Error,
    };
    const lacking = {
      read: database.read,
      transaction: <T>(work: (tx: Connection) => Promise<T>): Promise<T> =>
        database.transaction((tx) => {
          const insert: Connection['insert'] = (table, rows) =>
            table.name === auditSetAside.name && rows.length > 0
              ? Promise.reject(new Error('the table is gone'))
              : tx.insert(table, rows);
          return work(Object.assign(Object.create(tx) as Connection, { insert }));
        }),
    };
    await expect(new Outbox(lacking, [picky], quiet).run()).rejects.toThrow('the table is gone');
    expect([await positionOf('export'), await handledBy('export')]).toEqual([1, ['A']]);
  });

  test('positions have no holes, and never come twice', async () => {
    await Promise.all([write('A', 'B'), write('C'), write('D', 'E')]);
    await placeRecords(database);
    await write('F');
    await placeRecords(database);
    const rows = await database.read.select(auditSequence, all(), {
      order: [{ column: 'position', direction: 'asc' }],
    });
    expect(rows.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await positionOf('sequencer')).toBe(6);
  });

  test('a consumer without a cursor is an error and no silence', async () => {
    await expect(outbox(consumer('nobody')).run()).rejects.toThrow('nobody has no cursor');
  });
});

if (testDatabase() === 'mariadb')
  test('a record that is committed late gets a later position, although its id is smaller', async () => {
    let commit = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let written = (): void => undefined;
    const isWritten = new Promise<void>((resolve) => {
      written = resolve;
    });
    const late = database.transaction(async (tx) => {
      await enqueue(tx, ['A']);
      written();
      await held;
    });
    await isWritten;
    await write('B');
    await outbox(consumer('index')).run();
    expect(await handledBy('index')).toEqual(['B']);
    commit();
    await late;
    await outbox(consumer('index')).run();
    expect(await handledBy('index')).toEqual(['B', 'A']);
  });

// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { products, type ProductRow } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import { Database } from '../../src/store/sql/database.js';
import { migratedDatabaseUrl, targetOf, testDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await migratedDatabaseUrl();
  const target = targetOf(fresh.url);
  database = await Database.open(target, migrations);
  await database.transaction((tx) => tx.insert(products, [product]));
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

const product: ProductRow = {
  id: '0'.repeat(26),
  sku: 'A-1',
  name: 'as it was',
  category: 'parts',
  description: '',
  priceMinor: 100,
  costMinor: null,
  currency: 'EUR',
  stock: 1,
  discontinued: false,
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
};

const nameIn = async (connection: Connection): Promise<string | undefined> =>
  (await connection.byId(products, product.id))?.name;

const rename = (tx: Connection, name: string): Promise<number> =>
  tx.update(products, eq<ProductRow>('id', product.id), { name });

test('what a transaction has changed is seen inside it at once, and outside when it is committed', async () => {
  await database.transaction(async (tx) => {
    await rename(tx, 'committed');
    expect(await nameIn(tx)).toBe('committed');
    expect(await nameIn(database.read)).toBe('as it was');
  });
  expect(await nameIn(database.read)).toBe('committed');
});

test('what a transaction that fails has changed is never seen outside', async () => {
  const before = await nameIn(database.read);
  const failing = database.transaction(async (tx) => {
    await rename(tx, 'given up');
    expect(await nameIn(database.read)).toBe(before);
    throw new Error('given up');
  });
  await expect(failing).rejects.toThrow('given up');
  expect(await nameIn(database.read)).toBe(before);
});

test('reads see what another process has committed', async () => {
  const target = targetOf(fresh.url);
  const other = await Database.open(target, migrations);
  try {
    await nameIn(database.read);
    await other.transaction((tx) => rename(tx, 'by the other'));
    expect(await nameIn(database.read)).toBe('by the other');
  } finally {
    await other.close();
  }
});

// On MySQL both come from the same pool.
if (testDatabase() === 'sqlite')
  test('a connection for reading refuses what would change anything, also while a transaction is under way', async () => {
    const before = await nameIn(database.read);
    const change = (): Promise<number> => rename(database.read, 'past every transaction');
    await expect(change()).rejects.toThrow('outside of a transaction');
    await database.transaction(async () => {
      await expect(change()).rejects.toThrow('outside of a transaction');
    });
    expect(await nameIn(database.read)).toBe(before);
  });

// On SQLite a statement holds no connection.
if (testDatabase() === 'mariadb')
  test('a statement that the driver cannot put into text fails alone, and its connection is free again', async () => {
    const unwritable = {
      toSqlString: () => {
        throw new Error('unwritable');
      },
    };
    const single = await Database.open(targetOf(fresh.url), migrations, 1);
    try {
      await expect(single.read.query('SELECT ?', [unwritable])).rejects.toThrow('unwritable');
      expect(await single.read.query('SELECT ? AS n', [1])).toEqual([{ n: 1 }]);
    } finally {
      await single.close();
    }
  });

test('a transaction that the database has ended takes nothing more, whoever caught the failure', async () => {
  const isMysql = testDatabase() === 'mariadb';
  await database.transaction(async (tx) => {
    await tx.affecting('CREATE TABLE tried (no INTEGER PRIMARY KEY, note VARCHAR(20))', []);
    await tx.affecting("INSERT INTO tried VALUES (1, 'a'), (2, 'a')", []);
    if (!isMysql)
      await tx.affecting(
        "CREATE TRIGGER ending BEFORE UPDATE ON tried WHEN NEW.note = 'end' BEGIN SELECT RAISE(ROLLBACK, 'ended'); END",
        [],
      );
  });
  const write = (tx: Connection, no: number, note: string): Promise<number> =>
    tx.affecting('UPDATE tried SET note = ? WHERE no = ?', [note, no]);
  // The other holds row 2 and waits for row 1; the server ends the lighter of two transactions.
  const other = isMysql ? await Database.open(targetOf(fresh.url), migrations) : undefined;
  let waiting: Promise<unknown> = Promise.resolve();
  let attempts = 0;
  const ended = database.transaction(async (tx) => {
    attempts += 1;
    if (attempts > 1) return;
    await write(tx, 1, 'lost');
    if (other === undefined) await write(tx, 2, 'end').catch(() => 0);
    else {
      await new Promise<void>((resolve) => {
        waiting = other.transaction(async (held) => {
          for (let no = 10; no < 30; no += 1)
            await held.affecting('INSERT INTO tried VALUES (?, NULL)', [no]);
          await write(held, 2, 'other');
          resolve();
          await write(held, 1, 'other');
        });
      });
      await write(tx, 2, 'lost').catch(() => 0);
    }
    await write(tx, 2, 'orphan').catch(() => 0);
  });
  if (isMysql) await ended;
  else await expect(ended).rejects.toThrow('ended');
  await waiting;
  await other?.close();
  const notes = await database.read.query('SELECT note FROM tried WHERE no < 3 ORDER BY no');
  expect(notes.map(({ note }) => note)).toEqual(isMysql ? ['other', 'other'] : ['a', 'a']);
  expect(attempts).toBe(isMysql ? 2 : 1);
});

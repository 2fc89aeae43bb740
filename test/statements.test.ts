import { expect, test } from 'vitest';
import { ReadingThread } from '../src/store/drivers/reading-thread.js';
import { SqliteSessions } from '../src/store/drivers/sessions.js';
import { sqliteDriver, sqlitePackage } from '../src/store/drivers/sqlite-driver.js';
import { freshSqlite } from './support/fresh-database.js';

test('SQLite runs by a driver whose statements can be collected, on every version of Node', () => {
  const packageOf = (...versions: string[]) => [...new Set(versions.map(sqlitePackage))];
  expect(packageOf('20.19.0', '22.23.2', '24.18.1')).toEqual(['better-sqlite3']);
  expect(packageOf('24.19.0', '24.22.3', '25.0.0', '26.12.1')).toEqual(['better-sqlite3-napi']);
});

test('where the driver is not installed, the error says how to get it', () => {
  const missing = 'no-such-driver' as 'better-sqlite3';
  expect(() => sqliteDriver(missing)).toThrow(/no-such-driver.*run `npm ci` with this version of Node/);
});

test('a read that has to come again does not see the change of a transaction that has begun meanwhile', async () => {
  let isWriting = false;
  const connection = (all: () => unknown[]) => ({
    get inTransaction() {
      return isWriting;
    },
    function: () => undefined,
    pragma: () => undefined,
    prepare: () => ({
      ...{ reader: true, readonly: true, raw: () => undefined, columns: () => [{ name: 'value' }], all },
      run: () => ({ changes: 0, lastInsertRowid: 0 }),
    }),
  });
  const writer = connection(() => {
    if (isWriting) return [['not committed']];
    isWriting = true;
    throw Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
  });
  const reader = connection(() => [['committed']]);
  const scans = { run: () => Promise.reject(new Error('No statement is large here.')) };
  const sessions = new SqliteSessions(writer, reader, scans, 1_000, 1_000);
  expect((await sessions.reading.run('SELECT value', [])).rows).toEqual([{ value: 'committed' }]);
});

test('the reading thread keeps its connection, however many statements it has prepared', async () => {
  const fresh = await freshSqlite();
  const path = fresh.url.slice('sqlite:'.length);
  new (sqliteDriver())(path).close();
  const thread = new ReadingThread({ path, cacheKib: 1_024, mappedBytes: 0 });
  const read = async (sql: string): Promise<unknown> =>
    (await thread.run(sql, [], Number.POSITIVE_INFINITY)).rows[0];
  try {
    // A setting of the connection.
    expect(await read('PRAGMA busy_timeout = 1234')).toEqual({ timeout: 1_234 });
    expect(await read('PRAGMA busy_timeout')).toEqual({ timeout: 1_234 });
    for (let n = 2; n < 300; n += 1) await read(`SELECT ${String(n)} AS n`);
    expect(await read('PRAGMA busy_timeout')).toEqual({ timeout: 1_234 });
    for (let n = 300; n < 700; n += 1) expect(await read(`SELECT ${String(n)} AS n`)).toEqual({ n });
    expect(await read('PRAGMA busy_timeout')).toEqual({ timeout: 1_234 });
  } finally {
    await thread.close();
    await fresh.drop();
  }
});

import { expect, test } from 'vitest';
import { sqliteDriver, sqlitePackage } from '../src/store/drivers/sqlite-driver.js';

test('SQLite runs by a driver whose statements can be collected, on every version of Node', () => {
  const packageOf = (...versions: string[]) => [...new Set(versions.map(sqlitePackage))];
  expect(packageOf('20.19.0', '22.23.2', '24.18.1')).toEqual(['better-sqlite3']);
  expect(packageOf('24.19.0', '24.22.3', '25.0.0', '26.12.1')).toEqual(['better-sqlite3-napi']);
});

test('where the driver is not installed, the error says how to get it', () => {
  const missing = 'no-such-driver' as 'better-sqlite3';
  expect(() => sqliteDriver(missing)).toThrow(/no-such-driver.*run `npm ci` with this version of Node/);
});

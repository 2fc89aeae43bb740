import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { keepStatements } from '../src/store/keep-statements.js';
import { SqliteStatements } from '../src/store/statements.js';

test('rows of a statement are the same for whoever else sends its text to a database that keeps statements', async () => {
  const db = new Database(':memory:');
  keepStatements(db);
  const text = 'SELECT 1 AS a, 2 AS b';
  const { rows } = await new SqliteStatements(db, 0).run(text, []);
  expect(rows).toEqual([{ a: 1, b: 2 }]);
  expect(db.prepare(text).all()).toEqual([{ a: 1, b: 2 }]);
  db.close();
});

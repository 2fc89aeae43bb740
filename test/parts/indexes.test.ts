// databases: sqlite, mariadb
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Adopted } from '../support/adopted.js';
import { testDatabase } from '../support/database.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const isMysql = testDatabase() === 'mariadb';
const tables = [
  `CREATE TABLE thing (no INTEGER NOT NULL PRIMARY KEY, whole VARCHAR(200), part VARCHAR(200), other VARCHAR(200))`,
  'CREATE INDEX of_whole ON thing (whole, other)',
  ...(isMysql
    ? ['CREATE INDEX of_part ON thing (part(5))']
    : [
        // None of them sorts or finds all rows by `part`.
        'CREATE INDEX of_letters ON thing (lower(whole), part)',
        "CREATE INDEX of_some ON thing (part) WHERE whole = 'x'",
        'CREATE INDEX of_folded ON thing (part COLLATE NOCASE)',
        'CREATE VIRTUAL TABLE words USING fts5 (text)',
        'CREATE TABLE mixed (code TEXT NOT NULL COLLATE NOCASE, x TEXT, PRIMARY KEY (code COLLATE BINARY))',
      ]),
];

describe('indexes', () => {
  let adopted: Adopted;
  beforeAll(async () => {
    adopted = await Adopted.of(tables);
  });
  afterAll(() => adopted.drop());

  test('serve a list where they begin with the whole column, in its order, for all rows', async () => {
    const told = await adopted.cli.ok(['adopt', '--out', 'company']);
    if (!isMysql) {
      expect(told).toContain('mixed: it has no primary key');
      expect(told).not.toContain('words_');
    }
    const path = adopted.path('schema/thing.graphql');
    const proposed = readFileSync(path, 'utf8');
    expect(proposed).toMatch(/ whole: String .*@sort/);
    expect(proposed).not.toMatch(/ (?:part|other): String .*@sort/);
    adopted.decide();
    const more = readFileSync(path, 'utf8')
      .replace(/( part: String .*)/, '$1 @sort @filter(by: EQUALS)')
      .replace(/( other: String .*)/, '$1 @filter(by: EQUALS)');
    adopted.write('schema/thing.graphql', more);
    const { warnings } = await adopted.cli.json<{ warnings: string[] }>(['check', 'company']);
    expect(warnings.map((warning) => warning.replace(/^.*: /, ''))).toEqual([
      'thing.part is sorted, and no index begins with it.',
      'thing.other is filtered, and no index begins with it.',
    ]);
    adopted.write('schema/thing.graphql', more.replace('@sort @filter', '@filter'));
    const { warnings: fewer } = await adopted.cli.json<{ warnings: string[] }>(['check', 'company']);
    expect(fewer.some((warning) => warning.includes('thing.part'))).toBe(!isMysql);
  });
});

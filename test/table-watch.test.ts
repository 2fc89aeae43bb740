import { expect, test } from 'vitest';
import type { TypeDeclaration } from '../src/domains/declared/declaration.js';
import { foreignTables } from '../src/domains/declared/foreign-tables.js';
import { TableWatch } from '../src/domains/declared/table-watch.js';
import { TableChanges } from '../src/store/bounded/table-changes.js';
import type { TableDescription } from '../src/store/sql/describe-tables.js';

const type: TypeDeclaration = {
  ...{
    name: 'Film',
    place: { file: 'film.graphql', line: 1 },
    table: 'film',
    key: undefined,
    where: [],
    scope: 'films:read',
  },
  ...{ one: 'film', many: 'films', order: { by: 'no', direction: 'ASC' }, bounds: [], writes: {} },
  ...{ query: { one: undefined, list: undefined }, fields: [], faulty: [] },
};
const film: TableDescription = {
  ...{ name: 'film', isView: false, engineWithoutTransactions: undefined, primaryKey: ['no'] },
  ...{ uniqueKeys: [], foreignKeys: [], referrers: [], indexes: [], prefixIndexes: [], comment: undefined },
  columns: [
    {
      ...{ name: 'no', type: 'int', length: undefined, precision: 10, scale: 0, charset: undefined },
      ...{ isTruth: false, isUnsigned: false, isNullable: false, isGenerated: false, isFilled: true },
      ...{ isCounted: true, words: undefined, comment: undefined },
    },
  ],
};

test('a table that was described while it was made anew is shown again', async () => {
  const changes = new TableChanges();
  const described: TableDescription[][] = [[], [film]];
  const log: unknown[] = [];
  const note = (...told: unknown[]): unknown => log.push(told);
  const watch = new TableWatch({
    types: [type],
    tables: foreignTables([type], [film], 'mysql'),
    changes,
    logger: { error: note, info: note },
    database: {
      dialect: 'mysql',
      // The same table as before has the same version.
      tableVersion: () => Promise.resolve('same'),
      describe: () => Promise.resolve(described.shift() ?? [film]),
    },
  });
  const refuse = (): void => {
    changes.refuse(new Set(['film']));
  };
  await watch.look();
  expect(refuse).toThrow();
  await watch.look();
  expect(refuse).not.toThrow();
  expect(log).toHaveLength(2);
  await watch.look();
  expect([described, log.length]).toEqual([[], 2]);
});

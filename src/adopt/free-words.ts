import type { TypeDeclaration } from '../domains/declared/declaration.js';
import type { ColumnDescription } from '../store/sql/describe-tables.js';
import type { Dialect } from '../store/tables/dialect.js';
import { foreignColumn, usesOf } from '../store/tables/foreign-kinds.js';
import { looksPersonal } from './personal.js';
import type { KeyedTable } from './type-proposal.js';
import { tableWords, type TableWords } from './words.js';

/** The words of a new type. Where only personal data names or sorts its rows, reading them needs the scope of such data. */
export function newWords(table: KeyedTable, names: Set<string>, dialect: Dialect): TableWords {
  const words = freeWords(table.name, names);
  const isSortable = (column: ColumnDescription): boolean => {
    const made = foreignColumn(column, dialect);
    return made !== undefined && usesOf(made).isSorted && !looksPersonal(table.name, column.name);
  };
  const isPrivate =
    table.key.some((column) => looksPersonal(table.name, column)) || !table.columns.some(isSortable);
  return isPrivate ? { ...words, scope: `${words.resource}:read_personal` } : words;
}

/** The words of an existing type, to which others refer. */
export const wordsOfType = ({ name, table, one, many, scope, query }: TypeDeclaration): TableWords => ({
  ...tableWords(table),
  ...{ type: name, one, many, scope, resource: scope.split(':')[0] ?? '' },
  ...(query.one !== undefined && { field: query.one }),
  ...(query.list !== undefined && { fields: query.list }),
});

/** Words for a table, with names that nothing else has. Adds the names to `taken`. */
function freeWords(table: string, taken: Set<string>): TableWords {
  const usual = tableWords(table);
  let [words, n] = [usual, 0];
  const made = ({ type, field, fields, resource }: TableWords): string[] => [
    ...['', 'Filter', 'Order', 'Connection', 'Edge'].map((suffix) => type + suffix),
    ...[field, fields],
    ...[`${resource}:read`, `${resource}:read_personal`],
  ];
  while (made(words).some((name) => taken.has(name)) || words.field === words.fields) {
    n += 1;
    const number = n === 1 ? '' : String(n);
    const names = {
      type: `${usual.type}Row${number}`,
      field: `${usual.field}Row${number}`,
      fields: `${usual.field}Rows${number}`,
      resource: `${usual.resource}_rows${number}`,
    };
    words = { ...usual, ...names };
  }
  for (const name of made(words)) taken.add(name);
  return words;
}

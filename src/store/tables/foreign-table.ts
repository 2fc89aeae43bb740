import type { Dialect } from './dialect.js';
import { foreignColumn, usesOf, type DescribedColumn } from './foreign-kinds.js';
import { RowKey, type KeyColumn } from './row-key.js';
import type { Column } from './column.js';
import type { AnyTable, PathStep } from './table.js';

interface DescribedTable {
  readonly name: string;
  readonly isView: boolean;
  readonly columns: readonly DescribedColumn[];
  readonly primaryKey: readonly string[];
  /** Sets of columns whose values are unique and never missing. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

/** The property of a column: the column's name as it is. */
export const propertyOf = (column: string): string => `$${column}`;

/** A table of others over rows of a GraphQL type. Columns of types that cannot be shown are left out. */
export function foreignTable(
  type: string,
  { name, columns, isView }: DescribedTable,
  key: readonly string[],
  /** For the caller to fill, because paths may lead round in a circle. */
  paths: ReadonlyMap<string, PathStep>,
  dialect: Dialect,
): AnyTable {
  const known = new Map<string, Column<unknown>>(
    columns.flatMap((column) => {
      const made = foreignColumn(column, dialect);
      return made === undefined ? [] : [[propertyOf(column.name), made] as const];
    }),
  );
  const keyColumns = key.flatMap((one): KeyColumn[] => {
    const [property, column] = [propertyOf(one), known.get(propertyOf(one))];
    return column === undefined ? [] : [{ property, column }];
  });
  return {
    type,
    name,
    columns: Object.fromEntries(known),
    primaryKey: key.map(propertyOf),
    key: new RowKey(keyColumns),
    paths,
    indexes: [],
    rowNumber: undefined,
    ...(isView && { isView: true }),
  };
}

/** The key by which rows of a table are named, or why they cannot be. */
export type FoundKey =
  | { readonly columns: readonly string[]; readonly fault?: undefined }
  | { readonly columns?: undefined; readonly fault: string };

/**
 * The key that is declared, or else the primary key, or else the first unique index that can name rows. A view has only
 * a declared one.
 */
export function keyOf(
  table: DescribedTable,
  declared: readonly string[] | undefined,
  dialect: Dialect,
): FoundKey {
  if (table.columns.length === 0)
    return { fault: 'the database finds no column of it: what it reads may be gone' };
  if (declared !== undefined) return declaredKey(table, declared, dialect);
  if (table.isView)
    return { fault: 'it is a view: say which columns name a row, as in @table(key: ["order_id"])' };
  const keys = [table.primaryKey, ...table.uniqueKeys].filter((columns) => columns.length > 0);
  const [first] = keys;
  if (first === undefined) return { fault: 'it has no primary key' };
  const usable = keys.find((columns) => columnsFault(table, columns, dialect) === undefined);
  return usable === undefined ? { fault: columnsFault(table, first, dialect) ?? '' } : { columns: usable };
}

function declaredKey(table: DescribedTable, declared: readonly string[], dialect: Dialect): FoundKey {
  if (declared.length === 0)
    return { fault: 'its key is left open: say which columns name a row, as in key: ["order_id"]' };
  const fault = columnsFault(table, declared, dialect);
  if (fault !== undefined) return { fault };
  const isUnique = [table.primaryKey, ...table.uniqueKeys].some(
    (key) => key.length > 0 && key.every((column) => declared.includes(column)),
  );
  return table.isView || isUnique
    ? { columns: declared }
    : { fault: `no unique index holds its key ${declared.join(', ')} to one row` };
}

function columnsFault(
  { columns, isView }: DescribedTable,
  key: readonly string[],
  dialect: Dialect,
): string | undefined {
  for (const name of key) {
    const described = columns.find((one) => one.name === name);
    if (described === undefined) return `its key has the column ${name}, which does not exist`;
    const column = foreignColumn(described, dialect);
    if (column === undefined || !usesOf(column).isKey)
      return `its key has the column ${name} (${described.type}), which cannot name a row`;
    const isRowNumber = dialect === 'sqlite' && described.isCounted;
    if (described.isNullable && !isRowNumber && !isView)
      return `its key may have no value in the column ${name}: make the column NOT NULL`;
  }
  return undefined;
}

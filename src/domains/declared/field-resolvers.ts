import { moneyOf } from '../../core/money.js';
import { reads, type Operation, type Resolver } from '../../delegation/resolver-context.js';
import type { ColumnSelection } from '../../store/bounded/column-selection.js';
import { eq } from '../../store/sql/condition.js';
import { columnOf, type Table } from '../../store/tables/table.js';
import { isFiltered, isSorted } from './declaration.js';
import type { DeclaredType } from './declared-types.js';
import { fromStored } from './enums.js';
import {
  listQuery,
  storedValue,
  type ComparedColumn,
  type ListArgs,
  type Listing,
  type Row,
} from './list-query.js';
import { shownBy } from './shown-values.js';

/** One row by its id. */
export const byId =
  (table: Table<Row>): Resolver =>
  (_root: unknown, { id }: { id: string }, { rows }: Operation, selection: ColumnSelection) =>
    rows.get(table, id, selection);

/** The root field `find` looks for the row whose field has the value of its argument of the same name. */
export const byField =
  (table: Table<Row>, find: string, name: string, column: ComparedColumn): Resolver =>
  (
    _root: unknown,
    args: Readonly<Record<string, string>>,
    { rows, scopeOf }: Operation,
    selection: ColumnSelection,
  ) => {
    const where = eq<Row>(column.property, storedValue(args[name] ?? '', name, column));
    return rows.find(table, where, selection, [scopeOf(`Query.${find}(${name}:)`)]);
  };

/** The row to which columns refer. */
export const reference = (properties: readonly string[], table: Table<Row>): Resolver => {
  const { key } = table;
  const [first = ''] = properties;
  const idIn = (row: Row): string | null => {
    if (key === undefined) return row[first] as string | null;
    const values = properties.map((property) => row[property]);
    return values.includes(null) ? null : key.idFrom(values);
  };
  return reads<Row>(properties, (row, _args, operation, selection) =>
    operation.rows.get(table, idIn(row), selection),
  );
};

/** Rows that refer to this one, filtered and sorted as in their own list. */
export function children(
  properties: readonly string[],
  parent: Table<Row>,
  { type, table, listing }: DeclaredType & { readonly listing: Listing },
): Resolver {
  const isPlain = !isFiltered(type) && !isSorted(type);
  const [column = ''] = properties;
  const link = parent.key === undefined ? { column } : { columns: properties, parentKey: parent.key };
  return reads<Row>(['id'], (row, args: ListArgs, operation, selection) => {
    const { first, after } = args;
    const query = isPlain ? { order: [listing.fallback], first, after } : listQuery(listing, args, operation);
    return operation.rows.linked(table, link, row.id, query, selection);
  });
}

/** An amount in one column, in the row's currency. */
export const money = (minor: string, currency: string): Resolver =>
  reads<Row>([minor, currency], (row) => {
    const [amount, code] = [row[minor], row[currency]];
    return typeof amount === 'number' && typeof code === 'string' ? moneyOf(amount, code) : null;
  });

/** A value as its GraphQL type shows it. */
export function valueIn(property: string, table: Table<Row>, type: string): Resolver {
  const column = table.columns[property];
  const shown =
    column === undefined ? undefined : shownBy(column, type, `${table.name}.${columnOf(property)}`);
  if (shown === undefined) return reads<Row>([property], (row) => row[property]);
  return reads<Row>([property], (row) => shown(row[property]));
}

/** A value that is stored in small letters. */
export const enumIn = (property: string): Resolver =>
  reads<Row>([property], (row) => {
    const value = row[property];
    return typeof value === 'string' ? fromStored(value) : null;
  });

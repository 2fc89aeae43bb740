import type { Operation } from '../../delegation/resolver-context.js';
import type { Order } from '../../store/sql/connection.js';
import { usesOf } from '../../store/tables/foreign-kinds.js';
import type { AnyTable, Table } from '../../store/tables/table.js';
import { writtenValue } from '../../store/tables/written-values.js';
import type * as own from './domain.js';
import { knownColumn, ownCondition } from './own-conditions.js';

type Row = { id: string } & Record<string, unknown>;
type Columns = Readonly<Record<string, unknown>>;

/** The table of a company's type. */
export interface OwnTable {
  readonly table: AnyTable;
  /** The property in which a row counts its changes. */
  readonly counted?: string | undefined;
}

/** Rows of one type as a company's code gets them. @param scope under which a mutation writes */
export function rowsView(
  { rows, transaction }: Operation,
  { table: any, counted }: OwnTable,
  scope: string | undefined,
): own.Rows<Row> {
  const table = any as unknown as Table<Row>;
  const writing = (): string => {
    if (table.isView === true) throw new Error(`${table.type} is over a view, which nobody writes.`);
    if (scope !== undefined && transaction !== undefined) return scope;
    throw new Error(`Only the resolver of a mutation writes: ${table.type} is read here.`);
  };
  const next = (before: Row): Columns =>
    counted === undefined ? {} : { [counted]: Number(before[counted]) + 1 };
  return Object.freeze({
    get: async (id: string | null) => kept(await rows.get(table, id)),
    idOf: (...key: readonly unknown[]) => idOf(table, key),
    find: async (where: own.Condition, scopes: readonly string[] = []) =>
      kept(await rows.find(table, ownCondition(table, where), undefined, scopes)),
    list: async ({ where, order = [], ...rest }: own.ListQuery) => {
      const page = await rows.list(table, {
        ...rest,
        order: order.map((by) => ownOrder(table, by)),
        ...(where !== undefined && { where: ownCondition(table, where) }),
      });
      page.nodes.forEach(kept);
      return page;
    },
    lock: async (id: string) => kept(await rows.inside(table, id, writing(), true)),
    update: (id: string, changes: Columns) => {
      const under = writing();
      const columns = writtenColumns(table, changes);
      const moved = Object.keys(columns).find((name) => table.key?.columns.includes(name) === true);
      if (moved !== undefined) throw new Error(`${moved} is in the key of ${table.type}, which stays.`);
      if (Object.keys(columns).length === 0) return rows.inside(table, id, under, true);
      return rows.change(table, id, [under], (before) => ({ ...columns, ...next(before) }));
    },
    insert: (row: Columns) => {
      const under = writing();
      const columns = writtenColumns(table, row);
      const missing = table.key?.columns.find(
        (name) => columns[name] === undefined && table.columns[name]?.described?.isCounted !== true,
      );
      if (missing !== undefined)
        throw new Error(`A row of ${table.type} is added with its whole key, and ${missing} is missing.`);
      return rows.create(table, columns, [under]);
    },
  });
}

/** A row that nobody changes: operations of the same moment may share it. */
export const kept = <T>(row: T): T => Object.freeze(row);

/** Values as their columns store them, the very same. Throws `BAD_USER_INPUT` for one that a column cannot hold. */
function writtenColumns(table: AnyTable, given: Columns): Partial<Row> {
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const column = table.columns[knownColumn(table, name)];
    if (column === undefined)
      throw new Error(`The id of ${table.type} is made of its key: give its columns.`);
    if (column.isGenerated === true)
      throw new Error(`The database computes ${name} of ${table.type}: it cannot be written.`);
    if (value !== undefined) written[name] = writtenValue(column, value, name.slice(1));
  }
  return written;
}

function idOf({ key, type }: AnyTable, values: readonly unknown[]): string | null {
  if (key === undefined || key.columns.length !== values.length)
    throw new Error(`The key of ${type} has ${String(key?.columns.length ?? 1)} columns.`);
  return values.includes(null) || values.includes(undefined) ? null : key.idFrom(values);
}

/** Cursors need a column that the database sorts as it compares. */
function ownOrder(
  table: Table<Row>,
  { column, direction }: { column: string; direction: string },
): Order<Row> {
  const described = table.columns[knownColumn(table, column)];
  if (described === undefined || !usesOf(described).isSorted)
    throw new Error(`${table.type} cannot be sorted by ${column}.`);
  return { column, direction: direction === 'desc' ? 'desc' : 'asc' };
}

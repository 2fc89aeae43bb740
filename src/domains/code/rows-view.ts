import { badInput } from '../../core/errors.js';
import type { Operation } from '../../delegation/resolver-context.js';
import type { Order } from '../../store/sql/connection.js';
import { usesOf } from '../../store/tables/foreign-kinds.js';
import type { AnyTable, Table } from '../../store/tables/table.js';
import { countedUp } from '../declared/row-version.js';
import type * as own from './domain.js';
import { givenValues } from './given-values.js';
import type { OnceWork } from './once-work.js';
import { knownColumn, ownCondition } from './own-conditions.js';
import type { OwnTable } from './own-table.js';
import { promisedWhileItLasts, whileItLasts } from './while-it-lasts.js';

type Row = { id: string } & Record<string, unknown>;
type Columns = Readonly<Record<string, unknown>>;

/** The mutation for which code runs. */
export interface Writing {
  readonly mutation: string;
  /** The scope under which it writes. */
  readonly scope: string;
  readonly work: OnceWork;
}

/** Rows of one type as a company's code gets them. @param writing undefined outside of a mutation */
export function rowsView(operation: Operation, to: OwnTable, writing: Writing | undefined): own.Rows<Row> {
  const { rows } = operation;
  const table = to.table as unknown as Table<Row>;
  const write = async (change: (scope: string) => Promise<Row>): Promise<Row> => {
    if (table.isView === true) throw new Error(`${table.type} is over a view, which nobody writes.`);
    if (writing === undefined || operation.transaction === undefined)
      throw new Error(`Only the resolver of a mutation writes: ${table.type} is read here.`);
    return kept(await writing.work.write(() => change(writing.scope)));
  };
  const promised = promisedWhileItLasts(operation, {
    get: async (id: string | null) => kept(await rows.get(table, id)),
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
    lock: (id: string) => write((scope) => rows.inside(table, id, scope, true)),
    update: (id: string, changes: Columns) => write((scope) => changed(rows, to, id, changes, scope)),
    insert: (row: Columns) => write((scope) => rows.create(table, newRow(to, row), [scope])),
  });
  const { idOf } = whileItLasts(operation, { idOf: (...key: readonly unknown[]) => idOfKey(table, key) });
  return Object.freeze({ ...promised, idOf });
}

/** Changes nothing where nothing is given. */
async function changed(
  rows: Operation['rows'],
  to: OwnTable,
  id: string,
  changes: Columns,
  scope: string,
): Promise<Row> {
  const table = to.table as unknown as Table<Row>;
  const columns = givenValues(to, changes);
  for (const name of Object.keys(columns)) {
    const reason = to.fixed.get(name);
    if (reason !== undefined) throw new Error(`${name} of ${table.type} cannot be changed: ${reason}.`);
  }
  if (Object.keys(columns).length === 0) return rows.inside(table, id, scope, true);
  const { counted } = to;
  const next = (before: Row): Columns =>
    counted === undefined ? {} : { [counted]: countedUp(before, counted, to.table) };
  return rows.change(table, id, [scope], (before) => ({ ...columns, ...next(before) }));
}

function newRow(to: OwnTable, row: Columns): Partial<Row> {
  const { key, columns, type } = to.table;
  const given = givenValues(to, row);
  const empty = key?.columns.find((name) => given[name] === null);
  if (empty !== undefined) throw badInput(`\`${empty.slice(1)}\` cannot be null.`, empty.slice(1));
  const missing = key?.columns.find(
    (name) => given[name] === undefined && columns[name]?.described?.isCounted !== true,
  );
  if (missing === undefined) return given;
  throw new Error(`A row of ${type} is added with its whole key, and ${missing} is missing.`);
}

/** A row that nobody changes: operations of the same moment may share it. */
export const kept = <T>(row: T): T => Object.freeze(row);

function idOfKey({ key, type }: AnyTable, values: readonly unknown[]): string | null {
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

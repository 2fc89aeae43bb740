import type { Operation } from '../../delegation/resolver-context.js';
import { usesOf } from '../../store/tables/foreign-kinds.js';
import type { Order } from '../../store/sql/connection.js';
import type { AnyTable, Table } from '../../store/tables/table.js';
import type * as own from './domain.js';
import { knownColumn, ownCondition } from './own-conditions.js';

type Row = { id: string } & Record<string, unknown>;

/** The tables of a company's types, by type. */
export type OwnTables = ReadonlyMap<string, AnyTable>;

/** The mutation for which code runs. */
export interface Writing {
  readonly mutation: string;
  /** The scope under which it writes. */
  readonly scope: string;
  readonly onOnce: () => void;
}

/**
 * What a company's code sees of an operation: closures over the parts that it may use, with no way to the rest.
 * @param writing undefined outside of a mutation: nothing can be written there
 */
export function operationView(operation: Operation, tables: OwnTables, writing?: Writing): own.Operation {
  const { authority, clock, ids } = operation;
  const person = { ...authority.chain.person };
  const agents = authority.chain.agents.map(({ id, name, displayName }) => ({ id, name, displayName }));
  const tableOf = (type: string): Table<Row> => {
    const table = tables.get(type);
    if (table !== undefined) return table as unknown as Table<Row>;
    throw new Error(
      `No type ${type} of this company has a table. There are: ${[...tables.keys()].join(', ')}.`,
    );
  };
  return Object.freeze({
    id: operation.id,
    authority: Object.freeze({ person, agents, allows: (name: string) => authority.allows(name) }),
    clock: Object.freeze({ now: () => clock.now() }),
    ids: Object.freeze({ next: () => ids.next() }),
    rows: Object.freeze({
      of: <R extends own.Row>(type: string) =>
        rowsView(operation, tableOf(type), writing?.scope) as unknown as own.Rows<R>,
    }),
    once: <T extends object>(
      key: string,
      input: unknown,
      rows: Readonly<Record<string, string>>,
      work: () => Promise<T>,
    ) => {
      if (writing === undefined) throw new Error('`once` is for the resolver of a mutation.');
      writing.onOnce();
      const answerRows = Object.entries(rows).map(([name, type]) => [name, tableOf(type)] as const);
      return operation.once(
        key,
        { mutation: writing.mutation, input },
        Object.fromEntries(answerRows),
        async () => repeatable(await work(), rows),
      );
    },
  });
}

/**
 * An answer that can be given again later within the rights of then: rows are looked at again, so each is said, and
 * nothing else in it can hold one.
 */
function repeatable<T extends object>(answer: T, rows: Readonly<Record<string, string>>): T {
  const hidden = Object.entries(answer).find(
    ([name, value]) => !(name in rows) && typeof value === 'object' && value !== null,
  );
  if (hidden === undefined) return answer;
  throw new Error(
    `The answer of \`once\` holds an object in ${hidden[0]}: say its type in \`rows\`, or answer with ids and give their rows by a resolver of the payload.`,
  );
}

function rowsView(
  { rows, transaction }: Operation,
  table: Table<Row>,
  scope: string | undefined,
): own.Rows<Row> {
  const writing = (): string => {
    if (table.isView === true) throw new Error(`${table.type} is over a view, which nobody writes.`);
    if (scope !== undefined && transaction !== undefined) return scope;
    throw new Error(`Only the resolver of a mutation writes: ${table.type} is read here.`);
  };
  return Object.freeze({
    get: (id: string | null) => rows.get(table, id),
    idOf: (...key: readonly unknown[]) => idOf(table, key),
    find: (where: own.Condition, scopes: readonly string[] = []) =>
      rows.find(table, ownCondition(table, where), undefined, scopes),
    list: ({ where, order = [], ...rest }: own.ListQuery) =>
      rows.list(table, {
        ...rest,
        order: order.map((by) => ownOrder(table, by)),
        ...(where !== undefined && { where: ownCondition(table, where) }),
      }),
    lock: (id: string) => rows.inside(table, id, writing(), true),
    update: (id: string, changes: Readonly<Record<string, unknown>>) => {
      const under = writing();
      const key = table.key?.columns ?? ['id'];
      const names = Object.keys(changes).map((name) => knownColumn(table, name));
      const moved = names.find((name) => name === 'id' || key.includes(name));
      if (moved !== undefined) throw new Error(`${moved} is in the key of ${table.type}, which stays.`);
      return names.length === 0
        ? rows.inside(table, id, under, true)
        : rows.update(table, id, { ...changes }, under);
    },
    insert: (row: Readonly<Record<string, unknown>>) => {
      const under = writing();
      const names = Object.keys(row).map((name) => knownColumn(table, name));
      if (names.includes('id'))
        throw new Error(`The id of ${table.type} is made of its key: give its columns.`);
      return rows.create(table, { ...row }, [under]);
    },
  });
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

import type { Operation } from '../../delegation/resolver-context.js';
import type * as own from './domain.js';
import type { OwnTable } from './own-table.js';
import { rowsView, type Writing } from './rows-view.js';
import { promisedWhileItLasts, whileItLasts, type Functions } from './while-it-lasts.js';

/** The tables of a company's types, by type. */
export type OwnTables = ReadonlyMap<string, OwnTable>;

/**
 * What a company's code sees of an operation: closures over the parts that it may use, with no way to the rest, and none
 * of them when the operation is over.
 * @param writing undefined outside of a mutation: nothing can be written there
 */
export function operationView(operation: Operation, tables: OwnTables, writing?: Writing): own.Operation {
  const { authority, clock, ids } = operation;
  const person = { ...authority.chain.person };
  const agents = authority.chain.agents.map(({ id, name, displayName }) => ({ id, name, displayName }));
  const tableOf = (type: string): OwnTable => {
    const table = tables.get(type);
    if (table !== undefined) return table;
    throw new Error(
      `No type ${type} of this company has a table. There are: ${[...tables.keys()].join(', ')}.`,
    );
  };
  const once: own.Operation['once'] = async (key, input, rows, work) => {
    if (writing === undefined) throw new Error('`once` is for the resolver of a mutation.');
    const answerRows = Object.entries(rows).map(([name, type]) => [name, tableOf(type).table] as const);
    return writing.work.ask(key, () =>
      operation.once(key, { mutation: writing.mutation, input }, Object.fromEntries(answerRows), async () =>
        repeatable(await writing.work.run(work), rows),
      ),
    );
  };
  const lasting = <F extends Functions>(functions: F): F => whileItLasts(operation, functions);
  return Object.freeze({
    id: operation.id,
    authority: Object.freeze({
      person,
      agents,
      ...lasting({ allows: (name: string) => authority.allows(name) }),
    }),
    clock: lasting({ now: () => clock.now() }),
    ids: lasting({ next: () => ids.next() }),
    rows: lasting({
      of: <R extends own.Row>(type: string) =>
        rowsView(operation, tableOf(type), writing) as unknown as own.Rows<R>,
    }),
    ...promisedWhileItLasts<Pick<own.Operation, 'once'>>(operation, { once }),
  });
}

/**
 * An answer that can be given again later within the rights of then: rows are looked at again, so each is said, and
 * nothing else in it can hold one.
 */
function repeatable<T extends object>(answer: T, rows: Readonly<Record<string, string>>): T {
  const properties = Object.entries(answer);
  const hidden = properties.find(([name, value]) => !Object.hasOwn(rows, name) && Object(value) === value);
  if (hidden === undefined) return Object.fromEntries(properties) as T;
  throw new Error(
    `The answer of \`once\` holds an object in ${hidden[0]}: say its type in \`rows\`, or answer with ids and give their rows by a resolver of the payload.`,
  );
}

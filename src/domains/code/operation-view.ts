import type { Operation } from '../../delegation/resolver-context.js';
import type * as own from './domain.js';
import { rowsView, type OwnTable } from './rows-view.js';

/** The tables of a company's types, by type. */
export type OwnTables = ReadonlyMap<string, OwnTable>;

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
  const tableOf = (type: string): OwnTable => {
    const table = tables.get(type);
    if (table !== undefined) return table;
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
      const answerRows = Object.entries(rows).map(([name, type]) => [name, tableOf(type).table] as const);
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

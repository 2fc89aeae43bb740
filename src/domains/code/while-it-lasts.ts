import type { Operation } from '../../delegation/resolver-context.js';

export type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;
type Promising = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/**
 * Functions for an operation's code that throw once its record is taken. Code may have kept them, and what they gave to
 * another caller then would be within the rights of this one, and on no record.
 */
export const whileItLasts = <F extends Functions>(operation: Operation, functions: F): F =>
  each(functions, (name, call) => (...args: never[]) => {
    check(operation, name);
    return call(...args);
  });

/**
 * The same for functions that return promises, which are rejected. A rejection for which no code waits does not end the
 * server: a mutation that left it behind is refused.
 */
export const promisedWhileItLasts = <F extends Promising>(operation: Operation, functions: F): F =>
  each(functions, (name, call) => (...args: never[]) => {
    const answer = (async () => {
      check(operation, name);
      return call(...args);
    })();
    answer.catch(() => undefined);
    return answer;
  });

function check({ id, trail }: Operation, name: string): void {
  if (trail.hasEnded)
    throw new Error(`${name} is called after its operation ${id} has ended: keep nothing of an operation.`);
}

const each = <F extends Functions>(
  functions: F,
  wrap: (name: string, call: Functions[string]) => Functions[string],
): F =>
  Object.freeze(
    Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, wrap(name, call)])) as F,
  );

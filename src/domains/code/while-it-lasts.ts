import type { Operation } from '../../delegation/resolver-context.js';

export type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;

/**
 * Functions for an operation's code that throw once its record is taken. Code may have kept them, and what they gave to
 * another caller then would be within the rights of this one, and on no record.
 */
export function whileItLasts<F extends Functions>({ id, trail }: Operation, functions: F): F {
  const lasting = Object.entries(functions).map(([name, call]) => [
    name,
    (...args: never[]) => {
      if (!trail.hasEnded) return call(...args);
      throw new Error(`${name} is called after its operation ${id} has ended: keep nothing of an operation.`);
    },
  ]);
  return Object.freeze(Object.fromEntries(lasting) as F);
}

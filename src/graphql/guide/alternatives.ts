import type { Scope } from '../../authority/scope.js';

/** Sets of scopes, of which any one is enough. Without a set nothing is; an empty set needs no scope. */
export type Alternatives = readonly ReadonlySet<Scope>[];

export const never: Alternatives = [];
export const always: Alternatives = [new Set()];

/** Sets that are kept, the smallest ones: a document for which only others would do is not found useful. */
const alternativesMax = 64;

/** Any one of them is enough. */
export const anyOf = (all: readonly Alternatives[]): Alternatives => smallest(all.flat());

/** One of each is needed. */
export const allOf = (all: readonly Alternatives[]): Alternatives =>
  all.reduce(
    (some, more) => smallest(some.flatMap((one) => more.map((other) => new Set([...one, ...other])))),
    always,
  );

/** Without sets that hold all of another. */
function smallest(sets: Alternatives): Alternatives {
  const kept: ReadonlySet<Scope>[] = [];
  for (const set of [...sets].sort((a, b) => a.size - b.size)) {
    if (kept.length === alternativesMax) break;
    if (!kept.some((smaller) => isWithin(smaller, set))) kept.push(set);
  }
  return kept;
}

const isWithin = (scopes: ReadonlySet<Scope>, others: ReadonlySet<Scope>): boolean =>
  [...scopes].every((scope) => others.has(scope));

import { intersectBoundaries, unite, type Boundaries, type Boundary } from './boundary.js';
import { sessionScope, type Scope } from './scope.js';
import { areWithin } from './within.js';

/** The boundaries of each scope. A missing scope is not held. */
export type Rights = ReadonlyMap<Scope, Boundaries>;

/** The same boundary for each scope, as in one role or one delegation. */
export const rightsOf = (scopes: Iterable<Scope>, boundary: Boundary): Rights =>
  new Map([...scopes].map((scope) => [scope, [boundary]]));

/** The union of several roles' rights, scope by scope. */
export function uniteRights(all: readonly Rights[]): Rights {
  const united = new Map<Scope, Boundaries>();
  for (const rights of all) {
    for (const [scope, boundaries] of rights) united.set(scope, unite(united.get(scope) ?? [], boundaries));
  }
  return united;
}

/** The rights that both allow, scope by scope. */
export function intersectRights(a: Rights, b: Rights): Rights {
  const both = new Map<Scope, Boundaries>();
  for (const [scope, boundaries] of a) {
    const other = b.get(scope);
    if (other !== undefined) both.set(scope, intersectBoundaries(boundaries, other));
  }
  return both;
}

/** Keeps only the named scopes, such as those of a token. */
export const restrict = (rights: Rights, scopes: ReadonlySet<Scope>): Rights =>
  new Map([...rights].filter(([scope]) => scopes.has(scope)));

/** Whether `inner` allows nothing that `outer` does not. */
export const areRightsWithin = (inner: Rights, outer: Rights): boolean =>
  [...inner].every(([scope, boundaries]) => {
    if (scope === sessionScope) return true;
    const other = outer.get(scope);
    return other !== undefined && areWithin(boundaries, other);
  });

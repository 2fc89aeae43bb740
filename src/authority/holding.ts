import { parseBoundary } from './boundary.js';
import { rightsOf, uniteRights, type Rights } from './rights.js';
import type { Scope } from './scope.js';

/** What one party holds. A scope that needs approval is not in `rights`: whoever asks whether it is held looks there. */
export interface Holding {
  readonly rights: Rights;
  /** Scopes that this party would allow after a person's approval of the one operation. Nobody can give one yet. */
  readonly needsApproval: ReadonlySet<Scope>;
}

/** What a role says of what its holders may do. */
export interface Granting {
  readonly scopes: readonly Scope[];
  readonly approvalScopes: readonly Scope[];
  readonly boundary: Readonly<Record<string, readonly string[] | 'all'>>;
}

/**
 * What roles come to when one party holds all of them at once: the one place that says which scopes a role gives. Of
 * several roles with a scope, one that asks for no approval is enough.
 * @param self the person; where it is left out, `self` in a boundary stays a value of its own
 */
export function holdingOf(roles: readonly Granting[], self?: string): Holding {
  const rights = uniteRights(
    roles.map((role) => rightsOf(scopesGiven(role), parseBoundary(role.boundary, self))),
  );
  const asking = roles.flatMap((role) => role.scopes.filter((scope) => role.approvalScopes.includes(scope)));
  return { rights, needsApproval: new Set(asking.filter((scope) => !rights.has(scope))) };
}

const scopesGiven = ({ scopes, approvalScopes }: Granting): Scope[] =>
  scopes.filter((scope) => !approvalScopes.includes(scope));

/** Whether whoever holds the role alone may use the scope. */
export const gives = (role: Granting, scope: Scope): boolean => holdingOf([role]).rights.has(scope);

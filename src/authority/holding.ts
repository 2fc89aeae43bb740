import { parseBoundary } from './boundary.js';
import { rightsOf, uniteRights, type Rights } from './rights.js';
import type { Scope } from './scope.js';

/** The rights of one party. A scope that needs approval is not in `rights`, so nothing counts it as held. */
export interface Holding {
  readonly rights: Rights;
  /**
   * Scopes that this party would allow after a person approves the one operation. Approvals are not built
   * yet.
   */
  readonly needsApproval: ReadonlySet<Scope>;
}

/** The part of a role that says what its holders may do. */
interface Granting {
  readonly scopes: readonly Scope[];
  readonly approvalScopes: readonly Scope[];
  readonly boundary: Readonly<Record<string, readonly string[] | 'all'>>;
}

/**
 * The rights from several roles of one party. Only this function decides which scopes a role gives. A scope
 * in several roles needs no approval if one of them asks for none.
 * @param self the person; without it, `self` in a boundary remains a plain value
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

/** Whether the role alone gives the scope. */
export const gives = (role: Granting, scope: Scope): boolean => holdingOf([role]).rights.has(scope);

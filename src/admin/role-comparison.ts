import { isAsStrict, parsePolicy } from '../authority/documents.js';
import { holdingOf } from '../authority/holding.js';
import { meets, parseSignInPolicy } from '../authority/sign-in-policy.js';
import { areRightsWithin, restrict, type Rights } from '../authority/rights.js';
import { costMaxOf } from '../delegation/role-loader.js';
import type { RoleRow, StoredLimits } from '../store/tables/identity.js';

/** Everything that a role allows, and its kind of holder. */
export type Defined = Pick<
  RoleRow,
  'holder' | 'scopes' | 'approvalScopes' | 'boundary' | 'limits' | 'documents' | 'signIn'
>;

/**
 * True where `role` allows nothing beyond the other roles. An agent uses one role for each task, so one of them must
 * allow all of it. A person's roles add up, but each role binds everything that the person does to its documents: only
 * roles no stricter than `role` count together. So do only roles that its sign-ins can use.
 */
export function isWithinRoles(role: Defined, others: readonly Defined[]): boolean {
  const alike = others.filter((other) => other.holder === role.holder && isAsFree(other, role));
  const choices = alike.map((other) => [other]);
  return (role.holder === 'agent' ? choices : [...choices, alike]).some((held) => isWithin(role, held));
}

const isAsFree = (other: Defined, role: Defined): boolean =>
  isAsStrict(parsePolicy(role.documents), parsePolicy(other.documents)) &&
  meets(parseSignInPolicy(role.signIn), other.signIn);

/** Compares with the rights of someone who holds all of `held`. */
function isWithin(role: Defined, held: readonly Defined[]): boolean {
  return (
    areRightsWithin(onceApproved([role]), onceApproved(held)) &&
    areRightsWithin(holdingOf([role]).rights, holdingOf(held).rights) &&
    (costMaxOf([role]) ?? Infinity) <= (costMaxOf(held) ?? Infinity) &&
    counted.every((name) => held.some((other) => role.limits[name] <= other.limits[name]))
  );
}

/** The rights held, and those after approval. */
function onceApproved(held: readonly Defined[]): Rights {
  const { rights, needsApproval } = holdingOf(held);
  const asking = holdingOf(held.map((role) => ({ ...role, approvalScopes: [] })));
  return new Map([...rights, ...restrict(asking.rights, needsApproval)]);
}

/** All zero in people's roles. */
const counted: readonly (keyof StoredLimits)[] = ['operations', 'rows', 'expirySeconds', 'depth'];

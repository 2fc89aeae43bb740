import { isAsStrict, parsePolicy } from '../authority/documents.js';
import { holdingOf } from '../authority/holding.js';
import { areRightsWithin, restrict, type Rights } from '../authority/rights.js';
import { costMaxOf } from '../delegation/role-loader.js';
import type { RoleRow, StoredLimits } from '../store/tables/identity.js';

/** All that a role allows, and by whom it may be held. */
export type Defined = Pick<
  RoleRow,
  'holder' | 'scopes' | 'approvalScopes' | 'boundary' | 'limits' | 'documents'
>;

/**
 * True where whoever holds `role` may do nothing that some of the other roles would not allow them. Each task of an
 * agent has one role, so one must allow all of it. A person's roles add up, but each binds all of what they do to its
 * documents: those count together that are no stricter than `role`.
 */
export function isWithinRoles(role: Defined, others: readonly Defined[]): boolean {
  const alike = others.filter((other) => other.holder === role.holder && isAsFree(other, role));
  const choices = alike.map((other) => [other]);
  return (role.holder === 'agent' ? choices : [...choices, alike]).some((held) => isWithin(role, held));
}

const isAsFree = (other: Defined, role: Defined): boolean =>
  isAsStrict(parsePolicy(role.documents), parsePolicy(other.documents));

/** Compared with what they come to for those who hold them all. */
function isWithin(role: Defined, held: readonly Defined[]): boolean {
  return (
    areRightsWithin(onceApproved([role]), onceApproved(held)) &&
    areRightsWithin(holdingOf([role]).rights, holdingOf(held).rights) &&
    (costMaxOf([role]) ?? Infinity) <= (costMaxOf(held) ?? Infinity) &&
    counted.every((name) => held.some((other) => role.limits[name] <= other.limits[name]))
  );
}

/** What is held, and what would be after approval. */
function onceApproved(held: readonly Defined[]): Rights {
  const { rights, needsApproval } = holdingOf(held);
  const asking = holdingOf(held.map((role) => ({ ...role, approvalScopes: [] })));
  return new Map([...rights, ...restrict(asking.rights, needsApproval)]);
}

/** Of people's roles they are all nothing. */
const counted: readonly (keyof StoredLimits)[] = ['operations', 'rows', 'expirySeconds', 'depth'];

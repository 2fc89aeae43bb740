import { parseBoundary } from '../authority/boundary.js';
import { isAsStrict, parsePolicy } from '../authority/documents.js';
import { areRightsWithin, rightsOf, uniteRights, type Rights } from '../authority/rights.js';
import { BehalfError } from '../core/errors.js';
import { eq, isIn } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import { grantableRoles, roles, type RoleRow } from '../store/tables/identity.js';

type Defined = Pick<RoleRow, 'scopes' | 'boundary'>;
type Bound = Pick<RoleRow, 'documents' | 'limits'>;

/** `self` stays a value of its own here: it is within `all`, and nothing else is within it. */
export const rightsOfRole = (role: Defined): Rights => rightsOf(role.scopes, parseBoundary(role.boundary));

export async function grantableOf(tx: Connection, userId: string): Promise<RoleRow[]> {
  const rows = await tx.select(grantableRoles, eq('userId', userId));
  return tx.select(
    roles,
    isIn<RoleRow>(
      'id',
      rows.map((row) => row.roleId),
    ),
  );
}

/** Roles as they are named to an administrator; one that is gone by its id. */
export const rolesNamed = (tx: Connection, ids: readonly string[]): Promise<Pick<RoleRow, 'id' | 'name'>[]> =>
  Promise.all(ids.map(async (id) => (await tx.byId(roles, id)) ?? { id, name: id }));

const beyond = (message: string): BehalfError =>
  new BehalfError('FORBIDDEN', message, {
    missingScopes: ['roles:assign'],
    layer: 'person',
    hint: 'Ask an administrator whose grantable set includes it.',
  });

/** An administrator's power over others ends with the roles of their grantable set. */
export async function requireGrantable(
  tx: Connection,
  administratorId: string,
  wanted: readonly Pick<RoleRow, 'id' | 'name'>[],
): Promise<void> {
  const mine = new Set((await grantableOf(tx, administratorId)).map((role) => role.id));
  const missing = wanted.filter((role) => !mine.has(role.id)).map((role) => role.name);
  if (missing.length > 0) throw beyond(`Your grantable set does not include ${missing.join(', ')}.`);
}

export function requireOther(administratorId: string, userId: string): void {
  if (administratorId === userId) throw beyond('Nobody assigns roles to themselves.');
}

/**
 * A role may be defined as wide as what its definer may grant already. Whoever may grant role administration
 * itself is bound by no set: otherwise nobody could ever grant the scopes of a newly installed domain.
 */
export async function requireDefinable(
  tx: Connection,
  administratorId: string,
  role: Defined & Bound,
): Promise<void> {
  const mine = await grantableOf(tx, administratorId);
  if (mine.some((granted) => granted.scopes.includes('roles:manage'))) return;
  const isWithin = areRightsWithin(rightsOfRole(role), uniteRights(mine.map(rightsOfRole)));
  if (isWithin && isBoundLike(role, mine)) return;
  throw beyond('This role would allow more than the roles of your grantable set together.');
}

/** Of each bound on documents and cost, as strict as that of some role that may be granted already. */
const isBoundLike = (role: Bound, mine: readonly Bound[]): boolean =>
  mine.some((granted) => isAsStrict(parsePolicy(role.documents), parsePolicy(granted.documents))) &&
  mine.some(
    (granted) => (role.limits.operationCost ?? Infinity) <= (granted.limits.operationCost ?? Infinity),
  );

import { gives } from '../authority/holding.js';
import { BehalfError } from '../core/errors.js';
import { eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { grantableRoles, roles, type RoleRow } from '../store/tables/identity.js';
import { isWithinRoles, type Defined } from './role-comparison.js';

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

/** Roles by name for a message to an administrator; a deleted role by its id. */
export const rolesNamed = (tx: Connection, ids: readonly string[]): Promise<Pick<RoleRow, 'id' | 'name'>[]> =>
  Promise.all(ids.map(async (id) => (await tx.byId(roles, id)) ?? { id, name: id }));

const beyond = (message: string): BehalfError =>
  new BehalfError('FORBIDDEN', message, {
    missingScopes: ['roles:assign'],
    layer: 'person',
    hint: 'Ask an administrator whose grantable set includes it.',
  });

/** An administrator acts on others only within the roles of their grantable set. */
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
 * A new role may be no wider than the roles that its maker may grant. A maker who may grant role administration itself
 * is not bound by that: otherwise no one could ever grant the scopes of a newly installed domain.
 */
export async function requireDefinable(
  tx: Connection,
  administratorId: string,
  role: Defined,
): Promise<void> {
  const mine = await grantableOf(tx, administratorId);
  if (mine.some((granted) => gives(granted, 'roles:manage'))) return;
  if (isWithinRoles(role, mine)) return;
  throw beyond(
    role.holder === 'agent'
      ? 'This role would allow more than any one role for agents of your grantable set.'
      : 'This role would allow more than the roles for people of your grantable set together.',
  );
}

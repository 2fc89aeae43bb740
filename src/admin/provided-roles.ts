import { isoTime } from '../core/clock.js';
import { badInput, notFound } from '../core/errors.js';
import { all, eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { roles, users, type RoleRow, type UserRow } from '../store/tables/identity.js';
import {
  providedUserRoles,
  providerGroupRoles,
  type IdentityProviderRow,
  type ProvidedUserRoleRow,
  type ProviderGroupRoleRow,
} from '../store/tables/identity-providers.js';
import { isLastAdministrator } from './administrators.js';
import { holdsRole, removeRole, giveProvidedRole } from './assignments.js';
import { grantableOf, requireGrantable } from './grantable-roles.js';
import { lockProvider } from './locked-provider.js';
import type { UnitOfWork } from './unit-of-work.js';

/** A group of a provider, by its exact name there. */
export function groupName(text: string): string {
  if (text !== '' && [...text].length <= 255 && text.isWellFormed()) return text;
  throw badInput('A group has a name of 1 to 255 characters.', 'group');
}

/** People in this group get the role at their next sign-in with the provider, not before. */
export async function mapGroup(
  unit: UnitOfWork,
  by: string,
  { id: providerId }: IdentityProviderRow,
  group: string,
  role: RoleRow,
): Promise<void> {
  if (role.holder !== 'person') throw badInput('This role is for agents.', 'roleId');
  await requireGrantable(unit.tx, by, [role]);
  const name = groupName(group);
  await lockProvider(unit.tx, providerId);
  if ((await unit.tx.one(providerGroupRoles, entryOf(providerId, name, role.id))) !== undefined) return;
  const grantedAt = isoTime(unit.clock.now());
  await unit.tx.insert(providerGroupRoles, [
    { providerId, groupName: name, roleId: role.id, grantedBy: by, grantedAt },
  ]);
  noteMap(unit, role, null, providerId);
}

/** People lose the role at their next sign-in with the provider, not before. */
export async function unmapGroup(
  unit: UnitOfWork,
  by: string,
  { id: providerId }: IdentityProviderRow,
  group: string,
  role: RoleRow,
): Promise<void> {
  await lockProvider(unit.tx, providerId);
  await requireGrantable(unit.tx, by, [role]);
  const removed = await unit.tx.delete(providerGroupRoles, entryOf(providerId, group, role.id));
  if (removed === 0) throw notFound('This entry of the map');
  noteMap(unit, role, providerId, null);
}

const entryOf = (providerId: string, group: string, roleId: string) =>
  all<ProviderGroupRoleRow>(eq('providerId', providerId), eq('groupName', group), eq('roleId', roleId));

function noteMap(unit: UnitOfWork, role: RoleRow, before: string | null, after: string | null): void {
  const shown = (providerId: string | null) => (providerId === null ? null : { mappedBy: providerId });
  unit.trail.touched(roles.type, [role.id], 'update');
  unit.trail.changed({ type: roles.type, id: role.id, before: shown(before), after: shown(after) });
}

/** The entries whose administrators are active and could still grant the role. Other entries give nothing. */
export async function entriesInForce(
  tx: Connection,
  map: readonly ProviderGroupRoleRow[],
): Promise<ProviderGroupRoleRow[]> {
  const grantable = new Map<string, ReadonlySet<string>>();
  for (const by of new Set(map.map(({ grantedBy }) => grantedBy))) {
    const isActive = (await tx.byId(users, by))?.status === 'active';
    grantable.set(by, new Set(isActive ? (await grantableOf(tx, by)).map(({ id }) => id) : []));
  }
  return map.filter(({ grantedBy, roleId }) => grantable.get(grantedBy)?.has(roleId) === true);
}

/**
 * Sets the roles that a person has from this provider to the roles of their groups. Roles assigned by hand stay. Nobody
 * gets a role by an entry that they made themselves, because nobody assigns roles to themselves. The last administrator
 * stays one.
 */
export async function provideRoles(
  unit: UnitOfWork,
  provider: IdentityProviderRow,
  user: UserRow,
  groups: readonly string[],
): Promise<void> {
  const { tx } = unit;
  const member = new Set(groups);
  const map = await tx.select(providerGroupRoles, eq<ProviderGroupRoleRow>('providerId', provider.id));
  const wanted = new Map(
    (await entriesInForce(tx, map))
      .filter((entry) => member.has(entry.groupName) && entry.grantedBy !== user.id)
      .map(({ roleId, grantedBy }) => [roleId, grantedBy]),
  );
  const mine = all<ProvidedUserRoleRow>(eq('userId', user.id), eq('providerId', provider.id));
  const provided = await tx.select(providedUserRoles, mine);
  for (const one of provided)
    if (!wanted.has(one.roleId) && !(await isLastAdministrator(tx, one))) await takeProvided(unit, one);
  const had = new Set(provided.map(({ roleId }) => roleId));
  const missing = await tx.select(
    roles,
    isIn<RoleRow>(
      'id',
      [...wanted.keys()].filter((id) => !had.has(id)),
    ),
  );
  for (const role of missing) await provide(unit, provider, user, role, wanted.get(role.id) ?? null);
}

async function provide(
  unit: UnitOfWork,
  { id: providerId }: IdentityProviderRow,
  user: UserRow,
  role: RoleRow,
  grantedBy: string | null,
): Promise<void> {
  const others = await unit.tx.select(providedUserRoles, ofRole(user.id, role.id));
  const isByHand = others.length === 0 && (await holdsRole(unit.tx, user.id, role.id));
  if (isByHand) return;
  await giveProvidedRole(unit, user, role, grantedBy);
  await unit.tx.insert(providedUserRoles, [{ userId: user.id, roleId: role.id, providerId }]);
}

/** Takes a provided role away. The person keeps it where another provider gives it too. */
export async function takeProvided(
  unit: UnitOfWork,
  { userId, roleId, providerId }: ProvidedUserRoleRow,
): Promise<void> {
  const { tx } = unit;
  await tx.delete(providedUserRoles, all(ofRole(userId, roleId), eq('providerId', providerId)));
  if ((await tx.select(providedUserRoles, ofRole(userId, roleId))).length > 0) return;
  await removeRole(unit, userId, roleId);
}

const ofRole = (userId: string, roleId: string) =>
  all<ProvidedUserRoleRow>(eq('userId', userId), eq('roleId', roleId));

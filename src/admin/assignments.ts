import { isoTime } from '../core/clock.js';
import { badInput } from '../core/errors.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import {
  agentRoles,
  agents,
  grantableRoles,
  userRoles,
  users,
  type AgentRow,
  type RoleRow,
  type UserRow,
} from '../store/tables/identity.js';
import { providedUserRoles, type ProvidedUserRoleRow } from '../store/tables/identity-providers.js';
import type { RowOf, Table } from '../store/tables/table.js';
import { requireAdministrator } from './administrators.js';
import { grantableOf, requireGrantable, requireOther, rolesNamed } from './grantable-roles.js';
import type { UnitOfWork } from './unit-of-work.js';

/** A table of assignments: roles of people, or roles of agents. */
interface Assignments<Row> {
  readonly holder: RoleRow['holder'];
  readonly table: Table<Row>;
  /** The column that names the holder. */
  readonly column: keyof Row & string;
  /** The type of the holder in records. */
  readonly type: string;
  readonly row: (holderId: string, given: Given) => Row;
}
type Given = Pick<RowOf<typeof userRoles>, 'roleId' | 'grantedBy' | 'grantedAt'>;

const ofPeople: Assignments<RowOf<typeof userRoles>> = {
  ...{ holder: 'person', table: userRoles, column: 'userId', type: users.type },
  row: (userId, given) => ({ userId, ...given }),
};
const ofAgents: Assignments<RowOf<typeof agentRoles>> = {
  ...{ holder: 'agent', table: agentRoles, column: 'agentId', type: agents.type },
  row: (agentId, given) => ({ agentId, ...given }),
};

/**
 * Gives a person a role by hand. `grantedBy` is null for the server's own terminal. A role that an identity provider
 * gave stays from now on, whatever the person's groups are.
 */
export async function giveRole(
  unit: UnitOfWork,
  user: Pick<UserRow, 'id'>,
  role: RoleRow,
  grantedBy: string | null,
): Promise<void> {
  await give(unit, ofPeople, user.id, role, grantedBy);
  if (!(await forgetProviders(unit, user.id, role.id))) return;
  const grantedAt = isoTime(unit.clock.now());
  await unit.tx.update(userRoles, ofUser(user.id, role.id), { grantedBy, grantedAt });
  noteRole(unit, users.type, user.id, null, role.name);
}

/** Gives a person a role for their groups at an identity provider. */
export const giveProvidedRole = (
  unit: UnitOfWork,
  user: Pick<UserRow, 'id'>,
  role: RoleRow,
  grantedBy: string | null,
): Promise<void> => give(unit, ofPeople, user.id, role, grantedBy);

const ofUser = (userId: string, roleId: string) =>
  all<RowOf<typeof userRoles>>(eq('userId', userId), eq('roleId', roleId));

export const holdsRole = async (tx: Connection, userId: string, roleId: string): Promise<boolean> =>
  (await tx.one(userRoles, ofUser(userId, roleId))) !== undefined;

/** Takes away a role that no provider gives any more. */
export async function removeRole(unit: UnitOfWork, userId: string, roleId: string): Promise<void> {
  if ((await unit.tx.delete(userRoles, ofUser(userId, roleId))) === 0) return;
  await bumpEpoch(unit.tx);
  const [role] = await rolesNamed(unit.tx, [roleId]);
  noteRole(unit, users.type, userId, role?.name ?? roleId, null);
}

/** Makes the role one that was assigned by hand. Returns whether a provider had given it. */
const forgetProviders = async ({ tx }: UnitOfWork, userId: string, roleId: string): Promise<boolean> =>
  (await tx.delete(providedUserRoles, all<ProvidedUserRoleRow>(eq('userId', userId), eq('roleId', roleId)))) >
  0;

/** Gives an agent a role, which becomes part of its ceiling. */
export const giveAgentRole = (
  unit: UnitOfWork,
  agent: Pick<AgentRow, 'id'>,
  role: RoleRow,
  grantedBy: string | null,
): Promise<void> => give(unit, ofAgents, agent.id, role, grantedBy);

async function give<Row extends { readonly roleId: string }>(
  unit: UnitOfWork,
  { holder, table, column, type, row }: Assignments<Row>,
  holderId: string,
  role: RoleRow,
  grantedBy: string | null,
): Promise<void> {
  if (role.holder !== holder) {
    throw badInput(`This role is for ${role.holder === 'agent' ? 'agents' : 'people'}.`, 'roleId');
  }
  const grantedAt = isoTime(unit.clock.now());
  const held = await unit.tx.one(table, all(eq(column, holderId), eq('roleId', role.id)));
  if (held !== undefined) return;
  await unit.tx.insert(table, [row(holderId, { roleId: role.id, grantedBy, grantedAt })]);
  await bumpEpoch(unit.tx);
  noteRole(unit, type, holderId, null, role.name);
}

/** Returns whether the holder had the role. */
async function take<Row extends { readonly roleId: string }>(
  unit: UnitOfWork,
  { table, column, type }: Assignments<Row>,
  by: string,
  holderId: string,
  role: RoleRow,
): Promise<boolean> {
  await requireGrantable(unit.tx, by, [role]);
  const removed = await unit.tx.delete(table, all(eq(column, holderId), eq('roleId', role.id)));
  if (removed === 0) return false;
  await bumpEpoch(unit.tx);
  noteRole(unit, type, holderId, role.name, null);
  return true;
}

/** Lets a person assign these roles to others, beside the roles they could assign before. */
export async function addGrantable(
  unit: UnitOfWork,
  userId: string,
  wanted: readonly RoleRow[],
): Promise<void> {
  const had = new Set((await grantableOf(unit.tx, userId)).map((role) => role.id));
  const added = wanted.filter((role) => !had.has(role.id));
  await unit.tx.insert(
    grantableRoles,
    added.map((role) => ({ userId, roleId: role.id })),
  );
}

export async function assignRole(unit: UnitOfWork, by: string, user: UserRow, role: RoleRow): Promise<void> {
  requireOther(by, user.id);
  await requireGrantable(unit.tx, by, [role]);
  await giveRole(unit, user, role, by);
}

export async function unassignRole(
  unit: UnitOfWork,
  by: string,
  user: UserRow,
  role: RoleRow,
): Promise<void> {
  if (!(await take(unit, ofPeople, by, user.id, role))) return;
  await forgetProviders(unit, user.id, role.id);
  await requireAdministrator(unit.tx);
}

export async function assignAgentRole(
  unit: UnitOfWork,
  by: string,
  agent: AgentRow,
  role: RoleRow,
): Promise<void> {
  await requireGrantable(unit.tx, by, [role]);
  await giveAgentRole(unit, agent, role, by);
}

export async function unassignAgentRole(
  unit: UnitOfWork,
  by: string,
  agent: AgentRow,
  role: RoleRow,
): Promise<void> {
  await take(unit, ofAgents, by, agent.id, role);
}

/** Replaces the whole set. `by` can add or remove only roles of their own set; other roles may stay. */
export async function setGrantable(
  unit: UnitOfWork,
  by: string,
  user: UserRow,
  wanted: readonly RoleRow[],
): Promise<void> {
  requireOther(by, user.id);
  const before = await grantableOf(unit.tx, user.id);
  const had = new Set(before.map((role) => role.id));
  const unique = [...new Map(wanted.map((role) => [role.id, role])).values()];
  const kept = new Set(unique.map((role) => role.id));
  await requireGrantable(unit.tx, by, [
    ...unique.filter((role) => !had.has(role.id)),
    ...before.filter((role) => !kept.has(role.id)),
  ]);
  await unit.tx.delete(grantableRoles, eq('userId', user.id));
  await unit.tx.insert(
    grantableRoles,
    unique.map((role) => ({ userId: user.id, roleId: role.id })),
  );
  await bumpEpoch(unit.tx);
  const names = (list: readonly RoleRow[]): string[] => list.map((role) => role.name).sort();
  unit.trail.changed({
    type: users.type,
    id: user.id,
    before: { grantableRoles: names(before) },
    after: { grantableRoles: names(unique) },
  });
}

function noteRole(
  unit: UnitOfWork,
  type: string,
  id: string,
  before: string | null,
  after: string | null,
): void {
  unit.trail.touched(type, [id], 'update');
  unit.trail.changed({
    type,
    id,
    before: before === null ? null : { role: before },
    after: after === null ? null : { role: after },
  });
}

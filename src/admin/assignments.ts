import { isoTime } from '../core/clock.js';
import { badInput } from '../core/errors.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { all, eq } from '../store/sql/condition.js';
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
import { requireAdministrator } from './administrators.js';
import { grantableOf, requireGrantable, requireOther } from './grantable.js';
import type { Work } from './unit-of-work.js';

/** Gives a person a role. `grantedBy` is null at the server's own terminal. */
export async function giveRole(
  work: Work,
  user: Pick<UserRow, 'id'>,
  role: RoleRow,
  grantedBy: string | null,
): Promise<void> {
  if (role.holder !== 'person') throw badInput('This role is for agents.', 'roleId');
  const grantedAt = isoTime(work.clock.now());
  const held = await work.tx.one(userRoles, all(eq('userId', user.id), eq('roleId', role.id)));
  if (held !== undefined) return;
  await work.tx.insert(userRoles, [{ userId: user.id, roleId: role.id, grantedBy, grantedAt }]);
  await bumpEpoch(work.tx);
  noteRole(work, users.type, user.id, null, role.name);
}

/** Gives an agent a role, which becomes part of its ceiling. */
export async function giveAgentRole(
  work: Work,
  agent: Pick<AgentRow, 'id'>,
  role: RoleRow,
  grantedBy: string | null,
): Promise<void> {
  if (role.holder !== 'agent') throw badInput('This role is for people.', 'roleId');
  const grantedAt = isoTime(work.clock.now());
  const held = await work.tx.one(agentRoles, all(eq('agentId', agent.id), eq('roleId', role.id)));
  if (held !== undefined) return;
  await work.tx.insert(agentRoles, [{ agentId: agent.id, roleId: role.id, grantedBy, grantedAt }]);
  await bumpEpoch(work.tx);
  noteRole(work, agents.type, agent.id, null, role.name);
}

/** Lets a person assign roles to others; what they could assign before stays. */
export async function addGrantable(work: Work, userId: string, wanted: readonly RoleRow[]): Promise<void> {
  const had = new Set((await grantableOf(work.tx, userId)).map((role) => role.id));
  const added = wanted.filter((role) => !had.has(role.id));
  await work.tx.insert(
    grantableRoles,
    added.map((role) => ({ userId, roleId: role.id })),
  );
}

export async function assignRole(work: Work, by: string, user: UserRow, role: RoleRow): Promise<void> {
  requireOther(by, user.id);
  await requireGrantable(work.tx, by, [role]);
  await giveRole(work, user, role, by);
}

export async function unassignRole(work: Work, by: string, user: UserRow, role: RoleRow): Promise<void> {
  await requireGrantable(work.tx, by, [role]);
  const removed = await work.tx.delete(userRoles, all(eq('userId', user.id), eq('roleId', role.id)));
  if (removed === 0) return;
  await bumpEpoch(work.tx);
  await requireAdministrator(work.tx);
  noteRole(work, users.type, user.id, role.name, null);
}

export async function assignAgentRole(work: Work, by: string, agent: AgentRow, role: RoleRow): Promise<void> {
  await requireGrantable(work.tx, by, [role]);
  await giveAgentRole(work, agent, role, by);
}

export async function unassignAgentRole(
  work: Work,
  by: string,
  agent: AgentRow,
  role: RoleRow,
): Promise<void> {
  await requireGrantable(work.tx, by, [role]);
  const removed = await work.tx.delete(agentRoles, all(eq('agentId', agent.id), eq('roleId', role.id)));
  if (removed === 0) return;
  await bumpEpoch(work.tx);
  noteRole(work, agents.type, agent.id, role.name, null);
}

/** The whole set. Nobody passes on more than they have; what the other had may stay. */
export async function setGrantable(
  work: Work,
  by: string,
  user: UserRow,
  wanted: readonly RoleRow[],
): Promise<void> {
  requireOther(by, user.id);
  const before = await grantableOf(work.tx, user.id);
  const had = new Set(before.map((role) => role.id));
  const unique = [...new Map(wanted.map((role) => [role.id, role])).values()];
  const kept = new Set(unique.map((role) => role.id));
  await requireGrantable(work.tx, by, [
    ...unique.filter((role) => !had.has(role.id)),
    ...before.filter((role) => !kept.has(role.id)),
  ]);
  await work.tx.delete(grantableRoles, eq('userId', user.id));
  await work.tx.insert(
    grantableRoles,
    unique.map((role) => ({ userId: user.id, roleId: role.id })),
  );
  await bumpEpoch(work.tx);
  const names = (list: readonly RoleRow[]): string[] => list.map((role) => role.name).sort();
  work.trail.changed({
    type: users.type,
    id: user.id,
    before: { grantableRoles: names(before) },
    after: { grantableRoles: names(unique) },
  });
}

function noteRole(work: Work, type: string, id: string, before: string | null, after: string | null): void {
  work.trail.touched(type, [id], 'update');
  work.trail.changed({
    type,
    id,
    before: before === null ? null : { role: before },
    after: after === null ? null : { role: after },
  });
}

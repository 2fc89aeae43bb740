import { all } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { agentRoles, agents, roles, userRoles, users } from '../../store/tables/identity.js';

export interface ListedUser {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly status: string;
  readonly mustChangePassword: boolean;
  readonly roles: readonly string[];
  readonly createdAt: string;
}

export interface ListedAgent {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly businessTask: string;
  readonly owner: string;
  readonly status: string;
  readonly roles: readonly string[];
  readonly createdAt: string;
}

const byName = { order: [{ column: 'name', direction: 'asc' }] } as const;

/** Every account with the names of its roles; no e-mail addresses and no hashes. */
export async function listUsers(connection: Connection): Promise<ListedUser[]> {
  const names = await roleNames(connection);
  const held = await connection.select(userRoles, all());
  const rows = await connection.select(users, all(), byName);
  return rows.map(({ id, name, displayName, status, mustChangePassword, createdAt }) => ({
    ...{ id, name, displayName, status, mustChangePassword },
    roles: held.flatMap((row) => (row.userId === id ? [names.get(row.roleId) ?? row.roleId] : [])).sort(),
    createdAt,
  }));
}

/** Every agent with the names of its owner and its roles. */
export async function listAgents(connection: Connection): Promise<ListedAgent[]> {
  const names = await roleNames(connection);
  const held = await connection.select(agentRoles, all());
  const owners = new Map((await connection.select(users, all())).map((user) => [user.id, user.name]));
  const rows = await connection.select(agents, all(), byName);
  return rows.map(({ id, name, displayName, businessTask, ownerId, status, createdAt }) => ({
    ...{ id, name, displayName, businessTask, status },
    owner: owners.get(ownerId) ?? ownerId,
    roles: held.flatMap((row) => (row.agentId === id ? [names.get(row.roleId) ?? row.roleId] : [])).sort(),
    createdAt,
  }));
}

const roleNames = async (connection: Connection): Promise<Map<string, string>> =>
  new Map((await connection.select(roles, all())).map((role) => [role.id, role.name]));

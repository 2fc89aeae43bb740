import { badInput } from '../core/errors.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import type { Table } from '../store/tables/table.js';
import { agents, roles, users, type AgentRow, type RoleRow, type UserRow } from '../store/tables/identity.js';
import { assignAgentRole, assignRole, setGrantable, unassignAgentRole, unassignRole } from './assignments.js';
import { withoutPassword } from './users.js';
import { changing, type UnitOfWork } from './unit-of-work.js';

interface UserRoleArgs {
  readonly userId: string;
  readonly roleId: string;
  readonly idempotencyKey: string;
}
interface AgentRoleArgs {
  readonly agentId: string;
  readonly roleId: string;
  readonly idempotencyKey: string;
}
interface GrantableArgs {
  readonly userId: string;
  readonly roleIds: readonly string[];
  readonly idempotencyKey: string;
}

const scope = 'roles:assign';
const roleIdsMax = 200;

type Assign<Holder> = (unit: UnitOfWork, by: string, holder: Holder, role: RoleRow) => Promise<void>;

/** Locks the role and its holder, so that neither changes before the rule about both is decided. */
async function assigning<Holder extends { id: string; version: number }>(
  operation: Operation,
  holders: Table<Holder>,
  holderId: string,
  roleId: string,
  assign: Assign<Holder>,
): Promise<Holder> {
  const role = await operation.rows.inside(roles, roleId, scope, true);
  return changing(operation, holders, holderId, scope, (holder, unit) =>
    assign(unit, operation.authority.chain.person.id, holder, role),
  );
}

const ofUser =
  (name: string, assign: Assign<UserRow>) =>
  (_: unknown, { userId, roleId, idempotencyKey }: UserRoleArgs, operation: Operation) =>
    operation.once(idempotencyKey, { name, userId, roleId }, { user: users }, async () => ({
      user: withoutPassword(await assigning(operation, users, userId, roleId, assign)),
    }));

const ofAgent =
  (name: string, assign: Assign<AgentRow>) =>
  (_: unknown, { agentId, roleId, idempotencyKey }: AgentRoleArgs, operation: Operation) =>
    operation.once(idempotencyKey, { name, agentId, roleId }, { agent: agents }, async () => ({
      agent: await assigning(operation, agents, agentId, roleId, assign),
    }));

const setGrantableRoles = (_: unknown, args: GrantableArgs, operation: Operation) => {
  const { userId, roleIds, idempotencyKey } = args;
  const input = { setGrantableRoles: userId, roleIds };
  return operation.once(idempotencyKey, input, { user: users }, async () => {
    if (roleIds.length > roleIdsMax) throw badInput(`At most ${String(roleIdsMax)} roles.`, 'roleIds');
    const wanted: RoleRow[] = [];
    for (const roleId of roleIds) wanted.push(await operation.rows.inside(roles, roleId, scope));
    const user = await changing(operation, users, userId, scope, (before, unit) =>
      setGrantable(unit, operation.authority.chain.person.id, before, wanted),
    );
    return { user: withoutPassword(user) };
  });
};

export const assignmentResolvers: Resolvers = {
  Mutation: {
    assignRole: ofUser('assignRole', assignRole),
    unassignRole: ofUser('unassignRole', unassignRole),
    assignAgentRole: ofAgent('assignAgentRole', assignAgentRole),
    unassignAgentRole: ofAgent('unassignAgentRole', unassignAgentRole),
    setGrantableRoles,
  },
};

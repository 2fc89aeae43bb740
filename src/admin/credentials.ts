import { isoTime } from '../core/clock.js';
import { endAll, noteEnds, withDescendants } from '../delegation/end-delegation.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { all, compare, eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import {
  agentRoles,
  delegations,
  userRoles,
  type AgentRow,
  type DelegationRow,
  type UserRow,
} from '../store/tables/identity.js';
import { grantableOf, requireGrantable, rolesNamed } from './grantable-roles.js';
import type { UnitOfWork } from './unit-of-work.js';

/** A live delegation that uses roles outside a grantable set. */
export interface Beyond {
  readonly delegationId: string;
  /** Names of the roles outside the set: of the person, and of the agents of the chain. */
  readonly missingRoles: readonly string[];
}

/**
 * Setting an agent's credentials, or starting it, allows acting by its roles. So the administrator must be allowed to
 * grant all of them.
 */
export async function requireGrantableAgent(tx: Connection, by: string, { id }: AgentRow): Promise<void> {
  const held = await tx.select(agentRoles, eq('agentId', id));
  await requireGrantable(
    tx,
    by,
    await rolesNamed(
      tx,
      held.map(({ roleId }) => roleId),
    ),
  );
}

/**
 * Setting a person's password, or enabling the account, allows acting as that person. So the administrator must be
 * allowed to grant all their roles, and all roles that they may assign.
 */
export async function requireGrantableUser(
  tx: Connection,
  by: string,
  { id }: Pick<UserRow, 'id'>,
): Promise<void> {
  const held = await tx.select(userRoles, eq('userId', id));
  const mine = await rolesNamed(
    tx,
    held.map(({ roleId }) => roleId),
  );
  await requireGrantable(tx, by, [...mine, ...(await grantableOf(tx, id))]);
}

/**
 * New credentials make a new agent, while people handed their tasks to the old one. Ends the live delegations with this
 * agent in their chain that use a role, of the person or of an agent, outside the grantable set of `by`. What remains
 * gives `by` nothing that another account could not get from them. Moves the version first, so that a delegation made
 * at the same moment is either seen here or made after the change. `FORBIDDEN` where the agent itself holds such a
 * role.
 */
export async function endBeyond(unit: UnitOfWork, by: string, agent: AgentRow): Promise<readonly Beyond[]> {
  const { tx, clock, trail } = unit;
  await bumpEpoch(tx);
  await requireGrantableAgent(tx, by, agent);
  const beyond = await findBeyond(tx, by, agent.id, clock.now());
  const ids = beyond.map(({ delegationId }) => delegationId);
  noteEnds(trail, await endAll({ tx, clock, by }, ids));
  return beyond;
}

/** The delegations and tokens that `endBeyond` would end. Throws as `endBeyond` does. */
export async function lookBeyond(
  { tx, clock }: Pick<UnitOfWork, 'tx' | 'clock'>,
  by: string,
  agent: AgentRow,
): Promise<readonly Beyond[]> {
  await requireGrantableAgent(tx, by, agent);
  return findBeyond(tx, by, agent.id, clock.now());
}

async function findBeyond(
  tx: Connection,
  by: string,
  agentId: string,
  now: number,
): Promise<readonly Beyond[]> {
  const chains = await chainsWith(tx, agentId, now);
  const grantable = new Set((await grantableOf(tx, by)).map(({ id }) => id));
  const people = [...new Set(chains.map(([{ userId }]) => userId))];
  const held = await tx.select(userRoles, isIn('userId', people));
  const beyond = chains.map(([leaf, ...above]) => {
    const used = [
      ...held.flatMap(({ userId, roleId }) => (userId === leaf.userId ? [roleId] : [])),
      ...[leaf, ...above].map(({ roleId }) => roleId),
    ];
    return { delegationId: leaf.id, missing: [...new Set(used)].filter((id) => !grantable.has(id)) };
  });
  const roles = await rolesNamed(tx, [...new Set(beyond.flatMap(({ missing }) => missing))]);
  const names = new Map(roles.map(({ id, name }) => [id, name]));
  return beyond
    .filter(({ missing }) => missing.length > 0)
    .map(({ delegationId, missing }) => ({
      delegationId,
      missingRoles: missing.map((id) => names.get(id) ?? id).sort(),
    }));
}

/** Each live delegation with this agent in its chain, with its parents. */
async function chainsWith(
  tx: Connection,
  agentId: string,
  now: number,
): Promise<[leaf: DelegationRow, ...above: DelegationRow[]][]> {
  const isLive = all<DelegationRow>(eq('status', 'active'), compare('expiresAt', '>', isoTime(now)));
  const own = await tx.select(delegations, all(eq<DelegationRow>('agentId', agentId), isLive));
  const ids = await withDescendants(
    tx,
    own.map(({ id }) => id),
  );
  const live = await tx.select(delegations, all(isIn<DelegationRow>('id', ids), isLive), {
    order: [{ column: 'id', direction: 'asc' }],
  });
  const known = new Map(live.map((row) => [row.id, row]));
  const chains: [DelegationRow, ...DelegationRow[]][] = [];
  for (const leaf of live) {
    const chain: [DelegationRow, ...DelegationRow[]] = [leaf];
    for (let id = leaf.parentId; id !== null;) {
      const row: DelegationRow | undefined = known.get(id) ?? (await tx.byId(delegations, id));
      if (row === undefined) break;
      known.set(row.id, row);
      chain.push(row);
      id = row.parentId;
    }
    chains.push(chain);
  }
  return chains;
}

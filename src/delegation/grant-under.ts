import type { Authority } from '../authority/authority.js';
import { unauthenticated } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import { agents, type DelegationRow } from '../store/tables/identity.js';
import { refused } from './narrow-delegation.js';
import type { ActingClient, DelegationChain, TokenGrant } from './token-grant.js';

/**
 * The grant of a token under a delegation. Throws `FORBIDDEN` for scopes that the delegation lacks, `UNAUTHENTICATED` where
 * the agent was stopped or got new credentials since its client was read.
 */
export async function grantUnder(
  tx: Connection,
  authority: Authority,
  row: DelegationRow,
  client: ActingClient,
  requested: readonly string[] | undefined,
): Promise<TokenGrant> {
  const missing = (requested ?? []).filter((scope) => !row.scopes.includes(scope));
  if (missing.length > 0) throw refused('delegation', missing);
  // Read after the authority: a generation never decreases, so an equal one now was equal then.
  const agent = await tx.byId(agents, client.agentId);
  if (agent?.tokenGeneration !== client.agentGeneration) {
    throw unauthenticated('This agent was stopped, or got new credentials, a moment ago. Ask again.');
  }
  return {
    delegationId: row.id,
    userId: row.userId,
    agentId: row.agentId,
    scopes: requested ?? row.scopes,
    createdAt: Date.parse(row.createdAt),
    expiresAt: authority.expiresAt,
    resources: row.resources,
    generation: authority.task?.generation ?? 0,
    chain: chainIn(authority),
  };
}

/** The parties of an authority, in order of acting. */
export const chainIn = (authority: Authority): DelegationChain => ({
  userId: authority.chain.person.id,
  userName: authority.chain.person.name,
  agents: authority.chain.agents.map(({ id, name, delegationId }) => ({ id, name, delegationId })),
});

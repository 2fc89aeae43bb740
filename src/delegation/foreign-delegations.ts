import type { Authority } from '../authority/authority.js';
import { unauthenticated, badInput, notFound } from '../core/errors.js';
import { isId } from '../core/ids.js';
import type { Connection } from '../store/sql/connection.js';
import { delegations, type DelegationRow, type StoredBoundary } from '../store/tables/identity.js';
import { findConsent } from './consent.js';
import { makeDelegation, makeSubDelegation, type CreateContext } from './create-delegation.js';
import { noteIssuer } from './issuer-delegations.js';
import { refused } from './narrow-delegation.js';
import type { ForeignTokenInput, KnownChain } from './token-grant.js';

/** The authorization server's delegations, as the use of a foreign token needs them. */
interface ForeignContext extends CreateContext {
  /** The person's own rights, within these scopes. Throws where they may not hand over tasks. */
  person(userId: string, scopes: readonly string[]): Promise<Authority>;
  authority(row: DelegationRow): Promise<Authority>;
  recordMade(row: DelegationRow): Promise<void>;
  readonly boundary: StoredBoundary | undefined;
}

/**
 * The delegation under which a foreign token is used: the one that the request names, or a new one. Claims give no right:
 * the person has consented to every agent that the token names, and each narrows what is handed over. The token is used up
 * in the same transaction.
 */
export async function delegationOf(
  context: ForeignContext,
  input: ForeignTokenInput,
): Promise<{ readonly row: DelegationRow; readonly scopes: readonly string[] }> {
  const chain = await input.chainIn(context.tx);
  if (chain.agentIds.at(-1) !== input.agentId)
    throw unauthenticated('The token names another agent as the one that acts now.');
  if (!(await input.firstUseIn(context.tx))) throw unauthenticated('The token was used before.');
  if (input.tokenScopes?.some((scope) => context.catalog.definitions.has(scope)) === false)
    throw badInput('The token has no scope of this server.', 'scope');
  if (input.delegationId !== undefined) return namedDelegation(context, input, chain);
  const row = await makeChain(context, input, chain);
  return { row, scopes: row.scopes };
}

/** An existing delegation, where exactly these parties are its chain. */
async function namedDelegation(
  context: ForeignContext,
  input: ForeignTokenInput,
  { userId, agentIds }: KnownChain,
): Promise<{ readonly row: DelegationRow; readonly scopes: readonly string[] }> {
  const { tx } = context;
  const { delegationId = '', tokenScopes, scopes } = input;
  const links = isId(delegationId) ? await linksOf(tx, delegationId) : [];
  const row = links.at(-1);
  const isTheirs = links.map(({ agentId }) => agentId).join(' ') === agentIds.join(' ');
  // A delegation of another person or other agents looks like one that does not exist.
  if (row?.userId !== userId || !isTheirs) throw notFound('Delegation');
  if (input.resource !== undefined && row.resources?.includes(input.resource) === false)
    throw badInput('The delegation gives no tokens for this resource.', 'delegation');
  const beyond = (scopes ?? []).filter((scope) => tokenScopes?.includes(scope) === false);
  if (beyond.length > 0) throw refused('token', beyond);
  const narrowed = (scopes ?? row.scopes).filter((scope) => tokenScopes?.includes(scope) !== false);
  if (narrowed.length === 0) throw refused('token', row.scopes);
  await noteIssuer(context, input, row, false);
  return { row, scopes: narrowed };
}

/** The delegations of a chain, beginning with the person's own. */
async function linksOf(tx: Connection, delegationId: string): Promise<DelegationRow[]> {
  const links: DelegationRow[] = [];
  for (let id: string | null = delegationId; id !== null;) {
    const row: DelegationRow | undefined = await tx.byId(delegations, id);
    if (row === undefined) return [];
    links.unshift(row);
    id = row.parentId;
  }
  return links;
}

/** A delegation for the first agent, and a sub-delegation for each further one; each under the person's consent to it. */
async function makeChain(
  context: ForeignContext,
  input: ForeignTokenInput,
  { userId, agentIds }: KnownChain,
): Promise<DelegationRow> {
  const { catalog } = context;
  const { task, purpose, scopes } = input;
  if (task === undefined || purpose === undefined)
    throw badInput('Say which task this is for: `task` and `purpose`.', 'task');
  const resources = input.resource === undefined ? undefined : [input.resource];
  let row: DelegationRow | undefined;
  for (const agent of agentIds) {
    const named = agent === input.agentId ? input.role : undefined;
    const { role, ceiling, endsBy } = await findConsent(context, userId, agent, named);
    const under = { also: [ceiling], endsBy, resources };
    const request = { agent, role, scopes, ...input.limits, task, purpose };
    if (row === undefined) {
      const person = await context.person(userId, input.tokenScopes ?? [...catalog.definitions.keys()]);
      row = await makeDelegation(context, person, { ...request, boundary: context.boundary }, under);
    } else row = await makeSubDelegation(context, await context.authority(row), request, under);
    await noteIssuer(context, input, row, true);
    await context.recordMade(row);
  }
  if (row === undefined) throw unauthenticated('The token names no agent.');
  return row;
}

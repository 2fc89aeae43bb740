import type { KoaContextWithOIDC } from 'oidc-provider';
import { all, eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import { delegationDetails } from '../library/authorization-details.js';
import { generationOfToken, routeOf } from '../library/library-internals.js';
import type { ChainAgent, Delegations } from '../contract/dependencies.js';
import { generationMember } from '../library/token-lookup.js';

interface Actor {
  readonly sub: string;
  readonly client_id: string;
  readonly act?: Actor;
}

/** RFC 8693 section 4.1: the outermost actor acts now; nested ones acted before. */
export const nestActors = (agents: readonly ChainAgent[]): Actor | undefined =>
  agents.reduce<Actor | undefined>(
    (earlier, agent) => ({
      sub: agent.id,
      client_id: agent.name,
      ...(earlier === undefined ? {} : { act: earlier }),
    }),
    undefined,
  );

async function liveMembers(
  ctx: KoaContextWithOIDC,
  database: Database,
  delegations: Delegations,
): Promise<Record<string, unknown> | undefined> {
  const token = ctx.oidc.entities.AccessToken ?? ctx.oidc.entities.RefreshToken;
  if (token?.accountId === undefined) return undefined;
  const active = all(eq<UserRow>('id', token.accountId), eq<UserRow>('status', 'active'));
  if ((await database.read.one(users, active)) === undefined) return undefined;
  const delegationId = delegationDetails(token.rar)?.delegation;
  if (delegationId === undefined) return {};
  const chain = await delegations.chainOf(delegationId, generationOfToken(token));
  const act = nestActors(chain?.agents ?? []);
  return act === undefined ? undefined : { act, [generationMember]: undefined };
}

/**
 * RFC 7662, with a check of live rows: a token is not active once its person, an agent or the delegation has ended.
 * `act` is the current chain.
 */
export const makeIntrospection =
  (database: Database, delegations: Delegations) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const body: unknown = ctx.body;
    if (routeOf(ctx) !== 'introspection' || typeof body !== 'object' || body === null) return;
    if (!('active' in body) || body.active !== true) return;
    const live = await liveMembers(ctx, database, delegations);
    ctx.body = live === undefined ? { active: false } : { ...body, ...live };
  };

import type { KoaContextWithOIDC } from 'oidc-provider';
import { delegationDetails } from '../library/authorization-details.js';
import { generationOfToken, routeOf } from '../library/library-internals.js';
import type { ChainAgent, Delegations } from '../contract/dependencies.js';
import { paths } from '../contract/paths.js';
import { tooMany, type RequestLimits } from '../throttling/request-limits.js';
import { serverMember } from '../library/resource-server-clients.js';
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
  delegations: Delegations,
): Promise<Record<string, unknown> | undefined> {
  const token = ctx.oidc.entities.AccessToken ?? ctx.oidc.entities.RefreshToken;
  if (token?.accountId === undefined) return undefined;
  const extra = token instanceof ctx.oidc.provider.AccessToken ? token.extra : undefined;
  const acr = extra?.acr;
  const live = await delegations.liveToken({
    userId: token.accountId,
    delegationId: delegationDetails(token.rar)?.delegation,
    generation: generationOfToken(token),
    scopes: [...token.scopes],
    acr: typeof acr === 'string' ? acr : undefined,
  });
  if (live === undefined || live.scopes.length === 0) return undefined;
  const act = nestActors(live.agents);
  const scope = live.scopes.join(' ');
  const unshown = { [generationMember]: undefined, [serverMember]: undefined };
  return { scope, ...unshown, ...(act === undefined ? {} : { act }) };
}

/**
 * RFC 7662, with a check of live rows: a token is not active once its person, an agent or the delegation has ended.
 * `act` is the current chain, and `scope` has the scopes that every layer still holds.
 */
export const makeIntrospection =
  (
    delegations: Delegations,
    limits: RequestLimits,
    withClientsReadOnce: (work: () => Promise<void>) => Promise<void>,
  ) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await (ctx.path === paths.introspection ? withClientsReadOnce(next) : next());
    const body: unknown = ctx.body;
    if (routeOf(ctx) !== 'introspection' || typeof body !== 'object' || body === null) return;
    if (!('active' in body)) return;
    const waitSeconds = limits.waitSeconds('introspections', ctx);
    if (waitSeconds > 0) {
      ctx.status = 429;
      ctx.set('retry-after', String(waitSeconds));
      ctx.body = { error: 'slow_down', error_description: tooMany };
      return;
    }
    if (body.active !== true) return;
    const live = await liveMembers(ctx, delegations);
    ctx.body = live === undefined ? { active: false } : { ...body, ...live };
  };

import type { TokenEndpointGrantContext } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { onlyDelegation } from '../library/authorization-details.js';
import { actingClientOf } from '../library/library-internals.js';
import type { Delegations } from '../contract/dependencies.js';
import { describable, inOAuthWords } from '../library/oauth-errors.js';
import { issueToken, type IssueParts } from './issue-token.js';
import { requireBinding } from './token-binding.js';
import { requestedResource } from './requested-resource.js';

export const clientCredentials = 'client_credentials';
export const clientCredentialsParameters = ['scope', 'resource', 'authorization_details'];

export const requestedScopes = (ctx: TokenEndpointGrantContext): readonly string[] | undefined => {
  const { scope } = ctx.oidc.params;
  return scope === undefined || scope === '' ? undefined : scope.split(' ').filter((name) => name !== '');
};

const namedMax = 8;

/** The only active delegation of the agent. Throws where there is none, and where there are several, which it lists. */
async function onlyActive(delegations: Delegations, agentId: string): Promise<string> {
  const [only, ...more] = await delegations.activeOf(agentId, namedMax + 1);
  if (only === undefined) throw new errors.InvalidGrant('no delegation to this agent is active');
  if (more.length === 0) return only.id;
  const listed = [only, ...more].slice(0, namedMax).map(({ id, task }) => `${id} (${task.slice(0, 12)})`);
  const all = more.length < namedMax ? 'all' : 'the newest';
  throw new errors.InvalidAuthorizationDetails(
    describable(
      `several delegations are active, name one in authorization_details; ${all}: ${listed.join(', ')}`,
    ),
  );
}

/**
 * Replaces RFC 6749 section 4.4: an agent has no rights of its own, so the request names a delegation in
 * `authorization_details` (RFC 9396). An agent with one active delegation need not name it. The token belongs to the
 * delegating person and is used by this agent.
 *
 *     grant_type=client_credentials
 *     authorization_details=[{"type":"behalf_delegation","delegation":"01J…"}]
 */
export const makeClientCredentials =
  (delegations: Delegations, parts: IssueParts) =>
  async (ctx: TokenEndpointGrantContext): Promise<void> => {
    const client = actingClientOf(ctx.oidc.client);
    if (client === undefined) throw new errors.UnauthorizedClient('only agents use this grant type');
    const proof = await requireBinding(ctx);
    // A request for a resource or a scope that there is not is refused before its delegation is looked for.
    await requestedResource(ctx, null);
    const { delegation: named, ...rest } = onlyDelegation(ctx.oidc.params.authorization_details) ?? {
      type: '',
    };
    if (Object.keys(rest).length > 1)
      throw new errors.InvalidAuthorizationDetails(
        'name a delegation that is there, and nothing else; this grant makes none, and changes none',
      );
    const delegationId = named ?? (await onlyActive(delegations, client.agentId));
    const scopes = requestedScopes(ctx);
    const grant = await inOAuthWords('invalid_grant', () =>
      delegations.forClientCredentials({
        ...client,
        delegationId,
        ...(scopes === undefined ? {} : { scopes }),
      }),
    );
    await issueToken(ctx, parts, {
      grant,
      within: scopes ?? grant.scopes,
      proof,
      grantType: clientCredentials,
    });
  };

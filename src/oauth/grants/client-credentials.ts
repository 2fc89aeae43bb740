import type { TokenEndpointGrantContext } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { resolveRequestedResources } from 'oidc-provider/lib/helpers/grants.js';
import { onlyDelegation } from '../library/authorization-details.js';
import { actingClientOf } from '../library/library-internals.js';
import type { Delegations } from '../contract/dependencies.js';
import { inOAuthWords } from '../library/oauth-errors.js';
import { issueToken, type IssueParts } from './issue-token.js';
import { readDpopProof } from './dpop-proof.js';

export const clientCredentials = 'client_credentials';
export const clientCredentialsParameters = ['scope', 'resource', 'authorization_details'];

export const requestedScopes = (ctx: TokenEndpointGrantContext): readonly string[] | undefined => {
  const { scope } = ctx.oidc.params;
  return scope === undefined || scope === '' ? undefined : scope.split(' ').filter((name) => name !== '');
};

/**
 * Replaces RFC 6749 section 4.4: an agent has no rights of its own, so the request names a delegation in
 * `authorization_details` (RFC 9396). The token belongs to the delegating person and is used by this agent.
 *
 *     grant_type=client_credentials
 *     authorization_details=[{"type":"behalf_delegation","delegation":"01J…"}]
 */
export const makeClientCredentials =
  (delegations: Delegations, parts: IssueParts) =>
  async (ctx: TokenEndpointGrantContext): Promise<void> => {
    const client = actingClientOf(ctx.oidc.client);
    if (client === undefined) throw new errors.UnauthorizedClient('only agents use this grant type');
    const proof = await readDpopProof(ctx);
    await resolveRequestedResources(ctx.oidc.provider, ctx);
    const delegationId = onlyDelegation(ctx.oidc.params.authorization_details)?.delegation;
    if (delegationId === undefined) {
      throw new errors.InvalidAuthorizationDetails(
        "name the delegation to act under: authorization_details=[{'type':'behalf_delegation','delegation':'<id>'}]",
      );
    }
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

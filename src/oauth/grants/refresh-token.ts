import type { RefreshToken, TokenEndpointGrantContext } from 'oidc-provider';
import { consumeGrantSource, findGrantSource, validateGrant } from 'oidc-provider/lib/helpers/grants.js';
import { delegationDetails, onlyDelegation } from '../library/authorization-details.js';
import { generationOfToken } from '../library/library-internals.js';
import { inOAuthWords } from '../library/oauth-errors.js';
import { errors } from '../library/oidc-provider.js';
import type { ActingClient, Delegations } from '../contract/dependencies.js';
import { requestedScopes } from './client-credentials.js';
import { requireBinding } from './token-binding.js';
import { bindingFault } from './presented-token.js';
import { requestedResource } from './requested-resource.js';
import { issueToken, type IssueParts } from './issue-token.js';

export const refreshToken = 'refresh_token';

async function presented(ctx: TokenEndpointGrantContext): Promise<RefreshToken> {
  const { provider, params } = ctx.oidc;
  const value = params.refresh_token;
  if (typeof value !== 'string' || value === '')
    throw new errors.InvalidRequest('missing required parameter refresh_token');
  const token = await findGrantSource<RefreshToken>(
    provider,
    ctx,
    provider.RefreshToken,
    value,
    'refresh token',
  );
  if (token.isExpired) throw new errors.InvalidGrant('refresh token is expired');
  return token;
}

/** RFC 6749 section 6 and RFC 9396 section 6: a refresh narrows, and names nothing new. */
function narrowed(ctx: TokenEndpointGrantContext, token: RefreshToken): readonly string[] {
  const { params } = ctx.oidc;
  const scopes = requestedScopes(ctx) ?? [...token.scopes];
  const wider = scopes.filter((scope) => !token.scopes.has(scope));
  if (wider.length > 0)
    throw new errors.InvalidScope('the refresh token is not for this scope', wider.join(' '));
  const { type: _type, ...named } = onlyDelegation(params.authorization_details) ?? { type: '' };
  if (Object.entries(named).some(([name, value]) => name !== 'delegation' || value !== token.grantId))
    throw new errors.InvalidAuthorizationDetails('the refresh token is for another task');
  return scopes;
}

/**
 * An agent gets its next token under the delegation that a person made at its request (RFC 6749 section 6). Rights are
 * read anew, so a delegation that has ended gives none. The refresh token is used up: see `makeRefreshGrace`.
 */
export const makeRefreshToken =
  (delegations: Delegations, parts: IssueParts) =>
  async (ctx: TokenEndpointGrantContext, client: ActingClient): Promise<void> => {
    const { provider } = ctx.oidc;
    const proof = await requireBinding(ctx);
    const token = await presented(ctx);
    const { grantId = '' } = token;
    await validateGrant(provider, ctx, grantId);
    const fault = bindingFault(ctx, token, proof, parts);
    if (fault !== undefined) throw new errors.InvalidGrant(`the refresh token ${fault}`);
    const within = narrowed(ctx, token);
    const resource = await requestedResource(ctx, [token.resource ?? []].flat());
    const delegationId = delegationDetails(token.rar)?.delegation ?? '';
    const grant = await inOAuthWords('invalid_grant', () =>
      delegations.forClientCredentials({ ...client, delegationId }),
    );
    if (grant.generation !== generationOfToken(token))
      throw new errors.InvalidGrant('the tokens of this agent were ended: ask the person again');
    ctx.oidc.entity('RotatedRefreshToken', token);
    const useUp = (): Promise<void> => consumeGrantSource(provider, ctx, token, 'refresh token');
    const issue = { grant, within, resource, proof, grantType: refreshToken };
    await issueToken(ctx, parts, { ...issue, useUp, source: token });
  };

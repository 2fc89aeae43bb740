import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthorizationCode, TokenEndpointGrantContext } from 'oidc-provider';
import { consumeGrantSource, findGrantSource, validateGrant } from 'oidc-provider/lib/helpers/grants.js';
import { errors } from '../library/oidc-provider.js';
import { inOAuthWords } from '../library/oauth-errors.js';
import type { ActingClient, Delegations } from '../contract/dependencies.js';
import { issueToken, type IssueParts } from './issue-token.js';
import { requestedResource } from './requested-resource.js';
import { requireBinding, type DpopProof } from './token-binding.js';

export const authorizationCode = 'authorization_code';

function parameter(ctx: TokenEndpointGrantContext, name: string): string {
  const value = ctx.oidc.params[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new errors.InvalidRequest(`missing required parameter ${name}`);
}

/** RFC 7636 section 4.6, with `S256` alone. */
function requireVerifier({ codeChallenge = '' }: AuthorizationCode, verifier: string): void {
  const isForm = /^[A-Za-z0-9._~-]{43,128}$/.test(verifier);
  const given = Buffer.from(createHash('sha256').update(verifier).digest('base64url'));
  const expected = Buffer.from(codeChallenge);
  if (!isForm || given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new errors.InvalidGrant('code_verifier does not match code_challenge');
}

/** RFC 9449 section 10: a code that is bound to a key is redeemed with that key. */
function requireKey({ dpopJkt }: AuthorizationCode, proof: DpopProof): void {
  if (dpopJkt !== undefined && dpopJkt !== proof?.thumbprint)
    throw new errors.InvalidGrant('the code is bound to a key that this request does not prove (RFC 9449)');
}

/**
 * An agent redeems the code of its authorization request (RFC 6749 section 4.1.3) for a token under the delegation that
 * the person made on the consent page: `sub` is the person, and the client is the acting agent. The code ends with the
 * delegation. A code that is used twice ends the tokens of the first use.
 */
export const makeAuthorizationCode =
  (delegations: Delegations, parts: IssueParts) =>
  async (ctx: TokenEndpointGrantContext, client: ActingClient): Promise<void> => {
    const { provider } = ctx.oidc;
    const redirectUri = parameter(ctx, 'redirect_uri');
    const verifier = parameter(ctx, 'code_verifier');
    const proof = await requireBinding(ctx);
    const value = parameter(ctx, 'code');
    const code = await findGrantSource<AuthorizationCode>(
      provider,
      ctx,
      provider.AuthorizationCode,
      value,
      'authorization code',
    );
    if (code.isExpired) throw new errors.InvalidGrant('authorization code is expired');
    const { grantId: delegationId = '' } = code;
    await validateGrant(provider, ctx, delegationId);
    requireVerifier(code, verifier);
    if (code.redirectUri !== redirectUri)
      throw new errors.InvalidGrant('authorization code redirect_uri mismatch');
    requireKey(code, proof);
    const resource = await requestedResource(ctx, [code.resource ?? []].flat());
    await consumeGrantSource(provider, ctx, code, 'authorization code');
    ctx.oidc.entity('AuthorizationCode', code);
    const grant = await inOAuthWords('invalid_grant', () =>
      delegations.forClientCredentials({ ...client, delegationId }),
    );
    const issue = { grant, within: grant.scopes, resource, proof, grantType: authorizationCode };
    await issueToken(ctx, parts, { ...issue, source: code });
  };

import type { DeviceCode, TokenEndpointGrantContext } from 'oidc-provider';
import { consumeGrantSource, findGrantSource, validateGrant } from 'oidc-provider/lib/helpers/grants.js';
import { deviceCodeGrant } from '../library/device-codes.js';
import { inOAuthWords } from '../library/oauth-errors.js';
import { errors } from '../library/oidc-provider.js';
import type { ActingClient, Delegations } from '../contract/dependencies.js';
import type { Polls } from '../throttling/polls.js';
import { readDpopProof } from './dpop-proof.js';
import { issueToken, type IssueParts } from './issue-token.js';
import { requestedResource } from './requested-resource.js';

/** The code of a request on which a person decides elsewhere. */
function codeIn({ oidc: { params } }: TokenEndpointGrantContext, polls: Polls): string {
  const { device_code: value } = params;
  if (typeof value !== 'string' || value === '')
    throw new errors.InvalidRequest('missing required parameter device_code');
  if (!/^[\w-]{43}$/.test(value)) throw new errors.InvalidGrant('device code not found');
  if (!polls.count(value)) throw new errors.SlowDown();
  return value;
}

/** RFC 8628 section 3.5. */
async function requireAnswer(ctx: TokenEndpointGrantContext, code: DeviceCode): Promise<void> {
  if (code.isExpired) throw new errors.ExpiredToken('the device code has expired');
  if (code.error !== undefined) {
    await consumeGrantSource(ctx.oidc.provider, ctx, code, 'device code');
    throw new errors.CustomOIDCProviderError(code.error, code.errorDescription);
  }
  if (code.accountId === undefined) throw new errors.AuthorizationPending();
}

/**
 * An agent on a device without a browser redeems its device code (RFC 8628 section 3.4) for a token under the delegation
 * that the person made in a browser elsewhere. As with a code, a second use ends the tokens of the first.
 */
export const makeDeviceCode =
  (delegations: Delegations, parts: IssueParts, polls: Polls) =>
  async (ctx: TokenEndpointGrantContext, client: ActingClient): Promise<void> => {
    const { provider } = ctx.oidc;
    const proof = await readDpopProof(ctx);
    const value = codeIn(ctx, polls);
    const code = await findGrantSource<DeviceCode>(provider, ctx, provider.DeviceCode, value, 'device code');
    await requireAnswer(ctx, code);
    const { grantId: delegationId } = code;
    await validateGrant(provider, ctx, delegationId);
    const resource = await requestedResource(ctx, [code.resource ?? []].flat());
    const grant = await inOAuthWords('invalid_grant', () =>
      delegations.forClientCredentials({ ...client, delegationId }),
    );
    const useUp = (): Promise<void> => consumeGrantSource(provider, ctx, code, 'device code');
    const issue = { grant, within: grant.scopes, resource, proof, grantType: deviceCodeGrant };
    await issueToken(ctx, parts, { ...issue, useUp, refresh: 'first' });
  };

import type { DeviceCode, TokenEndpointGrantContext } from 'oidc-provider';
import { consumeGrantSource, findGrantSource, validateGrant } from 'oidc-provider/lib/helpers/grants.js';
import { backchannelGrant, deviceCodeGrant, deviceInfoOf } from '../library/device-codes.js';
import { inOAuthWords } from '../library/oauth-errors.js';
import { errors } from '../library/oidc-provider.js';
import type { ActingClient, Delegations } from '../contract/dependencies.js';
import type { Polls } from '../throttling/polls.js';
import { requireBinding } from './token-binding.js';
import { issueToken, type IssueParts } from './issue-token.js';
import { requestedResource } from './requested-resource.js';

/** The two flows in which a person decides elsewhere. A code of the one is unknown in the other. */
interface Flow {
  readonly grantType: string;
  readonly parameter: 'device_code' | 'auth_req_id';
}

export const byDeviceCode: Flow = { grantType: deviceCodeGrant, parameter: 'device_code' };
export const byBackchannel: Flow = { grantType: backchannelGrant, parameter: 'auth_req_id' };

/** The code of a request on which a person decides elsewhere. */
function codeIn({ oidc: { params } }: TokenEndpointGrantContext, { parameter }: Flow, polls: Polls): string {
  const { [parameter]: value } = params;
  if (typeof value !== 'string' || value === '')
    throw new errors.InvalidRequest(`missing required parameter ${parameter}`);
  if (!/^[\w-]{43}$/.test(value)) throw new errors.InvalidGrant(`${parameter} not found`);
  if (!polls.count(value)) throw new errors.SlowDown();
  return value;
}

/** RFC 8628 section 3.5, OpenID CIBA section 11. */
async function requireAnswer(
  ctx: TokenEndpointGrantContext,
  code: DeviceCode,
  { grantType, parameter }: Flow,
): Promise<void> {
  const { backchannel } = deviceInfoOf(code.deviceInfo);
  if ((backchannel !== undefined) !== (grantType === backchannelGrant))
    throw new errors.InvalidGrant(`${parameter} not found`);
  if (code.isExpired) throw new errors.ExpiredToken(`the ${parameter} has expired`);
  if (code.error !== undefined) {
    await consumeGrantSource(ctx.oidc.provider, ctx, code, 'device code');
    throw new errors.CustomOIDCProviderError(code.error, code.errorDescription);
  }
  if (code.accountId === undefined) throw new errors.AuthorizationPending();
  if (backchannel !== undefined && backchannel.person !== code.accountId)
    throw new errors.InvalidGrant('another person decided');
}

/**
 * An agent on a device without a browser redeems its device code (RFC 8628 section 3.4), or one that asked by the back channel
 * its `auth_req_id` (OpenID CIBA section 10.1), for a token under the delegation that the person made in a browser elsewhere.
 * As with a code, a second use ends the tokens of the first.
 */
export const makeDecidedElsewhere =
  (flow: Flow, delegations: Delegations, parts: IssueParts, polls: Polls) =>
  async (ctx: TokenEndpointGrantContext, client: ActingClient): Promise<void> => {
    const { provider } = ctx.oidc;
    const proof = await requireBinding(ctx);
    const value = codeIn(ctx, flow, polls);
    const code = await findGrantSource<DeviceCode>(provider, ctx, provider.DeviceCode, value, 'device code');
    await requireAnswer(ctx, code, flow);
    const { grantId: delegationId } = code;
    await validateGrant(provider, ctx, delegationId);
    const resource = await requestedResource(ctx, [code.resource ?? []].flat());
    const grant = await inOAuthWords('invalid_grant', () =>
      delegations.forClientCredentials({ ...client, delegationId }),
    );
    const useUp = (): Promise<void> => consumeGrantSource(provider, ctx, code, 'device code');
    const issue = { grant, within: grant.scopes, resource, proof, grantType: flow.grantType };
    await issueToken(ctx, parts, { ...issue, useUp, source: code });
  };

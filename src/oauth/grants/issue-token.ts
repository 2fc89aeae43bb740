import type { TokenEndpointGrantContext } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { applyDpopProof, type DpopProof } from './dpop-proof.js';
import type { Clock } from '../../core/clock.js';
import { delegationType } from '../library/authorization-details.js';
import { newAccessToken, newDelegationGrant, secondsLeft } from '../library/library-internals.js';
import { type OAuthSettings, type TokenGrant } from '../contract/dependencies.js';
import { defaultResource } from '../contract/resources.js';

export interface IssueParts {
  readonly clock: Clock;
  readonly settings: OAuthSettings;
}

export interface Issue {
  readonly grant: TokenGrant;
  /** The token gets no scope outside this list, whatever the grant holds. */
  readonly within: readonly string[];
  readonly proof: DpopProof;
  readonly grantType: string;
  readonly issuedTokenType?: string;
  /** Whether the token comes of something under the delegation's grant, and ends with it. */
  readonly isUnderGrant?: true;
}

/** The delegation's row among the grants; written once, not for every token. */
async function ensureGrant(
  ctx: TokenEndpointGrantContext,
  { grant, isUnderGrant }: Issue,
  lifeSeconds: number,
): Promise<void> {
  const { provider, client } = ctx.oidc;
  const known = await provider.Grant.find(grant.delegationId);
  if (known !== undefined) return;
  // Made again, it would revive what a second use of the code has ended.
  if (isUnderGrant === true) throw new errors.InvalidGrant('grant not found');
  const fields = { jti: grant.delegationId, accountId: grant.userId, clientId: client.clientId };
  await newDelegationGrant(provider, { ...fields, expiresIn: lifeSeconds }).save();
}

/**
 * Issues an access token under a delegation: `sub` is the person, the client is the acting agent, and the grant is the
 * delegation, so that revoking the delegation ends the token. The token never outlives the delegation. The answer
 * follows RFC 6749 section 5.1, RFC 9396 section 7 and, for an exchange, RFC 8693 section 2.2.1.
 */
export async function issueToken(
  ctx: TokenEndpointGrantContext,
  parts: IssueParts,
  issue: Issue,
): Promise<void> {
  const { provider, client, resourceServers } = ctx.oidc;
  const { grant } = issue;
  const resourceServer = resourceServers[defaultResource(parts.settings.issuer)];
  if (resourceServer === undefined) throw new errors.InvalidTarget();
  const lifeSeconds = Math.floor((grant.expiresAt - parts.clock.now()) / 1000);
  if (lifeSeconds < 1) throw new errors.InvalidGrant('the delegation has expired');
  const scope = grant.scopes.filter((name) => issue.within.includes(name)).join(' ');
  if (scope === '')
    throw new errors.InvalidScope('no requested scope is part of the delegation', issue.within.join(' '));

  await ensureGrant(ctx, issue, lifeSeconds);
  const token = newAccessToken(provider, {
    accountId: grant.userId,
    client,
    grantId: grant.delegationId,
    gty: issue.grantType,
    scope,
    expiresIn: Math.min(parts.settings.accessTokenTtlSeconds, lifeSeconds),
    resourceServer,
    rar: [{ type: delegationType, delegation: grant.delegationId }],
    generation: grant.generation,
  });
  await applyDpopProof(ctx, issue.proof, token);
  ctx.oidc.entity('AccessToken', token);
  ctx.body = {
    access_token: await token.save(),
    token_type: token.tokenType,
    expires_in: secondsLeft(token),
    scope,
    authorization_details: token.rar,
    ...(issue.issuedTokenType === undefined ? {} : { issued_token_type: issue.issuedTokenType }),
  };
}

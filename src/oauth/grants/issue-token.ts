import type {
  AccessToken,
  AuthorizationCode,
  DeviceCode,
  RefreshToken,
  ResourceServerInstance,
  TokenEndpointGrantContext,
} from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { requestedResource } from './requested-resource.js';
import { bindToken, type DpopProof } from './token-binding.js';
import type { Clock } from '../../core/clock.js';
import type { Database } from '../../store/sql/database.js';
import { isThere } from '../library/payload-adapter.js';
import { delegationType } from '../library/authorization-details.js';
import {
  newAccessToken,
  newDelegationGrant,
  newRefreshToken,
  scopeCeilingOf,
  secondsLeft,
} from '../library/library-internals.js';
import type { OAuthDependencies, OAuthSettings, TokenGrant } from '../contract/dependencies.js';
import { serverNoted } from '../resources.js';

export interface IssueParts {
  readonly clock: Clock;
  readonly database: Database;
  readonly settings: OAuthSettings;
  readonly certificateOf: OAuthDependencies['certificateOf'];
}

export interface Issue {
  readonly grant: TokenGrant;
  /** The token gets no scope outside this list, whatever the grant holds. */
  readonly within: readonly string[];
  /** Undefined: the one that the request names, within the grant's. */
  readonly resource?: ResourceServerInstance;
  readonly proof: DpopProof;
  readonly grantType: string;
  readonly issuedTokenType?: string;
  /** Uses up what the client presents, once everything else is known to be right. */
  readonly useUp?: () => Promise<void>;
  /** The credential that the token comes of, under the delegation's grant. The token ends with it, and a client that may refresh gets a refresh token. */
  readonly source?: AuthorizationCode | DeviceCode | RefreshToken;
}

/** The delegation's row among the grants; written once, not for every token. */
async function ensureGrant(
  ctx: TokenEndpointGrantContext,
  { grant, source }: Issue,
  lifeSeconds: number,
): Promise<void> {
  const { provider, client } = ctx.oidc;
  const known = await provider.Grant.find(grant.delegationId);
  if (known !== undefined) return;
  // Made again, it would revive what a second use of a code or refresh token has ended.
  if (source !== undefined) throw new errors.InvalidGrant('grant not found');
  const fields = { jti: grant.delegationId, accountId: grant.userId, clientId: client.clientId };
  await newDelegationGrant(provider, { ...fields, expiresIn: lifeSeconds }).save();
}

/**
 * The refresh token beside an access token. It lasts as long as the delegation, keeps the scopes and resources of the one
 * before (RFC 6749 section 6, RFC 8707 section 2.2), and is bound to the key or certificate of a client that has no other
 * proof (RFC 9449 section 5, RFC 8705 section 4).
 */
function refreshTokenBeside(
  { oidc: { provider, client } }: TokenEndpointGrantContext,
  { grant, within, grantType, source }: Issue,
  token: AccessToken,
  expiresIn: number,
): RefreshToken | undefined {
  if (source === undefined || !client.grantTypeAllowed('refresh_token')) return undefined;
  const used = source.kind === 'RefreshToken' ? source : undefined;
  return newRefreshToken(provider, {
    ...{ accountId: grant.userId, client, grantId: grant.delegationId, expiresIn },
    gty: grantType,
    scope: used?.scope ?? grant.scopes.filter((name) => within.includes(name)).join(' '),
    resource: used?.resource ?? [...(grant.resources ?? [String(token.aud)])],
    rar: token.rar ?? [],
    rotations: used === undefined ? 0 : (used.rotations ?? 0) + 1,
    iiat: used?.iiat,
    ...(client.clientAuthMethod === 'none' ? boundAs(token) : {}),
    generation: grant.generation,
  });
}

const boundAs = ({ jkt, 'x5t#S256': x5t }: AccessToken): Pick<AccessToken, 'jkt' | 'x5t#S256'> => ({
  jkt,
  'x5t#S256': x5t,
});

/**
 * A second use of the code or of an earlier refresh token may have ended the grant while these tokens were saved. The next
 * grant of the delegation has the same id, and would revive them.
 */
async function requireSource(
  parts: IssueParts,
  { source }: Issue,
  tokens: readonly (AccessToken | RefreshToken | undefined)[],
): Promise<void> {
  if (source === undefined || (await isThere(parts, source.kind, source.jti))) return;
  for (const token of tokens) await token?.destroy();
  throw new errors.InvalidGrant('the tokens of this task were ended');
}

/**
 * Issues an access token under a delegation: `sub` is the person, the client is the acting agent, and the grant is the
 * delegation, so that revoking the delegation ends the token. The token never outlives the delegation, and is for one
 * resource of it. The answer
 * follows RFC 6749 section 5.1, RFC 9396 section 7 and, for an exchange, RFC 8693 section 2.2.1.
 */
export async function issueToken(
  ctx: TokenEndpointGrantContext,
  parts: IssueParts,
  issue: Issue,
): Promise<void> {
  const { provider, client } = ctx.oidc;
  const { grant } = issue;
  const { resource: resourceServer = await requestedResource(ctx, grant.resources) } = issue;
  if (grant.resources?.includes(resourceServer.identifier()) === false) throw new errors.InvalidTarget();
  const server = serverNoted(ctx, resourceServer.identifier());
  if (server !== undefined && grant.resources !== null && grant.createdAt < server.sinceMs)
    throw new errors.InvalidTarget('this was allowed for an earlier server at this address');
  const lifeSeconds = Math.floor((grant.expiresAt - parts.clock.now()) / 1000);
  if (lifeSeconds < 1) throw new errors.InvalidGrant('the delegation has expired');
  const ceiling = scopeCeilingOf(client);
  const isAllowed = (name: string): boolean =>
    issue.within.includes(name) && resourceServer.scopes.has(name) && ceiling?.includes(name) !== false;
  const scope = grant.scopes.filter(isAllowed).join(' ');
  if (scope === '')
    throw new errors.InvalidScope(
      'no requested scope is part of the delegation, for this resource',
      issue.within.join(' '),
    );

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
    serverId: server?.id,
  });
  await bindToken(ctx, issue.proof, token);
  await issue.useUp?.();
  const refreshToken = refreshTokenBeside(ctx, issue, token, lifeSeconds);
  const [accessValue, refreshValue] = [await token.save(), await refreshToken?.save()];
  await requireSource(parts, issue, [token, refreshToken]);
  ctx.oidc.entity('AccessToken', token);
  ctx.body = {
    access_token: accessValue,
    ...(refreshValue === undefined ? {} : { refresh_token: refreshValue }),
    token_type: token.tokenType,
    expires_in: secondsLeft(token),
    scope,
    authorization_details: token.rar,
    ...(issue.issuedTokenType === undefined ? {} : { issued_token_type: issue.issuedTokenType }),
  };
}

import * as client from 'openid-client';
import { sha256 } from '../../core/digest.js';
import type { ProvenIdentity } from '../../delegation/proven-identity.js';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';

type Claims = Readonly<Record<string, unknown>>;
export type TokenAnswer = Awaited<ReturnType<typeof client.authorizationCodeGrant>>;

const groupsMax = 2_000;

const textIn = (claims: Claims, name: string): string | undefined => {
  const value = claims[name];
  return typeof value === 'string' && value !== '' && value.length <= 1_000 ? value : undefined;
};

/** The groups in a claim, which is a list of texts or one text. Other values name no group. */
function groupsIn(claims: Claims, name: string): readonly string[] {
  const value = claims[name];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((group) => typeof group === 'string').slice(0, groupsMax);
}

/**
 * The provider's claims about a person: those of the ID token, and those of the userinfo endpoint that the token lacks
 * (OpenID Connect Core section 5.3, where `sub` must be the same).
 */
async function claimsOf(
  config: client.Configuration,
  provider: IdentityProviderRow,
  tokens: TokenAnswer,
  idToken: Claims & { readonly sub: string },
): Promise<Claims> {
  const isComplete = [provider.groupsClaim, provider.userNameClaim].every((name) => name in idToken);
  if (isComplete || config.serverMetadata().userinfo_endpoint === undefined) return idToken;
  const info = await client.fetchUserInfo(config, tokens.access_token, idToken.sub);
  return { ...info, ...idToken };
}

export async function identityIn(
  config: client.Configuration,
  provider: IdentityProviderRow,
  tokens: TokenAnswer,
  idToken: Claims & { readonly sub: string },
  requestedAt: string,
): Promise<ProvenIdentity> {
  const claims = await claimsOf(config, provider, tokens, idToken);
  const userName = textIn(claims, provider.userNameClaim);
  const displayName = textIn(claims, 'name');
  const session = textIn(idToken, 'sid');
  const email = claims.email_verified === false ? undefined : textIn(claims, 'email');
  return {
    provider,
    subject: idToken.sub,
    requestedAt,
    ...(session === undefined ? {} : { session: sha256(session) }),
    groups: groupsIn(claims, provider.groupsClaim),
    ...(userName === undefined ? {} : { userName }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(email === undefined ? {} : { email }),
  };
}

import { jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';
import { idTokenAlgorithms } from './provider-metadata.js';

const event = 'http://schemas.openid.net/event/backchannel-logout';

const shape = z.object({
  jti: z.string().min(1).max(500),
  exp: z.number(),
  sub: z.string().min(1).max(255),
  events: z.object({ [event]: z.object({}) }),
  nonce: z.never().optional(),
});

/** An older logout token is refused. */
const ageMax = '10 minutes';

export interface LogoutToken {
  readonly subject: string;
  readonly jti: string;
  readonly expiresAtSeconds: number;
}

/**
 * Checks a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.6). Throws for any other token, an ID token
 * included, and for a logout token that names only a session: this server does not keep the sessions of providers.
 */
export async function readLogoutToken(
  token: string,
  provider: Pick<IdentityProviderRow, 'issuer' | 'clientId'>,
  keys: JWTVerifyGetKey,
): Promise<LogoutToken> {
  const { payload } = await jwtVerify(token, keys, {
    issuer: provider.issuer,
    audience: provider.clientId,
    algorithms: [...idTokenAlgorithms],
    clockTolerance: 10,
    maxTokenAge: ageMax,
  });
  const { sub, jti, exp } = shape.parse(payload);
  return { subject: sub, jti, expiresAtSeconds: exp };
}

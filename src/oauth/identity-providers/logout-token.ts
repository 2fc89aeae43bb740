import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { sha256 } from '../../core/digest.js';
import type { ProviderLogout } from '../../delegation/proven-identity.js';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';
import { idTokenAlgorithms } from './provider-metadata.js';

const event = 'http://schemas.openid.net/event/backchannel-logout';

const shape = z.object({
  jti: z.string().min(1).max(500),
  exp: z.number(),
  sub: z.string().min(1).max(255).optional(),
  sid: z.string().min(1).max(1_000).optional(),
  events: z.object({ [event]: z.object({}) }),
  nonce: z.never().optional(),
});

/** Explicit typing is recommended, not required. */
const types: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'logout+jwt']);

/** An older logout token is refused. */
const ageMax = '10 minutes';

export interface LogoutToken extends ProviderLogout {
  readonly jti: string;
  readonly expiresAtSeconds: number;
}

/**
 * Checks a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.6). Throws for any other token, an ID token
 * included.
 */
export async function readLogoutToken(
  token: string,
  provider: Pick<IdentityProviderRow, 'issuer' | 'clientId'>,
  keys: JWTVerifyGetKey,
): Promise<LogoutToken> {
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer: provider.issuer,
    audience: provider.clientId,
    algorithms: [...idTokenAlgorithms],
    clockTolerance: 10,
    maxTokenAge: ageMax,
  });
  const typ: unknown = protectedHeader.typ;
  if (!types.has(typeof typ === 'string' ? typ.toLowerCase() : typ))
    throw new errors.JWTInvalid('the token has another type (typ)');
  const { sub, sid, jti, exp } = shape.parse(payload);
  if (sub === undefined && sid === undefined)
    throw new errors.JWTInvalid('the token names neither a person (sub) nor a session (sid)');
  return {
    ...(sub === undefined ? {} : { subject: sub }),
    ...(sid === undefined ? {} : { session: sha256(sid) }),
    jti,
    expiresAtSeconds: exp,
  };
}

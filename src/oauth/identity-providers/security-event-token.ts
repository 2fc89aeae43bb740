import { jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { sha256 } from '../../core/digest.js';
import type { ProviderLogout } from '../../delegation/proven-identity.js';
import type { IdentityProviderRow, SignalTransmitterRow } from '../../store/tables/identity-providers.js';
import { RefusedMessage } from './message-endpoint.js';
import { idTokenAlgorithms } from './provider-metadata.js';

const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

/** The events that are understood, with the members that they must have. */
const eventShapes: Readonly<Record<string, z.ZodType>> = {
  [`${caep}session-revoked`]: z.object({}),
  [`${caep}credential-change`]: z.object({
    credential_type: z.string().min(1),
    change_type: z.enum(['create', 'revoke', 'update', 'delete']),
  }),
  'https://schemas.openid.net/secevent/risc/event-type/account-disabled': z.object({}),
  [verification]: z.object({}),
};

const claims = z.object({
  jti: z.string().min(1).max(500),
  iat: z.number(),
  events: z.record(z.string(), z.unknown()),
  // These belong to other kinds of tokens (OpenID Shared Signals Framework 1.0, RFC 8417 section 4).
  sub: z.never().optional(),
  exp: z.never().optional(),
  nonce: z.never().optional(),
});

const subjectText = z.string().min(1).max(255);
const opaque = z.object({ format: z.literal('opaque'), id: z.string().min(1).max(1_000) });
const person = z.discriminatedUnion('format', [
  z.object({ format: z.literal('iss_sub'), iss: z.string(), sub: subjectText }),
  opaque.extend({ id: subjectText }),
]);
/** RFC 9493. A subject by e-mail address, telephone number or account name leads to no account, so it is refused. */
const subject = z.discriminatedUnion('format', [
  ...person.options,
  z.object({ format: z.literal('complex'), user: person, session: opaque.optional() }),
]);

/** An older token is refused. Providers may deliver late. */
const eventAgeSecondsMax = 86_400;
const toleranceSeconds = 10;

export interface SecurityEvent {
  /** The last part of its name. */
  readonly event: string;
  readonly jti: string;
  /** From then on the token is too old, so its use need not be remembered. */
  readonly expiresAtSeconds: number;
  /** Whose sign-ins end. Undefined where the transmitter only tries the connection. */
  readonly logout: ProviderLogout | undefined;
}

/**
 * Checks a security event token (RFC 8417) of a transmitter (OpenID Shared Signals Framework 1.0). Throws for any other
 * token, logout tokens and ID tokens included.
 */
export async function readSecurityEvent(
  token: string,
  { issuer, audience }: Pick<SignalTransmitterRow, 'issuer' | 'audience'>,
  provider: Pick<IdentityProviderRow, 'issuer'>,
  keys: JWTVerifyGetKey,
): Promise<SecurityEvent> {
  const { payload } = await jwtVerify(token, keys, {
    ...{ issuer, audience, typ: 'secevent+jwt', algorithms: [...idTokenAlgorithms] },
    ...{ clockTolerance: toleranceSeconds, maxTokenAge: eventAgeSecondsMax },
  });
  const { jti, iat, events } = claims.parse(payload);
  const [name = '', ...others] = Object.keys(events);
  const shape = Object.hasOwn(eventShapes, name) ? eventShapes[name] : undefined;
  if (shape === undefined || others.length > 0)
    throw new RefusedMessage('the token must have one event, of a kind that this server knows');
  z.object({ events: z.object({ [name]: shape }) }).parse(payload);
  return {
    event: name.slice(name.lastIndexOf('/') + 1),
    jti,
    expiresAtSeconds: Math.ceil(iat) + eventAgeSecondsMax + toleranceSeconds,
    logout: name === verification ? undefined : logoutOf(payload, provider),
  };
}

function logoutOf(payload: unknown, provider: Pick<IdentityProviderRow, 'issuer'>): ProviderLogout {
  const { sub_id: id } = z.object({ sub_id: subject }).parse(payload);
  const user = id.format === 'complex' ? id.user : id;
  if (user.format === 'iss_sub' && user.iss !== provider.issuer)
    throw new RefusedMessage('the subject has another issuer');
  const session = id.format === 'complex' ? id.session : undefined;
  return {
    subject: user.format === 'iss_sub' ? user.sub : user.id,
    ...(session === undefined ? {} : { session: sha256(session.id) }),
  };
}

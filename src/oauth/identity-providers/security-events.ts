import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { errors } from 'jose';
import { sha256 } from '../../core/digest.js';
import type { Connection } from '../../store/sql/connection.js';
import type { IdentityProviderRow, SignalTransmitterRow } from '../../store/tables/identity-providers.js';
import { firstUseIn } from '../library/first-use.js';
import { readBody } from '../step/form.js';
import {
  claimedIssuer,
  RefusedMessage,
  type Effect,
  type MessageKind,
  type MessageParts,
  whomInWords,
} from './message-endpoint.js';
import { readSecurityEvent, type SecurityEvent } from './security-event-token.js';

interface Known {
  readonly provider: IdentityProviderRow;
  readonly transmitter: SignalTransmitterRow;
  readonly event: SecurityEvent;
}

const bytesMax = 16 * 1024;

/**
 * Takes security events of trusted transmitters (RFC 8935, OpenID Shared Signals Framework 1.0): a session was revoked, a
 * credential has changed, an account was disabled. Everything that rests on the person's sign-ins ends. A token that came
 * before is acknowledged, as RFC 8935 section 2 says, and does nothing.
 */
export class SecurityEvents implements MessageKind<Known> {
  readonly name = 'security event';
  readonly accepted = 202;

  constructor(private readonly parts: Pick<MessageParts, 'store' | 'providers' | 'identities'>) {}

  async read(request: IncomingMessage): Promise<Known> {
    const text = (await readBody(request, 'application/secevent+jwt', bytesMax)).toString('latin1').trim();
    const iss = claimedIssuer(text);
    const { providers } = this.parts;
    const found = iss === undefined ? undefined : await providers.transmitterOf(iss);
    if (found === undefined) throw new RefusedMessage('the issuer is not trusted', 'invalid_issuer');
    const { provider, transmitter } = found;
    if (!isAuthorized(request, transmitter))
      throw new RefusedMessage('the Authorization header is not the agreed one', 'authentication_failed');
    const { keysUri } = transmitter;
    const keys = keysUri === null ? await providers.keysOf(provider) : providers.keys.at(keysUri);
    return { provider, transmitter, event: await readSecurityEvent(text, transmitter, provider, keys) };
  }

  async apply(tx: Connection, { provider, transmitter, event }: Known): Promise<Effect | 'repeated'> {
    const { store, identities } = this.parts;
    const { jti, expiresAtSeconds, logout } = event;
    if (!(await firstUseIn(tx, store, `security event ${transmitter.issuer}`, jti, expiresAtSeconds)))
      return 'repeated';
    const ended = logout === undefined ? undefined : await identities.signOut(tx, provider, logout);
    return { detail: ` ${event.event}${whomInWords(provider, logout ?? {})}`, ended };
  }

  /** RFC 8935 section 2.4. */
  refusal(error: Error, description: string): { code: string; body: object } {
    const code = codeOf(error);
    return { code, body: { err: code, description } };
  }
}

function isAuthorized(
  { headers }: IncomingMessage,
  { authorizationDigest }: Pick<SignalTransmitterRow, 'authorizationDigest'>,
): boolean {
  if (authorizationDigest === null) return true;
  const given = Buffer.from(sha256(headers.authorization ?? ''));
  const agreed = Buffer.from(authorizationDigest);
  return given.length === agreed.length && timingSafeEqual(given, agreed);
}

function codeOf(error: Error): string {
  if (error instanceof RefusedMessage) return error.code;
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') return 'invalid_audience';
  const isOfKey =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed;
  return isOfKey ? 'invalid_key' : 'invalid_request';
}

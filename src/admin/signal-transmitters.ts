import { badInput, conflict } from '../core/errors.js';
import { isoTime } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import { eq } from '../store/sql/condition.js';
import { isDuplicate } from '../store/sql/database.js';
import {
  signalTransmitters,
  type IdentityProviderRow,
  type SignalTransmitterRow,
} from '../store/tables/identity-providers.js';
import { note } from './identity-providers.js';
import { checked, safeUrlOf } from './issuer-input.js';
import { lockProvider } from './locked-provider.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface NewTransmitter {
  /** The `iss` of its security event tokens. Undefined: the provider's issuer. */
  readonly issuer?: string | undefined;
  /** The `aud` of its security event tokens. */
  readonly audience: string;
  /** Where its public keys are. Undefined: they are those of the provider. */
  readonly keysUri?: string | undefined;
  /** The whole value of the `Authorization` header that it sends. */
  readonly authorization?: string | undefined;
}

/** An `Authorization` header that can be guessed is no proof. */
const authorizationPattern = /^[\x20-\x7e]{20,1000}$/;

/** Trusts security events about people of a provider, in place of earlier settings. */
export async function setTransmitter(
  unit: UnitOfWork,
  provider: IdentityProviderRow,
  { issuer = provider.issuer, audience, keysUri, authorization }: NewTransmitter,
  allowHttp: boolean,
): Promise<void> {
  if (authorization !== undefined && !authorizationPattern.test(authorization))
    throw badInput('An Authorization header has 20 to 1000 visible characters of ASCII.', 'authorization');
  const row: SignalTransmitterRow = {
    providerId: provider.id,
    issuer: checked(issuer, /^[\x21-\x7e]{1,255}$/, 'issuer', 'An issuer has 1 to 255 visible characters.'),
    audience: checked(
      audience,
      /^[\x21-\x7e]{1,255}$/,
      'audience',
      'An audience has 1 to 255 visible characters.',
    ),
    keysUri: keysUri === undefined ? null : safeUrlOf(keysUri, allowHttp, 'keysUri', 500),
    authorizationDigest: authorization === undefined ? null : sha256(authorization),
    createdAt: isoTime(unit.clock.now()),
  };
  const before = await take(unit, provider);
  await unit.tx.insert(signalTransmitters, [row]).catch((error: unknown) => {
    throw isDuplicate(error) ? conflict('Another provider has this issuer of security events.') : error;
  });
  note(unit, provider, { signals: before }, { signals: true });
}

/** Takes no more security events about people of a provider. */
export async function removeTransmitter(unit: UnitOfWork, provider: IdentityProviderRow): Promise<void> {
  if (await take(unit, provider)) note(unit, provider, { signals: true }, { signals: false });
}

/** Whether there was one. */
async function take({ tx }: UnitOfWork, { id }: IdentityProviderRow): Promise<boolean> {
  await lockProvider(tx, id);
  return (await tx.delete(signalTransmitters, eq('providerId', id))) > 0;
}

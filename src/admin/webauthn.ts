import { isIP } from 'node:net';
import { z } from 'zod';
import type { PasskeyFault } from '../delegation/proven-passkey.js';

/** Who asks for a passkey: this server, by its public URL (WebAuthn Level 3, section 5.1.2). */
export interface RelyingParty {
  readonly id: string;
  readonly origin: string;
}

/** Undefined where browsers have no passkeys: for addresses in place of names, and without TLS beyond `localhost`. */
export function relyingPartyOf(publicUrl: string): RelyingParty | undefined {
  const { hostname, protocol, origin } = new URL(publicUrl);
  const isName = isIP(hostname) === 0 && !hostname.startsWith('[');
  const isSecure = protocol === 'https:' || hostname === 'localhost' || hostname.endsWith('.localhost');
  return isName && isSecure ? { id: hostname, origin } : undefined;
}

/** The answer of a passkey is not accepted. */
export class PasskeyRefused extends Error {
  constructor(readonly fault: PasskeyFault) {
    super(`A passkey was refused: ${fault}.`);
  }
}

/** A new passkey, as its browser described it and the library checked it. */
interface NewCredential {
  readonly credentialId: string;
  readonly publicKey: string;
  readonly signCount: number;
  readonly transports: readonly string[];
}

/** COSE algorithms (RFC 9053): ES256, EdDSA, RS256. */
export const algorithms = [-7, -8, -257] as const;

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/);
const credentialId = base64url.min(1).max(1364);
const longest = 16_000;

const creation = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url.max(longest),
    attestationObject: base64url.max(longest),
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/))
      .max(10)
      .default([]),
  }),
});
type Creation = z.infer<typeof creation>;

const assertion = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url.max(longest),
    authenticatorData: base64url.max(longest),
    signature: base64url.max(longest),
    userHandle: base64url.max(100).nullish(),
  }),
});
type Assertion = z.infer<typeof assertion>;

function parse<T>(shape: z.ZodType<T>, text: string): T {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    throw new PasskeyRefused('malformed');
  }
}

/** Reads an `AuthenticationResponseJSON`. Throws `PasskeyRefused`. */
export const parseAssertion = (text: string): Assertion => parse(assertion, text);

/** The user handle of an account, in base64url. An authenticator keeps it beside the key. */
export const userHandleOf = (userId: string): string => Buffer.from(userId).toString('base64url');

/** Checks a `RegistrationResponseJSON` (WebAuthn section 7.1). Throws `PasskeyRefused`. */
export async function verifyCreation(
  { id, origin }: RelyingParty,
  challenge: string,
  text: string,
): Promise<NewCredential> {
  const response = parse(creation, text);
  const { transports } = response.response;
  await requireNoCertificate(response);
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const { registrationInfo } = await refusing(() =>
    verifyRegistrationResponse({
      response: { ...response, response: { ...response.response, transports }, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...algorithms],
    }),
  );
  if (registrationInfo === undefined) throw new PasskeyRefused('wrong_signature');
  const { credential } = registrationInfo;
  if (credential.id !== response.id) throw new PasskeyRefused('malformed');
  const publicKey = Buffer.from(credential.publicKey).toString('base64url');
  return { credentialId: credential.id, publicKey, signCount: credential.counter, transports };
}

/**
 * Nobody asked for an attestation, so none is checked: the library would fetch the revocation lists that a certificate of
 * the sender names.
 */
async function requireNoCertificate({ response }: Creation): Promise<void> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  const isPlain = await refusing(() => {
    const decoded = decodeAttestationObject(bytesOf(response.attestationObject));
    // The library's types promise more than it has checked.
    const [format, statement]: unknown[] = [decoded.get('fmt'), decoded.get('attStmt')];
    const hasCertificate = !(statement instanceof Map) || statement.get('x5c') !== undefined;
    return Promise.resolve(format === 'none' || (format === 'packed' && !hasCertificate));
  });
  if (!isPlain) throw new PasskeyRefused('malformed');
}

/**
 * Checks an `AuthenticationResponseJSON` by the passkey that it names (WebAuthn section 7.2). Returns its count of uses.
 * Throws `PasskeyRefused`. The count is compared after the signature is found good.
 */
export async function verifyAssertion(
  { id, origin }: RelyingParty,
  challenge: string,
  { id: credential, rawId, type, response }: Assertion,
  known: { readonly publicKey: string; readonly signCount: number },
): Promise<number> {
  const { userHandle, ...signed } = response;
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  const { verified, authenticationInfo } = await refusing(() =>
    verifyAuthenticationResponse({
      response: {
        ...{ id: credential, rawId, type, clientExtensionResults: {} },
        response: typeof userHandle === 'string' ? { ...signed, userHandle } : signed,
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: true,
      credential: { id: credential, publicKey: bytesOf(known.publicKey), counter: 0 },
    }),
  );
  if (!verified) throw new PasskeyRefused('wrong_signature');
  const { newCounter } = authenticationInfo;
  const counts = newCounter > 0 || known.signCount > 0;
  if (counts && newCounter <= known.signCount) throw new PasskeyRefused('counter_regression');
  return newCounter;
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'base64url'));

/** The library tells its faults apart by their texts alone. */
const faults: readonly (readonly [RegExp, PasskeyFault])[] = [
  [/response challenge/, 'wrong_challenge'],
  [/response origin|top origin/, 'wrong_origin'],
  [/RP ID/, 'wrong_rp_id'],
  [/could not be verified|not present/, 'user_not_verified'],
];

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    throw new PasskeyRefused(faults.find(([words]) => words.test(text))?.[1] ?? 'malformed');
  }
}

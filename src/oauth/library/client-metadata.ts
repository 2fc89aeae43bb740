import { randomBytes } from 'node:crypto';

/** The library requires a secret for `client_secret_basic`. This one is random and never compared. */
export const unusedSecret = randomBytes(32).toString('base64url');

/**
 * `EdDSA` and `Ed25519` are one algorithm here, and two to the library, which looks at the curve where a key has no
 * `alg`.
 */
export const asLibrary = (key: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  key.kty === 'OKP' ? { ...key, alg: undefined } : key;

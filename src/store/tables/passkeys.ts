import { id, int, json, long, nullable, table, text, time, type RowOf } from './table.js';

/** People's passkeys (WebAuthn Level 3): public keys only. */
export const passkeys = table(
  'Passkey',
  'passkeys',
  {
    id: id(),
    userId: id('users'),
    /** The person's own name for it. */
    name: text(100),
    /** The SHA-256 of the credential id; unique. */
    credentialDigest: text(64),
    /** The credential id in base64url: up to 1023 bytes. */
    credentialId: text(1364),
    /** A COSE key (RFC 9052) in base64url. */
    publicKey: text(1400),
    /** How often its authenticator said it was used. Authenticators that do not count say 0. */
    signCount: long(),
    /** How a browser reaches the authenticator, such as `internal` or `usb`. */
    transports: json<readonly string[]>(),
    createdAt: time(),
    lastUsedAt: nullable(time()),
    version: int(),
  },
  ['id'],
  { unique: [['credentialDigest']], indexes: [['userId', 'id']] },
);

export type PasskeyRow = RowOf<typeof passkeys>;

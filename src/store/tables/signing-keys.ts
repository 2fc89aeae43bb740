import { int, json, longtext, nullable, table, text, time, type RowOf } from './table.js';

/** The keys with which this server signs. */
export const signingKeys = table(
  'SigningKey',
  'signing_keys',
  {
    /** From 1 in order of making, so that of two replicas only one makes the next. */
    ordinal: int(),
    /** The thumbprint of the public key (RFC 7638); unique. */
    kid: text(64),
    publicKey: json<Readonly<Record<string, unknown>>>(),
    /** The private key (RFC 7517), sealed by a secret of the settings. */
    sealedKey: longtext(),
    createdAt: time(),
    /** Published before, so that verifiers know it when it begins. */
    signsFrom: time(),
    /** Null: until a later key takes its place. */
    publishedUntil: nullable(time()),
  },
  ['ordinal'],
  { unique: [['kid']] },
);

export type SigningKeyRow = RowOf<typeof signingKeys>;

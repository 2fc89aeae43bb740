import { id, int, longtext, nullable, table, text, time, type RowOf } from './table.js';

/**
 * Operations that an administrator has registered. A replaced or retired one stays in the table, with null in
 * `standingName` and `standingHash`. Requests are looked up by these two columns only.
 */
export const trustedDocuments = table(
  'TrustedDocument',
  'trusted_documents',
  {
    id: id(),
    name: text(100),
    /** SHA-256 of the exact source, hexadecimal. */
    hash: text(64),
    /** query, mutation */
    kind: text(20),
    source: longtext(),
    registeredById: id('users'),
    registeredAt: time(),
    retiredById: nullable(id('users')),
    retiredAt: nullable(time()),
    /** Unique. */
    standingName: nullable(text(100)),
    /** Unique. */
    standingHash: nullable(text(64)),
    version: int(),
  },
  ['id'],
  { unique: [['standingHash'], ['standingName']], indexes: [['name', 'id']] },
);

export type TrustedDocumentRow = RowOf<typeof trustedDocuments>;

import { createHmac, hash } from 'node:crypto';

export const sha256 = (text: string): string => hash('sha256', text, 'base64url');

/** The form in which clients of persisted documents send hashes. */
export const sha256Hex = (text: string): string => hash('sha256', text, 'hex');

/** A digest that needs the key: nobody without it can check a guess at a short text. */
export const keyedDigest =
  (key: string) =>
  (text: string): string =>
    createHmac('sha256', key).update(text).digest('base64url');

/** JSON with sorted keys, so that equal values have equal bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

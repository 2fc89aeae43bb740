import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new secret for an agent: 256 random bits. It is shown once. */
export const newClientSecret = (): string => `bhs_${randomBytes(32).toString('base64url')}`;

const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** A plain digest is enough: the secret is random, so a slow hash would add nothing. */
export const hashClientSecret = (secret: string): string => `sha256$${digest(secret).toString('base64url')}`;

/** Always compares with every valid secret, so that the time does not show which one came close. */
export function matchesClientSecret(secret: string, hashes: readonly string[]): boolean {
  const actual = digest(secret);
  return hashes.reduce((found, hash) => {
    const expected = Buffer.from(hash.replace(/^sha256\$/, ''), 'base64url');
    return (expected.length === actual.length && timingSafeEqual(expected, actual)) || found;
  }, false);
}

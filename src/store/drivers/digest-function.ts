import { createHash } from 'node:crypto';

interface Functions {
  function(name: string, options: { deterministic: boolean }, call: (value: unknown) => string): unknown;
}

/** SQLite has no digests: this makes `behalf_digest` one, of bytes. */
export function addDigest(db: Functions): void {
  db.function('behalf_digest', { deterministic: true }, (value) =>
    createHash('sha256')
      .update(value as Buffer)
      .digest('hex'),
  );
}

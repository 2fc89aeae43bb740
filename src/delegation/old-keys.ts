import { setImmediate as nextTurn } from 'node:timers/promises';
import { isoTime, type Clock } from '../core/clock.js';
import { all, compare, encode, eq, isIn, type Condition } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import type { Database } from '../store/database.js';
import { delegations, idempotencyKeys, type IdempotencyKeyRow } from '../store/tables/identity.js';

/** For who acts in person, and for what a delegation that has ended leaves behind. */
const keptDays = 30;
const dayMs = 86_400_000;
const forgottenAtOnce = 500;

/**
 * Deletes idempotency keys that are older than any retry, in bounded transactions until the signal; returns how many.
 * The keys of a delegation stay for as long as it stands, which may be a year.
 */
export async function forgetOldKeys(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<number> {
  const now = clock.now();
  const old = compare<IdempotencyKeyRow>('createdAt', '<=', isoTime(now - keptDays * dayMs));
  const forgotten = all(old, isOfNoneStanding(isoTime(now)));
  const forget = async (tx: Connection): Promise<number> => {
    // MySQL takes no LIMIT in a subquery of IN, so the keys come first.
    const limit = forgottenAtOnce;
    const found = await tx.selectColumns(idempotencyKeys, ['ownerId', 'key'], forgotten, { limit });
    for (const ownerId of new Set(found.map((row) => row.ownerId))) {
      const keys = found.filter((row) => row.ownerId === ownerId).map((row) => row.key);
      await tx.delete(idempotencyKeys, all(eq('ownerId', ownerId), isIn('key', keys), old));
    }
    return found.length;
  };
  let count = 0;
  while (signal?.aborted !== true) {
    const found = await database.transaction(forget);
    count += found;
    if (found < forgottenAtOnce) break;
    await nextTurn();
  }
  return count;
}

const isOfNoneStanding = (now: string): Condition<IdempotencyKeyRow> => ({
  kind: 'sql',
  sql: {
    text: "NOT EXISTS (SELECT 1 FROM delegations d WHERE d.id = t.owner_id AND d.status = 'active' AND d.expires_at > ?)",
    params: [encode(delegations.columns.expiresAt, now)],
  },
});

import { isoTime, type Clock } from '../core/clock.js';
import { encode } from '../store/sql/column-values.js';
import { all, compare, quote, type Condition } from '../store/sql/condition.js';
import type { Database } from '../store/sql/database.js';
import { deleteInBatches } from '../store/sql/delete-in-batches.js';
import { delegations, idempotencyKeys, type IdempotencyKeyRow } from '../store/tables/identity.js';

/**
 * How long keys stay where no active delegation owns them: those of people, and of delegations that have
 * ended.
 */
const keptDays = 30;
const dayMs = 86_400_000;

/**
 * Deletes idempotency keys that are older than any retry, in bounded transactions, until the signal aborts.
 * Returns how many. The keys of a delegation stay while it is active, which may be a year.
 */
export function deleteExpiredIdempotencyKeys(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<number> {
  const now = clock.now();
  const old = compare<IdempotencyKeyRow>('createdAt', '<=', isoTime(now - keptDays * dayMs));
  const which = all(old, isOfNoneStanding(isoTime(now)));
  return deleteInBatches(
    database,
    { table: idempotencyKeys, key: ['ownerId', 'key'], which, still: old },
    signal,
  );
}

const isOfNoneStanding = (now: string): Condition<IdempotencyKeyRow> => ({
  kind: 'sql',
  sql: {
    text: `NOT EXISTS (SELECT 1 FROM ${quote(delegations.name)} d WHERE d.id = t.owner_id AND d.status = 'active' AND d.expires_at > ?)`,
    params: [encode(delegations.columns.expiresAt, now)],
  },
});

import { isoTime, type Clock } from '../../core/clock.js';
import type { Ids } from '../../core/ids.js';
import { compare, eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import { deleteInBatches } from '../../store/sql/delete-in-batches.js';
import { signIns, type SignInRow } from '../../store/tables/sign-ins.js';

/** A sign-in whose grant has just been made. */
export type NewSignIn = Omit<SignInRow, 'id' | 'createdAt' | 'lastUsedAt' | 'expiresAt'> & {
  readonly lifeSeconds: number;
};

export async function keepSignIn(
  tx: Connection,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
  { lifeSeconds, ...known }: NewSignIn,
): Promise<void> {
  const now = clock.now();
  const times = { createdAt: isoTime(now), lastUsedAt: null, expiresAt: isoTime(now + lifeSeconds * 1000) };
  await tx.insert(signIns, [{ id: ids.next(), ...known, ...times }]);
}

/** Notes that the program of a sign-in got a token. */
export async function noteUse(tx: Connection, grantId: string, now: number): Promise<void> {
  await tx.update(signIns, eq<SignInRow>('grantId', grantId), { lastUsedAt: isoTime(now) });
}

/** Deletes what is known of sign-ins whose time has passed. Returns how many. */
export function purgeSignIns(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<number> {
  const expired = compare<SignInRow>('expiresAt', '<=', isoTime(clock.now()));
  return deleteInBatches(
    database,
    { table: signIns, key: ['userId', 'id'], which: expired, still: expired },
    signal,
  );
}

import { isoTime } from '../core/clock.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { all, compare, eq, isNull, not, quote, type Condition } from '../store/sql/condition.js';
import { oauthPayloads, users, type OAuthPayloadRow, type UserRow } from '../store/tables/identity.js';
import { signIns, type SignInRow } from '../store/tables/sign-ins.js';
import { shown, store, type UnitOfWork } from './unit-of-work.js';

const hasGrant: Condition<SignInRow> = {
  kind: 'sql',
  sql: {
    text: `EXISTS (SELECT 1 FROM ${quote(oauthPayloads.name)} g WHERE g.grant_id = t.grant_id AND g.model = 'Grant')`,
    params: [],
  },
};

/** The sign-ins whose programs hold tokens, or can renew them, at a moment. */
export const isCurrent = (now: number): Condition<SignInRow> =>
  all(not(isNull('lastUsedAt')), compare('expiresAt', '>', isoTime(now)), hasGrant);

/** The columns of an ended sign-in that its record keeps. */
const recorded = ['userId', 'clientId', 'program', 'method', 'provider', 'createdAt', 'lastUsedAt'];

/**
 * Ends a sign-in with all its tokens. Delegations that were made with it go on. False where it has ended before. Locks the
 * account first, as everything that ends sign-ins does.
 */
export async function endSignIn(unit: UnitOfWork, signIn: SignInRow): Promise<boolean> {
  const { tx, trail } = unit;
  await tx.one(users, eq<UserRow>('id', signIn.userId), { lock: 'update' });
  const ended = await tx.delete(oauthPayloads, eq<OAuthPayloadRow>('grantId', signIn.grantId));
  if (ended === 0) return false;
  await bumpEpoch(tx);
  trail.touched(signIns.type, [signIn.id], 'delete');
  trail.changed({ type: signIns.type, id: signIn.id, before: shown(signIn, recorded), after: null });
  return true;
}

/**
 * Ends a person's sign-ins except that of one grant. Returns how many. Moves the account's version first, which ends those
 * under way that have no grant yet: they hold only for the version at which the person signed in.
 */
export async function endSignInsExcept(
  unit: UnitOfWork,
  userId: string,
  grantId: string | undefined,
): Promise<number> {
  const user = await unit.tx.one(users, eq<UserRow>('id', userId), { lock: 'update' });
  if (user !== undefined) await store(unit, users, user, {});
  const others = all<SignInRow>(eq('userId', userId), not(eq('grantId', grantId ?? '')));
  let count = 0;
  for (const signIn of await unit.tx.select(signIns, others)) if (await endSignIn(unit, signIn)) count += 1;
  return count;
}

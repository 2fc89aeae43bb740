import { errors } from './oidc-provider.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { oauthPayloads, users, type OAuthPayloadRow, type UserRow } from '../store/tables/identity.js';

/** Whose password was right, and at which version of the account: what changes it or ends its tokens moves that. */
export interface Login {
  readonly accountId: string;
  readonly version: number;
}

/** A sign-in whose password was found right. It stands as long as its grant. */
export interface SignedIn {
  readonly userId: string;
  readonly grantId: string;
}

/**
 * Locks the account. Whoever ends a person's sign-ins changes this row before they delete grants, so what is read
 * after this holds until the transaction ends.
 */
const lockAccount = (tx: Connection, userId: string): Promise<UserRow | undefined> =>
  tx.one(users, all(eq<UserRow>('id', userId), eq<UserRow>('status', 'active')), { lock: 'update' });

/** Whether the account is still as it was when its password was given. */
export async function isLoginCurrent(tx: Connection, { accountId, version }: Login): Promise<boolean> {
  const user = await lockAccount(tx, accountId);
  return user !== undefined && user.version === version;
}

const hasEnded = (): Error => new errors.SessionNotFound('the sign-in has ended');

/** Refuses a step of a sign-in that was ended meanwhile; `tx` can count on it to the end. */
export async function requireSignIn(tx: Connection, signedIn: SignedIn | undefined): Promise<void> {
  if (signedIn === undefined) throw hasEnded();
  const { userId, grantId } = signedIn;
  const user = await lockAccount(tx, userId);
  const itsGrant = all(eq<OAuthPayloadRow>('model', 'Grant'), eq<OAuthPayloadRow>('grantId', grantId));
  if (user === undefined || (await tx.one(oauthPayloads, itsGrant)) === undefined) throw hasEnded();
}

import { errors } from '../library/oidc-provider.js';
import { all, eq } from '../../store/sql/condition.js';
import type { ProviderSession } from '../../delegation/proven-identity.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, users, type OAuthPayloadRow, type UserRow } from '../../store/tables/identity.js';

/**
 * The account of a person who proved who they are, by a password, a passkey or a provider, with the account's version at
 * that moment. Changing the account or ending its tokens moves the version.
 */
export interface Login {
  readonly accountId: string;
  readonly version: number;
  /** The identity provider that named the person, so that no password was given. */
  readonly provider?: ProviderSession & { readonly label: string };
  /** Whether a passkey named the person. */
  readonly byPasskey?: boolean;
  /** The Authentication Context Class Reference that the sign-in met. */
  readonly acr?: string;
}

/** A finished sign-in. It lasts as long as its grant. */
export interface SignedIn {
  readonly userId: string;
  readonly grantId: string;
}

/**
 * Locks the account. Ending a person's sign-ins changes this row before it deletes grants, so what is read after the
 * lock holds until the transaction ends.
 */
const lockAccount = (tx: Connection, userId: string): Promise<UserRow | undefined> =>
  tx.one(users, all(eq<UserRow>('id', userId), eq<UserRow>('status', 'active')), { lock: 'update' });

/** Whether the account is unchanged since the person signed in. */
export async function isLoginCurrent(tx: Connection, { accountId, version }: Login): Promise<boolean> {
  const user = await lockAccount(tx, accountId);
  return user !== undefined && user.version === version;
}

const hasEnded = (): Error => new errors.SessionNotFound('the sign-in has ended');

/** Throws where the sign-in has ended. Otherwise it cannot end before `tx` does. */
export async function requireSignIn(tx: Connection, signedIn: SignedIn | undefined): Promise<void> {
  if (signedIn === undefined) throw hasEnded();
  const { userId, grantId } = signedIn;
  const user = await lockAccount(tx, userId);
  const itsGrant = all(eq<OAuthPayloadRow>('model', 'Grant'), eq<OAuthPayloadRow>('grantId', grantId));
  if (user === undefined || (await tx.one(oauthPayloads, itsGrant)) === undefined) throw hasEnded();
}

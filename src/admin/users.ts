import { isoTime } from '../core/clock.js';
import { badInput } from '../core/errors.js';
import { hashPassword, newPassword } from '../core/passwords.js';
import { visibleLine } from '../core/checked-text.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { eq } from '../store/sql/condition.js';
import { oauthPayloads, users, type OAuthPayloadRow, type UserRow } from '../store/tables/identity.js';
import { requireAdministrator } from './administrators.js';
import { requireGrantableUser } from './credentials.js';
import { add, store, type UnitOfWork } from './unit-of-work.js';

export interface NewUser {
  readonly name: string;
  readonly displayName: string;
  readonly email?: string | null | undefined;
}

export interface UserChanges {
  readonly displayName?: string | null | undefined;
  readonly email?: string | null | undefined;
}

const namePattern = /^[a-z0-9][a-z0-9._@+-]{0,99}$/;

/** Lower case only: the databases compare other letters in different ways. */
function userName(text: string): string {
  if (namePattern.test(text)) return text;
  throw badInput('A name has lower-case letters, digits and `. _ - @ +`, up to 100.', 'name');
}

export const emailOf = (email: string | null | undefined): string | null => {
  if (email === null || email === undefined) return null;
  const line = visibleLine(email, 254, 'email');
  if (!/^[^\s@]+@[^\s@]+$/.test(line)) throw badInput('This is not an e-mail address.', 'email');
  return line;
};

/** Creates an account without roles. Only the caller gets the password, which must be changed. */
export async function createUser(
  unit: UnitOfWork,
  input: NewUser,
): Promise<{ user: UserRow; password: string }> {
  const password = newPassword();
  const user: UserRow = {
    id: unit.ids.next(),
    name: userName(input.name),
    displayName: visibleLine(input.displayName, 200, 'displayName'),
    email: emailOf(input.email),
    passwordHash: await hashPassword(password),
    mustChangePassword: true,
    status: 'active',
    createdAt: isoTime(unit.clock.now()),
    version: 1,
  };
  await add(unit, users, user, 'There is an account of this name already.');
  return { user, password };
}

export async function updateUser(unit: UnitOfWork, before: UserRow, changes: UserChanges): Promise<UserRow> {
  const { displayName, email } = changes;
  return store(unit, users, before, {
    ...(displayName === null || displayName === undefined
      ? {}
      : { displayName: visibleLine(displayName, 200, 'displayName') }),
    ...(email === undefined ? {} : { email: emailOf(email) }),
  });
}

/** Also ends the account's sessions and tokens, so that enabling it again revives none. */
export async function disableUser(unit: UnitOfWork, before: UserRow): Promise<void> {
  if (before.status === 'disabled') return;
  await endTokens(unit, before, { status: 'disabled' });
  await requireAdministrator(unit.tx);
}

/** Someone with the password can sign in again, so `by` must be allowed to grant the account's roles. */
export async function enableUser(unit: UnitOfWork, by: string, before: UserRow): Promise<void> {
  if (before.status === 'active') return;
  await requireGrantableUser(unit.tx, by, before);
  await store(unit, users, before, { status: 'active' });
  await bumpEpoch(unit.tx);
}

export async function resetPassword(unit: UnitOfWork, by: string, before: UserRow): Promise<string> {
  await requireGrantableUser(unit.tx, by, before);
  const password = newPassword();
  const passwordHash = await hashPassword(password);
  await endTokens(unit, before, { passwordHash, mustChangePassword: true });
  return password;
}

/**
 * Ends every session and token with this person at its root. Moves the account's version first, which ends unfinished
 * sign-ins: they hold only for the version at which the person signed in.
 */
export async function endTokens(
  unit: UnitOfWork,
  user: UserRow,
  changes: Partial<Pick<UserRow, 'status' | 'passwordHash' | 'mustChangePassword'>> = {},
): Promise<void> {
  await store<UserRow>(unit, users, user, changes);
  const ended = await unit.tx.delete(oauthPayloads, eq<OAuthPayloadRow>('accountId', user.id));
  await bumpEpoch(unit.tx);
  unit.trail.changed({
    type: users.type,
    id: user.id,
    before: { tokensAndSessions: ended },
    after: { tokensAndSessions: 0 },
  });
}

/** An account without its hash, since answers are stored for their idempotency key. */
export const withoutPassword = (user: UserRow): UserRow => ({ ...user, passwordHash: '' });

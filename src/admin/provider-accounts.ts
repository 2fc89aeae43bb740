import { randomInt } from 'node:crypto';
import { Trail } from '../audit/trail.js';
import { visibleLine } from '../core/checked-text.js';
import { isoTime, type Clock } from '../core/clock.js';
import { cutText } from '../core/cut-text.js';
import type { Ids } from '../core/ids.js';
import { hashOfNobody } from '../core/passwords.js';
import type {
  IdentityOutcome,
  ProvenIdentity,
  ProviderLogout,
  ProviderSession,
  SignedOut,
} from '../delegation/proven-identity.js';
import { all, any, eq, isNull, type Condition } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { users, type UserRow } from '../store/tables/identity.js';
import {
  identityProviders,
  userIdentities,
  type IdentityProviderRow,
  type UserIdentityRow,
} from '../store/tables/identity-providers.js';
import { signIns, type SignInRow } from '../store/tables/sign-ins.js';
import { provideRoles } from './provided-roles.js';
import { isMarked, markLogout } from './provider-logouts.js';
import { endSignIn } from './sign-ins.js';
import { insert, type UnitOfWork } from './unit-of-work.js';
import { partiesOf } from './token-parties.js';
import { emailOf, endTokens } from './users.js';

/** The accounts of people who sign in with a provider, found by (provider, subject) alone. */
export class ProviderAccounts {
  constructor(
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Finds or makes the account, and gives and takes the roles of its groups, all in `tx`. */
  async signIn(tx: Connection, proven: ProvenIdentity): Promise<IdentityOutcome> {
    const unit: UnitOfWork = { tx, clock: this.clock, ids: this.ids, trail: new Trail() };
    const provider = await tx.one(identityProviders, eq('id', proven.provider.id), { lock: 'share' });
    if (provider?.version !== proven.provider.version) return { kind: 'unknown' };
    const known = await tx.one(userIdentities, isIdentity(provider.id, proven.subject));
    if (known === undefined && !provider.mayCreateUsers) return { kind: 'unknown' };
    const hasEnded = await this.hasBeenReported(tx, { ...proven, providerId: provider.id }, known);
    if (known === undefined && hasEnded) return { kind: 'signed-out' };
    const userId = known?.userId ?? (await makeAccount(unit, provider, proven));
    const user = await tx.one(users, eq<UserRow>('id', userId), { lock: 'update' });
    if (user === undefined) return { kind: 'unknown' };
    if (user.status !== 'active') return { kind: 'disabled', user };
    if (hasEnded) return { kind: 'signed-out', user };
    await provideRoles(unit, provider, user, proven.groups);
    return { kind: 'user', user, changes: unit.trail.changes };
  }

  /**
   * Ends all tokens and sessions of a person, those of their agents included; or, where the provider names a session, only
   * the sign-ins that rest on it. A sign-in that does not say on which session it rests may rest on this one. A sign-in
   * whose request was sent before is refused, since the provider may have answered it before the logout.
   */
  async signOut(
    tx: Connection,
    { id: providerId }: Pick<IdentityProviderRow, 'id'>,
    logout: ProviderLogout,
  ): Promise<SignedOut | undefined> {
    const unit: UnitOfWork = { tx, clock: this.clock, ids: this.ids, trail: new Trail() };
    const { subject, session } = logout;
    // Sign-ins share this lock, so each is either found below or finds the mark.
    await tx.one(identityProviders, eq('id', providerId), { lock: 'update' });
    await markLogout(unit, { ...logout, providerId });
    const isThem = subject === undefined ? undefined : isIdentity(providerId, subject);
    const known = isThem === undefined ? undefined : await tx.one(userIdentities, isThem);
    if (isThem !== undefined && known !== undefined)
      await tx.update(userIdentities, isThem, { signedOutAt: isoTime(this.clock.now()) });
    if (session !== undefined) return this.endSession(unit, { providerId, session, subject, known });
    const user = await tx.one(users, eq<UserRow>('id', known?.userId ?? ''), { lock: 'update' });
    if (user === undefined) return undefined;
    await endTokens(unit, user);
    return { user, changes: unit.trail.changes };
  }

  /** Whether a logout was reported since the request was sent. Holds until `tx` ends. */
  async hasEnded(tx: Connection, session: ProviderSession): Promise<boolean> {
    const { providerId, subject } = session;
    const provider = await tx.one(identityProviders, eq('id', providerId), { lock: 'share' });
    const known = await tx.one(userIdentities, isIdentity(providerId, subject));
    return provider === undefined || (await this.hasBeenReported(tx, session, known));
  }

  /** The parties of a token of a trusted issuer. Throws `UNAUTHENTICATED` where one is not known, or has signed out. */
  partiesOf(tx: Connection, claimed: Parameters<typeof partiesOf>[1]): ReturnType<typeof partiesOf> {
    return partiesOf(tx, claimed, this.clock.now());
  }

  private async hasBeenReported(
    tx: Connection,
    session: ProviderSession,
    known: UserIdentityRow | undefined,
  ): Promise<boolean> {
    const signedOutAt = known?.signedOutAt ?? null;
    if (signedOutAt !== null && session.requestedAt <= signedOutAt) return true;
    return isMarked(tx, session, this.clock.now());
  }

  private async endSession(
    unit: UnitOfWork,
    { providerId, session, subject, known }: EndedSession,
  ): Promise<SignedOut | undefined> {
    if (subject !== undefined && known === undefined) return undefined;
    const isSession = eq<SignInRow>('providerSession', session);
    const mayBeSession = any(isSession, isNull<SignInRow>('providerSession'));
    const rests = known === undefined ? isSession : all(eq<SignInRow>('userId', known.userId), mayBeSession);
    const found = await unit.tx.select(signIns, all(eq('providerId', providerId), rests));
    for (const signIn of found) await endSignIn(unit, signIn);
    const user = await unit.tx.byId(users, known?.userId ?? found[0]?.userId ?? '');
    return user === undefined ? undefined : { user, changes: unit.trail.changes };
  }
}

interface EndedSession {
  readonly providerId: string;
  readonly session: string;
  readonly subject: string | undefined;
  /** Whom the subject names. */
  readonly known: UserIdentityRow | undefined;
}

const isIdentity = (providerId: string, subject: string): Condition<UserIdentityRow> =>
  all(eq('providerId', providerId), eq('subject', subject));

/** An account without roles, and with a password that nobody has. Of two at once, the second fails as a duplicate. */
async function makeAccount(
  unit: UnitOfWork,
  { id: providerId }: IdentityProviderRow,
  { subject, userName, displayName, email }: ProvenIdentity,
): Promise<string> {
  const createdAt = isoTime(unit.clock.now());
  const name = await freeName(unit.tx, safeName(userName ?? ''));
  const user: UserRow = {
    id: unit.ids.next(),
    name,
    displayName: accepted(() => visibleLine(displayName ?? '', 200, 'displayName')) ?? name,
    email: accepted(() => emailOf(email)) ?? null,
    passwordHash: hashOfNobody(),
    mustChangePassword: false,
    status: 'active',
    createdAt,
    version: 1,
  };
  await insert(unit, users, user);
  await unit.tx.insert(userIdentities, [
    { providerId, subject, userId: user.id, createdAt, signedOutAt: null },
  ]);
  return user.id;
}

/** No person checks the claims of a provider, so claims that do not fit are left out. */
function accepted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const nameLengthMax = 80;

/** A user name made from the provider's name for the person. */
export function safeName(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const name = plain.replace(/[^a-z0-9._@+-]+/g, '-').replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return cutText(name, nameLengthMax) || 'user';
}

/** The name, with a number behind it where it is taken: a name never leads to an account that exists. */
async function freeName(tx: Connection, name: string): Promise<string> {
  let free = name;
  while ((await tx.one(users, eq<UserRow>('name', free))) !== undefined)
    free = `${name}-${String(randomInt(1_000, 1_000_000))}`;
  return free;
}

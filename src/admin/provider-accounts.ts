import { randomInt } from 'node:crypto';
import { Trail } from '../audit/trail.js';
import { visibleLine } from '../core/checked-text.js';
import { isoTime, type Clock } from '../core/clock.js';
import type { Ids } from '../core/ids.js';
import { hashOfNobody } from '../core/passwords.js';
import type { IdentityOutcome, ProvenIdentity, SignedOut } from '../delegation/proven-identity.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { users, type UserRow } from '../store/tables/identity.js';
import {
  identityProviders,
  userIdentities,
  type IdentityProviderRow,
  type UserIdentityRow,
} from '../store/tables/identity-providers.js';
import { provideRoles } from './provided-roles.js';
import { insert, type UnitOfWork } from './unit-of-work.js';
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
    const isTheirs = all<UserIdentityRow>(eq('providerId', provider.id), eq('subject', proven.subject));
    const known = await tx.one(userIdentities, isTheirs);
    if (known === undefined && !provider.mayCreateUsers) return { kind: 'unknown' };
    const userId = known?.userId ?? (await makeAccount(unit, provider, proven));
    const user = await tx.one(users, eq<UserRow>('id', userId), { lock: 'update' });
    if (user === undefined) return { kind: 'unknown' };
    if (user.status !== 'active') return { kind: 'disabled', user };
    // Read under the lock of the user, which `signOut` takes too.
    const signedOutAt = (await tx.one(userIdentities, isTheirs))?.signedOutAt ?? null;
    if (signedOutAt !== null && proven.requestedAt <= signedOutAt) return { kind: 'signed-out', user };
    await provideRoles(unit, provider, user, proven.groups);
    return { kind: 'user', user, changes: unit.trail.changes };
  }

  /**
   * Ends all tokens and sessions of the person, those of their agents included. A sign-in whose request was sent before
   * ends as well, since the provider may have answered it before the person signed out.
   */
  async signOut(
    tx: Connection,
    { id: providerId }: Pick<IdentityProviderRow, 'id'>,
    subject: string,
  ): Promise<SignedOut | undefined> {
    const unit: UnitOfWork = { tx, clock: this.clock, ids: this.ids, trail: new Trail() };
    const isTheirs = all<UserIdentityRow>(eq('providerId', providerId), eq('subject', subject));
    const known = await tx.one(userIdentities, isTheirs);
    const isThem = eq<UserRow>('id', known?.userId);
    const user = known === undefined ? undefined : await tx.one(users, isThem, { lock: 'update' });
    if (user === undefined) return undefined;
    await tx.update(userIdentities, isTheirs, { signedOutAt: isoTime(this.clock.now()) });
    await endTokens(unit, user);
    return { user, changes: unit.trail.changes };
  }
}

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
  return name.slice(0, nameLengthMax) || 'user';
}

/** The name, with a number behind it where it is taken: a name never leads to an account that exists. */
async function freeName(tx: Connection, name: string): Promise<string> {
  let free = name;
  while ((await tx.one(users, eq<UserRow>('name', free))) !== undefined)
    free = `${name}-${String(randomInt(1_000, 1_000_000))}`;
  return free;
}

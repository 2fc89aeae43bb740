import { isoTime } from '../core/clock.js';
import { badInput, conflict, notFound } from '../core/errors.js';
import { visibleLine } from '../core/checked-text.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { noteEnds } from '../delegation/end-delegation.js';
import { endByIssuer } from '../delegation/issuer-delegations.js';
import { all, eq } from '../store/sql/condition.js';
import { isDuplicate } from '../store/sql/database.js';
import { ProviderSecrets } from '../store/sql/provider-secrets.js';
import type { UserRow } from '../store/tables/identity.js';
import {
  identityProviders,
  providedUserRoles,
  providerGroupRoles,
  signalTransmitters,
  userIdentities,
  type IdentityProviderRow,
  type ProvidedUserRoleRow,
  type UserIdentityRow,
} from '../store/tables/identity-providers.js';
import { tokenIssuers, type IssuerDelegationRow } from '../store/tables/token-issuers.js';
import { requireAdministrator } from './administrators.js';
import { requireGrantableUser } from './credentials.js';
import { requireGrantable, rolesNamed } from './grantable-roles.js';
import { checked, issuerOf, namePattern } from './issuer-input.js';
import { lockProvider } from './locked-provider.js';
import { takeProvided } from './provided-roles.js';
import { removeIssuer } from './token-issuers.js';
import type { UnitOfWork } from './unit-of-work.js';
import { endTokens } from './users.js';
import { users } from '../store/tables/identity.js';

export interface NewProvider {
  readonly name: string;
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  readonly groupsClaim: string;
  readonly userNameClaim: string;
  readonly mayCreateUsers: boolean;
}

/** A provider without its secret, since answers are stored for their idempotency key. */
export const withoutSecret = (provider: IdentityProviderRow): IdentityProviderRow => ({
  ...provider,
  clientSecret: '',
});

/** RFC 6749 appendix A.4. */
const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;
/** RFC 6749 appendices A.1 and A.2. */
const visibleAscii = /^[\x20-\x7e]+$/;
const claimPattern = /^[\x21-\x7e]{1,100}$/;

function clientSecretOf(text: string): string {
  if (visibleAscii.test(text) && text.length <= 500) return text;
  throw badInput('A client secret has 1 to 500 visible characters of ASCII.', 'clientSecret');
}

function scopesOf(scopes: readonly string[]): readonly string[] {
  for (const scope of scopes) checked(scope, scopePattern, 'scopes', `\`${scope}\` is not a scope.`);
  return [...new Set(['openid', ...scopes])].slice(0, 30);
}

/** Trusts a provider: a person whom it names by a known subject is signed in. */
export async function addProvider(
  unit: UnitOfWork,
  input: NewProvider,
  allowHttp: boolean,
): Promise<IdentityProviderRow> {
  const id = unit.ids.next();
  const claim = 'A claim has 1 to 100 visible characters of ASCII.';
  const row: IdentityProviderRow = {
    id,
    name: checked(
      input.name,
      namePattern,
      'name',
      'A name has lower-case letters, digits and `-`, up to 40.',
    ),
    label: visibleLine(input.label, 60, 'label'),
    issuer: issuerOf(input.issuer, allowHttp),
    clientId: checked(
      input.clientId,
      /^[\x20-\x7e]{1,255}$/,
      'clientId',
      'A client id has 1 to 255 visible characters of ASCII.',
    ),
    clientSecret: (await ProviderSecrets.of(unit.tx)).seal(id, clientSecretOf(input.clientSecret)),
    scopes: scopesOf(input.scopes),
    groupsClaim: checked(input.groupsClaim, claimPattern, 'groupsClaim', claim),
    userNameClaim: checked(input.userNameClaim, claimPattern, 'userNameClaim', claim),
    mayCreateUsers: input.mayCreateUsers,
    createdAt: isoTime(unit.clock.now()),
    version: 1,
  };
  await unit.tx.insert(identityProviders, [row]).catch((error: unknown) => {
    throw isDuplicate(error) ? conflict('There is a provider of this name or issuer already.') : error;
  });
  note(unit, row, null, { mayCreateUsers: row.mayCreateUsers });
  return row;
}

/**
 * Removes a provider, and the token issuers that name its people. Its people keep their accounts; the roles that its
 * groups gave, and their sessions and tokens, end. `FORBIDDEN` where such a role is outside the grantable set of `by`.
 */
export async function removeProvider(
  unit: UnitOfWork,
  by: string,
  provider: IdentityProviderRow,
): Promise<readonly UserRow[]> {
  const { tx } = unit;
  // A sign-in locks this row first, too: either it ends before, and is signed out here, or it finds no provider.
  await tx.one(identityProviders, eq('id', provider.id), { lock: 'update' });
  await bumpEpoch(tx);
  const given = await tx.select(providedUserRoles, eq<ProvidedUserRoleRow>('providerId', provider.id));
  const roleIds = [...new Set(given.map(({ roleId }) => roleId))];
  await requireGrantable(tx, by, await rolesNamed(tx, roleIds));
  for (const one of given) await takeProvided(unit, one);
  const people: UserRow[] = [];
  const identities = await tx.select(userIdentities, eq('providerId', provider.id));
  for (const userId of new Set(identities.map((identity) => identity.userId))) {
    const user = await tx.byId(users, userId);
    if (user === undefined) continue;
    await endTokens(unit, user);
    people.push(user);
  }
  const issuers = await tx.select(tokenIssuers, eq('providerId', provider.id));
  for (const issuer of issuers) await removeIssuer(unit, by, issuer);
  await tx.delete(userIdentities, eq('providerId', provider.id));
  await tx.delete(providerGroupRoles, eq('providerId', provider.id));
  await tx.delete(signalTransmitters, eq('providerId', provider.id));
  await tx.delete(identityProviders, eq('id', provider.id));
  note(unit, provider, { mayCreateUsers: provider.mayCreateUsers }, null);
  if (given.length > 0) await requireAdministrator(tx);
  return people;
}

/**
 * Lets a person with an account sign in with this provider. The provider can name anybody by this subject, so `by` must be
 * allowed to grant all roles of the person.
 */
export async function linkIdentity(
  unit: UnitOfWork,
  by: string,
  { id: providerId }: IdentityProviderRow,
  user: UserRow,
  subject: string,
): Promise<void> {
  await lockProvider(unit.tx, providerId);
  await requireGrantableUser(unit.tx, by, user);
  checked(subject, subjectPattern, 'subject', 'A subject has 1 to 255 characters of ASCII.');
  const known = await unit.tx.one(userIdentities, all(eq('providerId', providerId), eq('subject', subject)));
  if (known !== undefined) throw conflict('This subject is linked to an account already.');
  await unit.tx.insert(userIdentities, [
    { providerId, subject, userId: user.id, createdAt: isoTime(unit.clock.now()), signedOutAt: null },
  ]);
  unit.trail.touched(users.type, [user.id], 'update');
  unit.trail.changed({ type: users.type, id: user.id, before: null, after: { identity: providerId } });
}

/**
 * The reverse of `linkIdentity`. The roles that groups of the provider gave, the person's sessions and tokens, and the
 * delegations made by tokens that named the subject end. `FORBIDDEN` where such a role is outside the grantable set of
 * `by`.
 */
export async function unlinkIdentity(
  unit: UnitOfWork,
  by: string,
  { id: providerId }: IdentityProviderRow,
  subject: string,
): Promise<UserRow> {
  const { tx, clock, trail } = unit;
  await lockProvider(tx, providerId);
  const isTheirs = all<UserIdentityRow>(eq('providerId', providerId), eq('subject', subject));
  const identity = await tx.one(userIdentities, isTheirs);
  const user =
    identity === undefined
      ? undefined
      : await tx.one(users, eq<UserRow>('id', identity.userId), { lock: 'update' });
  if (user === undefined) throw notFound('This subject');
  const mine = all<ProvidedUserRoleRow>(eq('userId', user.id), eq('providerId', providerId));
  const given = await tx.select(providedUserRoles, mine);
  await requireGrantable(
    tx,
    by,
    await rolesNamed(
      tx,
      given.map(({ roleId }) => roleId),
    ),
  );
  for (const one of given) await takeProvided(unit, one);
  await endTokens(unit, user);
  for (const { id: issuerId } of await tx.select(tokenIssuers, eq('providerId', providerId))) {
    const resting = all<IssuerDelegationRow>(eq('issuerId', issuerId), eq('subject', subject));
    noteEnds(trail, await endByIssuer({ tx, clock, by }, resting));
  }
  await tx.delete(userIdentities, isTheirs);
  trail.touched(users.type, [user.id], 'update');
  trail.changed({ type: users.type, id: user.id, before: { identity: providerId }, after: null });
  if (given.length > 0) await requireAdministrator(tx);
  return user;
}

/** OpenID Connect Core section 2. */
const subjectPattern = /^[\x20-\x7e]{1,255}$/;

/** No record holds the client secret: only flags go in. */
export function note(
  unit: UnitOfWork,
  { id }: IdentityProviderRow,
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>> | null,
): void {
  const action = before === null ? 'create' : after === null ? 'delete' : 'update';
  unit.trail.touched(identityProviders.type, [id], action);
  unit.trail.changed({ type: identityProviders.type, id, before, after });
}

import type { Authority } from '../authority/authority.js';
import { parseBoundary } from '../authority/boundary.js';
import { rightsOf } from '../authority/rights.js';
import { isoTime, type Clock } from '../core/clock.js';
import { badInput, BehalfError } from '../core/errors.js';
import { all, compare, eq, isIn, isNull, type Condition } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { consents, roles, type ConsentRow } from '../store/tables/identity.js';
import { endBeyondConsent, type Ended } from './end-delegation.js';
import { bumpEpoch } from './authority-epoch.js';
import {
  offer,
  requireInPerson,
  type RequestedRights,
  type CreateContext,
  type Offer,
} from './create-delegation.js';
import type { Ceiling } from './narrow-delegation.js';

/** A consent, and the delegations that it ended. */
export interface Given {
  readonly consent: ConsentRow;
  readonly replaced: readonly ConsentRow[];
  readonly ended: readonly Ended[];
}

/** The longest life of a consent, and its life where the request does not say: 90 and 30 days. */
export const consentSecondsMax = 7_776_000;
export const consentSecondsUsual = 2_592_000;

/** The consents that are in force at a moment, in milliseconds: neither taken back nor expired. */
export const isInForce = (now: number): Condition<ConsentRow> =>
  all<ConsentRow>(isNull('revokedAt'), compare('expiresAt', '>', isoTime(now)));

/**
 * Stores a person's consent to an offer for `seconds`. Throws `BAD_USER_INPUT` for a life that no consent has. It replaces
 * an earlier consent for the same agent and role, and ends the delegations under that one that go beyond this one.
 */
export async function storeConsent(
  { tx, clock, ids }: CreateContext,
  userId: string,
  { agent, role, scopes, boundary }: Offer,
  seconds: number,
): Promise<Given> {
  if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > consentSecondsMax)
    throw badInput(`A consent lasts between 1 and ${String(consentSecondsMax)} seconds.`, 'expiresInSeconds');
  const at = clock.now();
  const now = isoTime(at);
  const replaced = (await activeConsents({ tx, clock }, userId, agent.id, 'update')).filter(
    (row) => row.roleId === role.id,
  );
  for (const row of replaced) await tx.update(consents, eq<ConsentRow>('id', row.id), { revokedAt: now });
  const id = ids.next();
  const terms = { id, userId, agentId: agent.id, roleId: role.id, scopes, boundary };
  const consent: ConsentRow = {
    ...terms,
    createdAt: now,
    expiresAt: isoTime(at + seconds * 1000),
    revokedAt: null,
  };
  await tx.insert(consents, [consent]);
  const ended = await endBeyondConsent({ tx, clock, by: userId }, replaced, consent);
  await bumpEpoch(tx);
  return { consent, replaced, ended };
}

export interface ConsentRequest extends RequestedRights {
  /** Default: 30 days. */
  readonly expiresInSeconds?: number | null | undefined;
}

/** Consent of a person who acts in person, to no more than they can use themselves. */
export async function giveConsent(
  context: CreateContext,
  giver: Authority,
  { expiresInSeconds, ...requested }: ConsentRequest,
): Promise<Given> {
  requireInPerson(giver);
  const offered = await offer(context, giver, requested);
  return storeConsent(context, giver.chain.person.id, offered, expiresInSeconds ?? consentSecondsUsual);
}

interface Consented {
  readonly role: string;
  /** The limit of every delegation under the consent, whatever the person holds. */
  readonly ceiling: Ceiling;
  /** The end of the consent, in milliseconds: no delegation under it lasts longer. */
  readonly endsBy: number;
}

/** The consent under which an agent may exchange a person's token. Throws `FORBIDDEN` where there is none. */
export async function findConsent(
  within: Within,
  userId: string,
  agentId: string,
  roleName: string | undefined,
): Promise<Consented> {
  for (const row of await activeConsents(within, userId, agentId, 'share')) {
    const role = await within.tx.byId(roles, row.roleId);
    if (role === undefined || (roleName !== undefined && role.name !== roleName)) continue;
    return {
      role: role.name,
      ceiling: { layer: 'delegation', rights: rightsOf(row.scopes, parseBoundary(row.boundary)) },
      endsBy: Date.parse(row.expiresAt),
    };
  }
  throw new BehalfError('FORBIDDEN', 'The person has not consented to this agent.', {
    layer: 'person',
    hint: 'Ask the person to sign in and to consent to the agent.',
  });
}

export interface Within {
  readonly tx: Connection;
  readonly clock: Clock;
}

/**
 * The consents in force, the newest first. The rows are locked, so that a withdrawal sees every delegation made
 * under them. Locked by their ids alone: a search would also wait for the rows of others that it looks through.
 */
async function activeConsents(
  { tx, clock }: Within,
  userId: string,
  agentId: string,
  lock: 'share' | 'update',
): Promise<ConsentRow[]> {
  const inForce = isInForce(clock.now());
  const theirs = all<ConsentRow>(eq('userId', userId), eq('agentId', agentId), inForce);
  const found = await tx.selectColumns(consents, ['id'], theirs);
  const ids = found.map(({ id }) => id);
  const order = [{ column: 'id', direction: 'desc' }] as const;
  return tx.select(consents, all<ConsentRow>(isIn('id', ids), inForce), { order, lock });
}

/** Locks the consents of a person to an agent, as `findConsent` does. */
export const lockConsents = (within: Within, userId: string, agentId: string): Promise<unknown> =>
  activeConsents(within, userId, agentId, 'share');

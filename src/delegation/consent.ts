import type { Authority } from '../authority/authority.js';
import { parseBoundary } from '../authority/boundary.js';
import { rightsOf } from '../authority/rights.js';
import { isoTime } from '../core/clock.js';
import { BehalfError } from '../core/errors.js';
import { all, eq, isNull } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { consents, roles, type ConsentRow } from '../store/tables/identity.js';
import { endBeyondConsent, type Ended } from './end-delegation.js';
import { bumpEpoch } from './authority-epoch.js';
import { offer, type RequestedRights, type CreateContext, type Offer } from './create-delegation.js';
import { refused, type Ceiling } from './narrow-delegation.js';

/** A consent, and the delegations that it ended. */
export interface Given {
  readonly consent: ConsentRow;
  readonly replaced: readonly ConsentRow[];
  readonly ended: readonly Ended[];
}

/**
 * Stores a person's consent to an offer. It replaces an earlier consent for the same agent and role, and ends
 * the delegations under that one that go beyond this one.
 */
export async function storeConsent(
  { tx, clock, ids }: CreateContext,
  userId: string,
  { agent, role, scopes, boundary }: Offer,
): Promise<Given> {
  const now = isoTime(clock.now());
  const replaced = (await activeConsents(tx, userId, agent.id, 'update')).filter(
    (row) => row.roleId === role.id,
  );
  for (const row of replaced) await tx.update(consents, eq<ConsentRow>('id', row.id), { revokedAt: now });
  const id = ids.next();
  const terms = { id, userId, agentId: agent.id, roleId: role.id, scopes, boundary };
  const consent: ConsentRow = { ...terms, createdAt: now, revokedAt: null };
  await tx.insert(consents, [consent]);
  const ended = await endBeyondConsent({ tx, clock, by: userId }, replaced, consent);
  await bumpEpoch(tx);
  return { consent, replaced, ended };
}

/** Consent of a person who acts in person, to no more than they can use themselves. */
export async function giveConsent(
  context: CreateContext,
  giver: Authority,
  requested: RequestedRights,
): Promise<Given> {
  if (giver.chain.agents.length > 0) throw refused('agent', requested.scopes ?? []);
  return storeConsent(context, giver.chain.person.id, await offer(context, giver, requested));
}

export interface Consented {
  readonly role: string;
  /** The limit of every delegation under the consent, whatever the person holds. */
  readonly ceiling: Ceiling;
}

/** The consent under which an agent may exchange a person's token. Throws `FORBIDDEN` where there is none. */
export async function findConsent(
  tx: Connection,
  userId: string,
  agentId: string,
  roleName: string | undefined,
): Promise<Consented> {
  for (const row of await activeConsents(tx, userId, agentId, 'share')) {
    const role = await tx.byId(roles, row.roleId);
    if (role === undefined || (roleName !== undefined && role.name !== roleName)) continue;
    return {
      role: role.name,
      ceiling: { layer: 'delegation', rights: rightsOf(row.scopes, parseBoundary(row.boundary)) },
    };
  }
  throw new BehalfError('FORBIDDEN', 'The person has not consented to this agent.', {
    layer: 'person',
    hint: 'Ask the person to sign in and to consent to the agent.',
  });
}

/**
 * The active consents, the newest first. The rows are locked, so that a withdrawal sees every delegation made
 * under them.
 */
const activeConsents = (
  tx: Connection,
  userId: string,
  agentId: string,
  lock: 'share' | 'update',
): Promise<ConsentRow[]> =>
  tx.select(consents, all<ConsentRow>(eq('userId', userId), eq('agentId', agentId), isNull('revokedAt')), {
    order: [{ column: 'id', direction: 'desc' }],
    lock,
  });

import type { Change, Trail } from '../audit/trail.js';
import { parseBoundary } from '../authority/boundary.js';
import { areRightsWithin, rightsOf, type Rights } from '../authority/rights.js';
import { isoTime, type Clock } from '../core/clock.js';
import { conflict, notFound } from '../core/errors.js';
import { all, compare, eq, isIn, not, type Condition } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { consents, delegations, type ConsentRow, type DelegationRow } from '../store/tables/identity.js';
import { issuerDelegations, type IssuerDelegationRow } from '../store/tables/token-issuers.js';
import { bumpEpoch } from './authority-epoch.js';

export interface EndContext {
  readonly tx: Connection;
  readonly clock: Clock;
  /** The user who ends it. Null where the agent or the operator does. */
  readonly by: string | null;
}

/** A delegation before and after. */
export interface Ended {
  readonly before: DelegationRow;
  readonly after: DelegationRow;
}

const stateOf = ({ status, endedAt, endedBy }: DelegationRow) => ({ status, endedAt, endedBy });

/** The change as a record stores it. */
export const changeOf = ({ before, after }: Ended): Change => ({
  type: delegations.type,
  id: before.id,
  before: stateOf(before),
  after: stateOf(after),
});

/** Notes each ended delegation in a trail, sub-delegations included. */
export function noteEnds(trail: Trail, ended: readonly Ended[]): void {
  for (const one of ended) {
    trail.touched(delegations.type, [one.before.id], 'update');
    trail.changed(changeOf(one));
  }
}

/** The status at a moment, in milliseconds. Expiry is not stored: it follows from the clock. */
export const statusAt = ({ status, expiresAt }: DelegationRow, now: number): string =>
  status === 'active' && Date.parse(expiresAt) <= now ? 'expired' : status;

/** The delegations that have a status at a moment. */
export function hasStatus(status: string, now: number): Condition<DelegationRow> {
  const over = compare<DelegationRow>('expiresAt', '<=', isoTime(now));
  if (status === 'expired') return all(eq('status', 'active'), over);
  return status === 'active' ? all(eq('status', 'active'), not(over)) : eq('status', status);
}

/** Marks the task as done. Throws `CONFLICT` where the delegation has already ended. */
export async function completeDelegation(context: EndContext, id: string): Promise<readonly Ended[]> {
  const ended = await end(context, [id], 'completed');
  if (!ended.some(({ before }) => before.id === id)) throw conflict('This delegation has ended already.');
  return ended;
}

/**
 * Ends a delegation and all its descendants. A delegation that has already ended stays unchanged, without an
 * error.
 */
export const revokeDelegation = (context: EndContext, id: string): Promise<readonly Ended[]> =>
  endAll(context, [id]);

/** As `revokeDelegation`, for several at once. */
export const endAll = (context: EndContext, ids: readonly string[]): Promise<readonly Ended[]> =>
  end(context, ids, 'revoked');

/**
 * Ends a person's delegations to an agent under a role: all of them or a selection. A sub-delegation that a token of an
 * issuer made rests on the person's consent, too.
 */
async function revokeDelegationsTo(
  context: EndContext,
  to: Pick<DelegationRow, 'userId' | 'agentId' | 'roleId'>,
  isChosen: (row: DelegationRow) => boolean = () => true,
): Promise<readonly Ended[]> {
  const rows = await context.tx.select(
    delegations,
    all<DelegationRow>(
      eq('userId', to.userId),
      eq('agentId', to.agentId),
      eq('roleId', to.roleId),
      eq('status', 'active'),
    ),
  );
  const subs = rows.filter((row) => row.depth > 0).map((row) => row.id);
  const made = all<IssuerDelegationRow>(isIn('delegationId', subs), eq('made', true));
  const byIssuer = (await context.tx.select(issuerDelegations, made)).map((row) => row.delegationId);
  const resting = rows.filter((row) => row.depth === 0 || byIssuer.includes(row.id));
  return end(
    context,
    resting.filter(isChosen).map((row) => row.id),
    'revoked',
  );
}

const rightsIn = ({ scopes, boundary }: Pick<ConsentRow, 'scopes' | 'boundary'>): Rights =>
  rightsOf(scopes, parseBoundary(boundary));

/** Whether the consent allows the delegation: it has no other right, and no later end. */
const isUnder = (row: DelegationRow, consent: ConsentRow): boolean =>
  row.expiresAt <= consent.expiresAt && areRightsWithin(rightsIn(row), rightsIn(consent));

/** Ends the delegations that an earlier consent allowed and its replacement does not. */
export function endBeyondConsent(
  context: EndContext,
  replaced: readonly ConsentRow[],
  consent: ConsentRow,
): Promise<readonly Ended[]> {
  return revokeDelegationsTo(
    context,
    consent,
    (row) => replaced.some((earlier) => isUnder(row, earlier)) && !isUnder(row, consent),
  );
}

/**
 * Withdraws a consent: the agent gets no more tokens by it, and its delegations under the same role end. What an expired
 * consent allowed has ended with it, so its withdrawal ends nothing.
 */
export async function withdrawConsent(
  context: EndContext,
  id: string,
): Promise<{ consent: ConsentRow; ended: readonly Ended[] }> {
  const consent = await context.tx.one(consents, eq<ConsentRow>('id', id), { lock: 'update' });
  if (consent === undefined) throw notFound('Consent');
  if (consent.revokedAt !== null) return { consent, ended: [] };
  const revokedAt = isoTime(context.clock.now());
  const isOver = consent.expiresAt <= revokedAt;
  const ended = isOver ? [] : await revokeDelegationsTo(context, consent);
  await context.tx.update(consents, eq<ConsentRow>('id', id), { revokedAt });
  if (ended.length === 0) await bumpEpoch(context.tx);
  return { consent: { ...consent, revokedAt }, ended };
}

async function end(
  { tx, clock, by }: EndContext,
  roots: readonly string[],
  status: 'completed' | 'revoked',
): Promise<Ended[]> {
  const ids = await withDescendants(tx, roots);
  // Locks rows in the order of ids and before the epoch, as charges do, to avoid deadlocks.
  const rows = await tx.select(delegations, isIn<DelegationRow>('id', ids), {
    order: [{ column: 'id', direction: 'asc' }],
    lock: 'update',
  });
  const active = rows.filter((row) => row.status === 'active');
  if (active.length === 0) return [];
  const endedAt = isoTime(clock.now());
  const ended: Ended[] = [];
  for (const before of active) {
    const changes = { status, endedAt, endedBy: by, version: before.version + 1 };
    await tx.update(delegations, eq<DelegationRow>('id', before.id), changes);
    ended.push({ before, after: { ...before, ...changes } });
  }
  await bumpEpoch(tx);
  return ended;
}

/** The ids of delegations and of all their descendants. */
export async function withDescendants(tx: Connection, roots: readonly string[]): Promise<string[]> {
  const found = new Set(roots);
  for (let parents = roots; parents.length > 0;) {
    const children = await tx.select(delegations, isIn<DelegationRow>('parentId', parents));
    parents = children.map((row) => row.id).filter((id) => !found.has(id));
    for (const id of parents) found.add(id);
  }
  return [...found];
}

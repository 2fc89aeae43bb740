import { BehalfError, unauthenticated } from '../core/errors.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { users } from '../store/tables/identity.js';
import { userIdentities, type UserIdentityRow } from '../store/tables/identity-providers.js';
import {
  tokenIssuerAgents,
  tokenIssuers,
  type TokenIssuerAgentRow,
  type TokenIssuerRow,
} from '../store/tables/token-issuers.js';
import { requireGrantableUser } from './credentials.js';
import { isMarked } from './provider-logouts.js';

/** The parties of a token of a trusted issuer, by that issuer's names. */
interface Claimed {
  readonly issuer: Pick<TokenIssuerRow, 'id' | 'version'>;
  readonly subject: string;
  readonly actors: readonly string[];
  /** The digest of the session at the provider. */
  readonly session?: string;
  /** ISO 8601. */
  readonly issuedAt: string;
}

/**
 * The account of the subject, and the agents of the actors, by the tables of the issuer alone: never by a name that is the
 * same here. Throws `UNAUTHENTICATED`, which says who is missing.
 */
export async function partiesOf(
  tx: Connection,
  claimed: Claimed,
  now: number,
): Promise<{ readonly userId: string; readonly agentIds: readonly string[] }> {
  const issuer = await tx.one(tokenIssuers, eq('id', claimed.issuer.id), { lock: 'share' });
  if (issuer?.version !== claimed.issuer.version) throw unauthenticated('The issuer is not trusted.');
  const agentIds: string[] = [];
  for (const actor of claimed.actors) {
    const isNamed = all<TokenIssuerAgentRow>(eq('issuerId', issuer.id), eq('actor', actor));
    const entry = await tx.one(tokenIssuerAgents, isNamed);
    if (entry === undefined)
      throw unauthenticated('An actor of the token is mapped to no agent: an administrator maps it.');
    if (agentIds.includes(entry.agentId)) throw unauthenticated('The token names one agent twice.');
    agentIds.push(entry.agentId);
  }
  return { userId: await personOf(tx, issuer, claimed, now), agentIds };
}

async function personOf(
  tx: Connection,
  { providerId, addedBy }: TokenIssuerRow,
  { subject, issuedAt, ...claimed }: Claimed,
  now: number,
): Promise<string> {
  const isTheirs = all<UserIdentityRow>(eq('providerId', providerId), eq('subject', subject));
  const identity = await tx.one(userIdentities, isTheirs);
  const user = identity === undefined ? undefined : await tx.byId(users, identity.userId);
  if (identity === undefined || user === undefined)
    throw unauthenticated('The person of the token has no account here: an administrator links one.');
  if (user.status !== 'active') throw unauthenticated('The account of the person is not active.');
  const session = { ...claimed, providerId, subject, requestedAt: issuedAt };
  const isOver = identity.signedOutAt !== null && issuedAt <= identity.signedOutAt;
  if (isOver || (await isMarked(tx, session, now)))
    throw unauthenticated('The person has signed out since the token was issued.');
  await requireTrustFor(tx, addedBy, user);
  return user.id;
}

/**
 * Throws where the administrator who added the issuer may no longer grant all roles of the person: an issuer speaks for
 * people, so adding one is as much as granting their roles.
 */
async function requireTrustFor(
  tx: Connection,
  addedBy: string,
  user: { readonly id: string },
): Promise<void> {
  const refusal = unauthenticated(
    'The administrator who trusts the issuer may not grant all roles of the person: let another one add it.',
  );
  if ((await tx.byId(users, addedBy))?.status !== 'active') throw refusal;
  await requireGrantableUser(tx, addedBy, user).catch((error: unknown) => {
    throw error instanceof BehalfError && error.code === 'FORBIDDEN' ? refusal : error;
  });
}

import { unauthenticated } from '../core/errors.js';
import { isId } from '../core/ids.js';
import type { Connection } from '../store/sql/connection.js';
import { delegations } from '../store/tables/identity.js';

interface PersonFact {
  readonly userId: string;
  readonly scopes: readonly string[];
  /** Set where the token is an agent's. */
  readonly delegationId?: string | undefined;
}

/**
 * A person's token as one under a delegation of theirs: its authority is what the delegation's agent has, and never more
 * than the token has. Throws `UNAUTHENTICATED`, with the same words for a delegation that has ended, that belongs to
 * somebody else or that never was.
 */
export async function inspected<Fact extends PersonFact>(
  connection: Connection,
  fact: Fact,
  delegationId: string,
): Promise<Fact> {
  if (fact.delegationId !== undefined) throw unauthenticated('Only a person may look through a delegation.');
  const row = isId(delegationId) ? await connection.byId(delegations, delegationId) : undefined;
  if (row?.userId !== fact.userId) throw unauthenticated('The delegation of this token has ended.');
  return { ...fact, delegationId: row.id, scopes: row.scopes.filter((scope) => fact.scopes.includes(scope)) };
}

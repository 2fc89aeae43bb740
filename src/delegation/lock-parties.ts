import { eq } from '../store/sql/condition.js';
import { agents, delegations, users } from '../store/tables/identity.js';
import { lockConsents, type Within } from './consent.js';

/** The rows on which a new delegation rests. */
export interface Parties {
  readonly userId?: string;
  readonly agentId: string;
  readonly parentId?: string;
}

/**
 * Locks what a new delegation rests on, before the version of all rights is locked: whatever ends rights locks its rows
 * first, too, and so the two wait for one another instead of ending in a deadlock. Transactions of SQLite run alone.
 */
export async function lockParties(within: Within, { userId, agentId, parentId }: Parties): Promise<void> {
  const { tx } = within;
  if (tx.dialect === 'sqlite') return;
  const lock = { lock: 'share' } as const;
  const parent = parentId === undefined ? undefined : await tx.one(delegations, eq('id', parentId), lock);
  const person = userId ?? parent?.userId;
  if (person !== undefined) await tx.one(users, eq('id', person), lock);
  await tx.one(agents, eq('id', agentId), lock);
  if (userId !== undefined) await lockConsents(within, userId, agentId);
}

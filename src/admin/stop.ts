import { bumpEpoch, readEpoch } from '../delegation/authority-epoch.js';
import type { Operation, Resolvers } from '../delegation/operation.js';
import { eq } from '../store/sql/condition.js';
import { authorityEpoch } from '../store/tables/identity.js';
import { workOf, type Work } from './unit-of-work.js';

/**
 * Stops every agent, or lets all go on. People who act in person are not stopped. Tokens of agents from before the stop
 * end for good; delegations stand.
 */
export async function setStopped(work: Work, stopped: boolean): Promise<void> {
  // First, so that what is read next cannot change under us.
  await bumpEpoch(work.tx);
  const before = await readEpoch(work.tx);
  if (before.stopped === stopped) return;
  const tokenGeneration = before.tokenGeneration + (stopped ? 1 : 0);
  await work.tx.update(authorityEpoch, eq('id', 1), { stopped, tokenGeneration });
  work.trail.changed({
    type: authorityEpoch.type,
    id: '1',
    before: { stopped: before.stopped },
    after: { stopped },
  });
}

const set =
  (stopped: boolean) =>
  (_: unknown, { idempotencyKey }: { idempotencyKey: string }, operation: Operation) =>
    operation.once(idempotencyKey, { setStopped: stopped }, {}, async () => {
      await setStopped(workOf(operation), stopped);
      return { stopped };
    });

export const stopResolvers: Resolvers = {
  Mutation: { stopEverything: set(true), resumeEverything: set(false) },
};

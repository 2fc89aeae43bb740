import { bumpEpoch, readEpoch } from '../delegation/authority-epoch.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { eq } from '../store/sql/condition.js';
import { authorityEpoch } from '../store/tables/identity.js';
import { unitOfWork, type UnitOfWork } from './unit-of-work.js';

/**
 * Stops every agent, or lets all go on. People who act themselves are not stopped. Tokens of agents from before the
 * stop end for good; delegations stay active.
 */
async function setStopped(unit: UnitOfWork, stopped: boolean): Promise<void> {
  // First, so that the row read next cannot change.
  await bumpEpoch(unit.tx);
  const before = await readEpoch(unit.tx);
  if (before.stopped === stopped) return;
  const tokenGeneration = before.tokenGeneration + (stopped ? 1 : 0);
  await unit.tx.update(authorityEpoch, eq('id', 1), { stopped, tokenGeneration });
  unit.trail.changed({
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
      await setStopped(unitOfWork(operation), stopped);
      return { stopped };
    });

export const stopResolvers: Resolvers = {
  Mutation: { stopEverything: set(true), resumeEverything: set(false) },
};

// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endingNames } from '../support/chain-endings.js';
import { flowNames } from '../support/chain-flows.js';
import { inTurn, plan } from '../support/chain-plans.js';
import { Lane, type Fault } from '../support/random-chains.js';
import { linksMax, TwoServers } from '../support/two-servers.js';
import { volume } from '../support/volume.js';

const share = volume(10_000);
/** `npm test` makes one chain for each kind of ending, and few endings of each, which take some seconds. */
const isDeep = share > 1_000;
const chains = isDeep ? share : endingNames.length;
const endingsEach = isDeep ? linksMax : 2;
const lanesMax = isDeep ? 3 : 2;

let two: TwoServers;
beforeAll(async () => {
  two = await TwoServers.start();
});
afterAll(() => two.stop());

// Over MariaDB two processes of the built server, which share nothing but the database. An operation that begins after the
// answer to an ending has begun after the ending was committed.
const title = isDeep ? String(share) : 'some';
test(`of ${title} random endings of chains by all flows none is late, and no link is wider than one before`, async () => {
  const seed = Number(process.env.BEHALF_TEST_SEED ?? Date.now() % 1_000_000);
  // Each kind of ending comes first in some chains, and each flow, so that every run has all of them.
  const plans = fc
    .sample(plan, { seed, numRuns: chains })
    .map(({ interleavings, ...one }) => ({ ...one, interleavings: interleavings.slice(0, endingsEach) }))
    .map(inTurn);
  const lanes = await Promise.all(
    Array.from({ length: lanesMax }, (_, at) => Lane.start(two, `lane-${String(at)}`)),
  );
  let done = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (!isDeep || done < share) {
        const next = plans.shift();
        if (next === undefined) break;
        const count = await lane.run(next);
        done += count;
      }
    }),
  );
  const faults = lanes.flatMap((lane): readonly Fault[] => lane.faults);
  expect({ seed, faults: faults.slice(0, 20) }).toEqual({ seed, faults: [] });
  expect(done).toBeGreaterThanOrEqual(isDeep ? share : chains);
  // Every kind of ending and every flow was tried.
  expect(new Set(lanes.flatMap((lane) => [...lane.kinds])).size).toBe(endingNames.length);
  expect(new Set(lanes.flatMap((lane) => [...lane.flows])).size).toBe(flowNames.length);
}, 5_400_000);

// databases: mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endings } from '../support/chain-endings.js';
import { Lane, plan, type Fault, type Plan } from '../support/random-chains.js';
import { TwoServers } from '../support/two-servers.js';
import { volume } from '../support/volume.js';

/** Of a tenth, `npm test` makes as many as take a few seconds. */
const share = volume(10_000);
const interleavings = share > 1_000 ? share : Math.min(share, 100);
const lanesMax = 3;

const kinds = [...endings.ofAll, ...endings.ofOne];
const beginningWith = ({ links, interleavings: [first, ...others] }: Plan, at: number): Plan => {
  const ending = kinds[at % kinds.length];
  return first === undefined || ending === undefined
    ? { links, interleavings: others }
    : { links, interleavings: [{ ...first, ending }, ...others] };
};

let two: TwoServers;
beforeAll(async () => {
  two = await TwoServers.start();
});
afterAll(() => two.stop());

// Two processes of the built server, which share nothing but the database. An operation that begins after the answer to
// an ending has begun after the ending was committed.
test(`of ${String(interleavings)} random endings among operations on two processes, none is late`, async () => {
  const seed = Number(process.env.BEHALF_TEST_SEED ?? Date.now() % 1_000_000);
  // Each kind of ending comes first in some chains, so that every run has all of them.
  const plans = fc.sample(plan, { seed, numRuns: interleavings }).map(beginningWith);
  const lanes = await Promise.all(
    Array.from({ length: Math.min(lanesMax, Math.ceil(interleavings / 20)) }, (_, at) =>
      Lane.start(two, `lane-${String(at)}`),
    ),
  );
  let done = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (done < interleavings) {
        const next = plans.shift();
        if (next === undefined) break;
        const count = await lane.run(next);
        done += count;
      }
    }),
  );
  const faults = lanes.flatMap((lane): readonly Fault[] => lane.faults);
  expect({ seed, faults: faults.slice(0, 20) }).toEqual({ seed, faults: [] });
  expect(done).toBeGreaterThanOrEqual(interleavings);
  // Every kind of ending was tried.
  expect(new Set(lanes.flatMap((lane) => [...lane.kinds])).size).toBe(kinds.length);
}, 5_400_000);

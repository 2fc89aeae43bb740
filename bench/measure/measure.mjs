import { workloads as known } from '../world/workloads.mjs';
import { applies, requireAlike } from './alike.mjs';
import { median, spread } from './stats.mjs';

/**
 * Measures every contender at every workload: rounds go over all contenders in turn, so that a slow minute of the
 * machine is everybody's. A contender is `{ name, label, database, world, server, transport, settled }`; the last, where it is
 * given, resolves when the server has done what it left for later, which counts as work of the operations. Returns a row for each
 * contender and workload; one without figures where the workload means nothing to the server. `isAloneToo`, where it
 * is false, leaves out the figures of a caller alone.
 */
export async function measure({ contenders, workloads, load, calibration, progress, ...how }) {
  const rows = [];
  for (const contender of contenders) {
    progress(`${contender.label} mix: warming up`);
    const { firstSeconds, firstOperations } = how;
    await load.run({
      ...job(contender, 'mix', how.connections, firstSeconds, true),
      operations: firstOperations,
    });
    await contender.settled?.();
  }
  for (const workload of workloads) {
    const able = contenders.filter(({ name }) => applies(name, workload));
    for (const world of new Set(able.map((contender) => contender.world))) {
      await requireAlike(
        able.filter((contender) => contender.world === world),
        workload,
        how.answersCompared,
      );
    }
    const { longer = 1 } = known[workload];
    const samples = new Map(able.map((contender) => [contender, []]));
    for (const contender of able) {
      progress(`${contender.label} ${workload}: warming up`);
      await load.run(job(contender, workload, how.connections, longer * how.warmUpSeconds, true));
      await contender.settled?.();
    }
    for (let round = 0; round < how.rounds; round += 1) {
      await calibration.take();
      // Nobody is always the one after the same other.
      const turn = round % Math.max(1, able.length);
      for (const contender of [...able.slice(turn), ...able.slice(0, turn)]) {
        progress(`${contender.label} ${workload}: round ${round + 1} of ${how.rounds}`);
        samples
          .get(contender)
          .push(await sample(contender, workload, load, { ...how, seconds: longer * how.seconds }));
      }
    }
    for (const contender of contenders)
      rows.push(rowOf(contender, workload, samples.get(contender) ?? [], how));
  }
  return rows;
}

const job = (
  { database, label, server, world, transport },
  workload,
  connections,
  seconds,
  first = false,
) => ({
  server: `${label} ${database}`,
  port: server.port,
  workload,
  world,
  transport,
  connections,
  seconds,
  first,
});

async function sample(contender, workload, load, { connections, seconds, isAloneToo = true }) {
  const before = contender.server.cpuUs();
  const many = await load.run(job(contender, workload, connections, seconds));
  await contender.settled?.();
  const cpuUsPerOp = (contender.server.cpuUs() - before) / many.operations;
  if (!isAloneToo) return { ...many, cpuUsPerOp };
  const one = await load.run(job(contender, workload, 1, seconds / 2));
  await contender.settled?.();
  return { ...many, cpuUsPerOp, p50AloneMs: one.p50Ms, p99AloneMs: one.p99Ms };
}

/** Null for what was not measured. */
export const rounded = (value, places) => (Number.isFinite(value) ? Number(value.toFixed(places)) : null);

function rowOf({ label, database }, workload, taken, { connections }) {
  const of = (key, places) => rounded(median(taken.map((one) => one[key])), places);
  return {
    server: label,
    database,
    workload,
    cpuUsPerOp: of('cpuUsPerOp', 1),
    opsPerSecond: of('opsPerSecond', 1),
    p99Ms: of('p99Ms', 2),
    p50Ms: of('p50Ms', 2),
    p99AloneMs: of('p99AloneMs', 2),
    p50AloneMs: of('p50AloneMs', 2),
    connections,
    cpuUsOfRounds: taken.map((one) => rounded(one.cpuUsPerOp, 1)),
    cpuSpread: rounded(spread(taken.map((one) => one.cpuUsPerOp)), 4),
  };
}

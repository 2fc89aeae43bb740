import { measure, rounded } from '../measure/measure.mjs';
import { median, spread } from '../measure/stats.mjs';
import { ownDist } from '../paths.mjs';
import { columns, digits, noiseText } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { usualWorld } from '../world/world.mjs';

const [own, other] = ['this build', 'other build'];
/** Of each build at each workload. A round has their median: one that something else disturbed does not count. */
const turnsPerRound = 4;

/** This build and another in turns, each over a database that is seeded for it. */
export async function beside(options) {
  const { how, bound, databases, workloads } = options;
  const stage = new Stage(options);
  const rows = [];
  try {
    for (const database of databases) {
      const builds = [
        { label: own, dist: ownDist, url: await stage.database(database, usualWorld, ownDist) },
        { label: other, dist: options.dist, url: await stage.database(database, usualWorld, options.dist) },
      ];
      const measured = [];
      for (let round = 1; round <= how.rounds; round += 1) {
        // Turns of one round are ABBAABBA, those of the next BAABBAAB: a drift of the machine is the same for both.
        const order = round % 2 === 1 ? builds : [...builds].reverse();
        const progress = (text) => options.progress(`${database} ${round}/${how.rounds}, ${text}`);
        measured.push(...(await measureRound(stage, database, order, { ...options, progress })));
      }
      rows.push(...workloads.map((workload) => ({ database, workload, ...ratioOf(measured, workload) })));
    }
    const failed = rows.some(({ ratio }) => ratio > bound);
    return { rows, bound, failed, world: usualWorld, how, calibration: stage.calibration.summary() };
  } finally {
    await stage.close();
  }
}

/** Servers are started for one round alone: two processes of one build differ too. */
async function measureRound(stage, database, builds, { how, workloads, progress }) {
  const contenders = [];
  for (const { url, ...build } of builds) {
    contenders.push(await stage.contender('behalf', database, url, usualWorld, build));
  }
  const { load, calibration } = stage;
  const turns = { ...how, rounds: turnsPerRound, isAloneToo: false };
  const rows = await measure({ ...turns, contenders, workloads, load, calibration, progress });
  for (const { server } of contenders) await server.stop();
  return rows;
}

function ratioOf(measured, workload) {
  const timesOf = (label) =>
    measured.filter((row) => row.server === label && row.workload === workload).map((row) => row.cpuUsPerOp);
  const [times, otherTimes] = [timesOf(own), timesOf(other)];
  const ratios = times.map((time, round) => rounded(time / otherTimes[round], 3));
  return {
    cpuUsPerOp: rounded(median(times), 1),
    otherCpuUsPerOp: rounded(median(otherTimes), 1),
    ratios,
    ratio: rounded(median(ratios), 3),
    cpuSpread: rounded(spread(times), 4),
  };
}

const lines = ({ rows, bound }) => [
  ['', `${own}, µs`, `${other}, µs`, 'ratio of each round', 'median', ''],
  ...rows.map(({ database, workload, cpuUsPerOp, otherCpuUsPerOp, ratios, ratio }) => [
    `${database} ${workload}`,
    digits(cpuUsPerOp),
    digits(otherCpuUsPerOp),
    ratios.map((one) => one.toFixed(3)).join('  '),
    ratio.toFixed(3),
    ratio > bound ? 'ABOVE' : '',
  ]),
];

function verdict({ rows, bound }) {
  const above = rows.filter(({ ratio }) => ratio > bound);
  if (above.length === 0) return `No ratio is above ${bound}.`;
  const names = above.map(({ database, workload, ratio }) => `${database} ${workload} (${ratio.toFixed(3)})`);
  return `Above ${bound}: ${names.join(', ')}.`;
}

beside.toText = (result) =>
  'Processor time per operation, and how many times the other build’s this build takes\n' +
  `${columns(lines(result))}\n\n${noiseText(result)}\n\n${verdict(result)}`;

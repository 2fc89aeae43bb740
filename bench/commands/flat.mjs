import { measure } from '../measure/measure.mjs';
import { columns, digits, noiseText } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { smallWorld, timesLarger } from '../world/world.mjs';

const factor = 100;
/** However many operations, until each of ten thousand agents has come: a first one costs what it costs. */
const firstSeconds = 45;
/** Of each workload: the first second of one that is new to a server can cost half as much again. */
const warmUpSeconds = 5;
const sizes = [
  { label: '1×', world: smallWorld },
  { label: `${factor}×`, world: timesLarger(smallWorld, factor) },
];
/** How much dearer the large world may be. */
const most = 1.3;

/** This server over some of everything and over a hundred times as much. */
export async function flat(options) {
  const { databases, progress } = options;
  const workloads = options.workloads.filter((name) => !/^(refused|allowed)/.test(name));
  const stage = new Stage(options);
  const rows = [];
  try {
    for (const database of databases) {
      const contenders = [];
      for (const { label, world } of sizes) {
        const url = await stage.database(database, world);
        contenders.push(await stage.contender('behalf', database, url, world, { label }));
      }
      const { load, calibration } = stage;
      rows.push(
        ...(await measure({
          ...options.how,
          firstSeconds,
          firstOperations: undefined,
          warmUpSeconds,
          contenders,
          workloads,
          load,
          calibration,
          progress,
        })),
      );
      for (const { server } of contenders) await server.stop();
    }
    const calibration = stage.calibration.summary();
    const [small, large] = sizes.map(({ world }) => world);
    return { rows, ratios: ratiosOf(rows), small, large, how: options.how, calibration };
  } finally {
    await stage.close();
  }
}

function ratiosOf(rows) {
  return rows
    .filter((row) => row.server === sizes[0].label)
    .map(({ database, workload, cpuUsPerOp, p99Ms }) => {
      const large = rows.find(
        (row) => row.server === sizes[1].label && row.database === database && row.workload === workload,
      );
      const ratio = large.cpuUsPerOp / cpuUsPerOp;
      return {
        database,
        workload,
        smallCpuUs: cpuUsPerOp,
        largeCpuUs: large.cpuUsPerOp,
        ratio: Number(ratio.toFixed(3)),
        smallP99Ms: p99Ms,
        largeP99Ms: large.p99Ms,
        met: ratio <= most,
      };
    });
}

export const flatLines = ({ ratios }) => [
  ['', '1×, µs', '100×, µs', 'ratio', 'p99 1×, ms', 'p99 100×, ms', `at most ${most}`],
  ...ratios.map((one) => [
    `${one.database} ${one.workload}`,
    digits(one.smallCpuUs),
    digits(one.largeCpuUs),
    `${digits(one.ratio)}×`,
    digits(one.smallP99Ms),
    digits(one.largeP99Ms),
    one.met ? 'met' : 'not met',
  ]),
];

flat.toText = (result) =>
  `Processor time per operation over 1× and ${factor}× the rows, agents, roles and records\n` +
  `${columns(flatLines(result))}\n\n${noiseText(result)}`;

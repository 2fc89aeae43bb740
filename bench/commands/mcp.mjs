import { measure, rounded } from '../measure/measure.mjs';
import { median } from '../measure/stats.mjs';
import { columns, digits, noiseText } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { mcpWorld } from '../world/world.mjs';

/** How many times the processor time of GraphQL a tool may take. */
const most = 1.5;
const [graphql, mcp] = ['/graphql', '/mcp'];
/** The engine and the machine change within seconds: each round is cut into so many. */
const turnsOfRound = 4;

/** One server, asked the same queries over `/graphql` and by the tool `query` over `/mcp`, in turns. */
export async function mcpBesideGraphql(options) {
  const { databases, workloads, progress } = options;
  const { rounds, seconds } = options.how;
  const how = { ...options.how, rounds: rounds * turnsOfRound, seconds: seconds / turnsOfRound };
  const stage = new Stage(options);
  const rows = [];
  try {
    for (const database of databases) {
      const url = await stage.database(database, mcpWorld);
      const contender = await stage.contender('behalf', database, url, mcpWorld);
      const contenders = [
        { ...contender, label: graphql, transport: 'graphql' },
        { ...contender, label: mcp, transport: 'mcp' },
      ];
      const { load, calibration } = stage;
      rows.push(...(await measure({ ...how, contenders, workloads, load, calibration, progress })));
      await contender.server.stop();
    }
    const ratios = ratiosOf(rows);
    const failed = ratios.some(({ met }) => !met);
    return { rows, ratios, failed, world: mcpWorld, how, calibration: stage.calibration.summary() };
  } finally {
    await stage.close();
  }
}

const ratiosOf = (rows) =>
  rows
    .filter((row) => row.server === graphql)
    .map((own) => {
      const { database, workload } = own;
      const other = rows.find(
        (row) => row.server === mcp && row.database === database && row.workload === workload,
      );
      // Of the same round each.
      const ratios = other.cpuUsOfRounds.map((cpuUs, round) => cpuUs / own.cpuUsOfRounds[round]);
      const ratio = rounded(median(ratios), 3);
      return {
        ...{ database, workload, graphqlCpuUs: own.cpuUsPerOp, mcpCpuUs: other.cpuUsPerOp, ratio },
        ...{ graphqlP99Ms: own.p99Ms, mcpP99Ms: other.p99Ms, met: ratio <= most },
      };
    });

export const mcpLines = ({ ratios }) => [
  ['', `${graphql}, µs`, `${mcp}, µs`, 'ratio', `p99 ${graphql}, ms`, `p99 ${mcp}, ms`, `at most ${most}`],
  ...ratios.map((one) => [
    `${one.database} ${one.workload}`,
    digits(one.graphqlCpuUs),
    digits(one.mcpCpuUs),
    `${digits(one.ratio)}×`,
    digits(one.graphqlP99Ms),
    digits(one.mcpP99Ms),
    one.met ? 'met' : 'not met',
  ]),
];

mcpBesideGraphql.toText = (result) =>
  'Processor time of the server per query over each transport\n' +
  `${columns(mcpLines(result))}\n\n${noiseText(result)}`;

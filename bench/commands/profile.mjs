import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { benchFolder, workFolder } from '../paths.mjs';
import { columns } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { mcpWorld } from '../world/world.mjs';

const functionsShown = 30;

/** Where this server spends its processor time at one workload: by part, and by function. */
export async function profile(options) {
  const { how, transport, progress } = options;
  const [workload] = options.workloads;
  const [database] = options.databases;
  const stage = new Stage(options);
  const file = join(workFolder, `profile-${process.pid}.json`);
  try {
    const url = await stage.database(database, mcpWorld);
    const flags = ['--import', join(benchFolder, 'servers/probe.mjs')];
    const { server } = await stage.contender('behalf', database, url, mcpWorld, { flags });
    const job = {
      server: 'behalf',
      port: server.port,
      workload,
      world: mcpWorld,
      transport,
      connections: how.connections,
    };
    progress('profile: warming up mix');
    const { firstSeconds, firstOperations } = how;
    const first = {
      ...job,
      workload: 'mix',
      seconds: firstSeconds,
      operations: firstOperations,
      first: true,
    };
    await stage.load.run(first);
    progress(`profile: warming up ${workload}`);
    await stage.load.run({ ...job, seconds: 4 * how.seconds, first: true });
    await server.probe({ ask: 'startProfile' });
    progress(`profile: ${workload}`);
    const { operations } = await stage.load.run({ ...job, seconds: 5 * how.seconds });
    await mkdir(workFolder, { recursive: true });
    await server.probe({ ask: 'stopProfile', file });
    const times = selfTimes(JSON.parse(await readFile(file, 'utf8')));
    return { database, workload, transport, operations, ...reduced(times, operations) };
  } finally {
    await rm(file, { force: true });
    await stage.close();
  }
}

/** Self time of each function, in microseconds. Idle time is nobody's. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map();
  samples.forEach((id, index) => {
    const { functionName, url } = byId.get(id).callFrame;
    if (functionName === '(idle)') return;
    const key = `${partOf(functionName, url)}\t${functionName || '(anonymous)'}`;
    times.set(key, (times.get(key) ?? 0) + timeDeltas[index]);
  });
  return times;
}

/** `src/graphql/executor`, a package's name, `node:net`, or the engine's own work. */
function partOf(functionName, url) {
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (packaged !== undefined) return packaged;
  const own = /\/(src\/.*)\.js$/.exec(url)?.[1];
  if (own !== undefined) return own;
  if (url.startsWith('node:')) return url.replace(/^node:internal\//, 'node:');
  return functionName === '(garbage collector)' ? 'garbage collection' : 'compiled operations and the engine';
}

function reduced(times, operations) {
  const whole = [...times.values()].reduce((sum, us) => sum + us, 0);
  const entry = ([key, us]) => {
    const [part, name] = key.split('\t');
    const perOperation = {
      usPerOp: Number((us / operations).toFixed(2)),
      share: Number((us / whole).toFixed(4)),
    };
    return { part, ...(name !== undefined && { name }), ...perOperation };
  };
  const parts = new Map();
  for (const [key, us] of times) {
    const [part] = key.split('\t');
    const group = part.startsWith('src/') ? part.split('/').slice(0, 2).join('/') : part;
    parts.set(group, (parts.get(group) ?? 0) + us);
  }
  const largest = (map) => [...map].sort((a, b) => b[1] - a[1]).map(entry);
  return {
    parts: largest(parts).filter(({ share }) => share >= 0.005),
    functions: largest(times).slice(0, functionsShown),
  };
}

const share = (value) => `${(value * 100).toFixed(1)} %`;

export const partLines = ({ parts }) => [
  ['Part', 'µs per operation', 'share'],
  ...parts.map((one) => [one.part, one.usPerOp.toFixed(1), share(one.share)]),
];

const functionLines = ({ functions }) => [
  ['Function', 'µs per operation', 'share'],
  ...functions.map((one) => [`${one.part} ${one.name}`, one.usPerOp.toFixed(1), share(one.share)]),
];

profile.toText = (result) =>
  `${result.workload} over ${result.database} by ${result.transport}, ${result.operations} operations\n\n` +
  `${columns(partLines(result))}\n\n${columns(functionLines(result))}`;

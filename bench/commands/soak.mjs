import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fit, median } from '../measure/stats.mjs';
import { benchFolder, workFolder } from '../paths.mjs';
import { Stage } from '../stage.mjs';
import { usualWorld } from '../world/world.mjs';

const mebibyte = 1_048_576;
/** The soak ends early rather than fill the disk with records. */
const freeBytesLeast = 8 * 1_024 * mebibyte;
/** What memory may drift by over the time that is judged, as a share of itself; resident memory is coarser. */
const driftMost = { heap: 0.05, resident: 0.1 };
/** Caches fill at first. */
const warmUpShare = 1 / 3;
const samplesLeast = 12;

/** Full load for a long time, and whether memory stays flat under it. */
export async function soak(options) {
  const { how, minutes, progress } = options;
  const [database] = options.databases;
  const stage = new Stage(options);
  const samples = [];
  try {
    const url = await stage.database(database, usualWorld);
    const flags = ['--import', join(benchFolder, 'servers/probe.mjs')];
    const { server } = await stage.contender('behalf', database, url, usualWorld, { flags });
    const begin = Date.now();
    const seconds = Math.min(60, (minutes * 60) / samplesLeast);
    const job = { server: 'behalf', port: server.port, workload: 'mix', world: usualWorld, seconds };
    for (let minute = 0; minute < minutes; minute = (Date.now() - begin) / 60_000) {
      progress(`soak: minute ${minute.toFixed(1)} of ${minutes}`);
      const load = await stage.load.run({ ...job, connections: how.connections, first: minute === 0 });
      samples.push(await sampleOf(server, load, (Date.now() - begin) / 60_000));
      const { bavail, bsize } = await statfs(workFolder);
      if (bavail * bsize < freeBytesLeast) break;
    }
    return { database, asked: minutes, samples, ...verdictOf(samples) };
  } finally {
    await stage.close();
  }
}

async function sampleOf(server, load, minute) {
  const residentBytes = server.residentBytes();
  const { heapUsed, external } = await server.probe({ ask: 'heap' });
  return {
    minute: Number(minute.toFixed(2)),
    operations: load.operations,
    opsPerSecond: Number(load.opsPerSecond.toFixed(1)),
    p99Ms: Number(load.p99Ms.toFixed(2)),
    residentMiB: Number((residentBytes / mebibyte).toFixed(1)),
    heapMiB: Number(((heapUsed + external) / mebibyte).toFixed(2)),
  };
}

/** Drift is how far the fitted line moves over the time after the warm-up, as a share of the median. */
function verdictOf(samples) {
  const judged = samples.slice(Math.floor(samples.length * warmUpShare));
  const driftOf = (key) => {
    const line = fit(judged.map((sample) => ({ x: sample.minute, y: sample[key] })));
    const moved = line.at(judged.at(-1).minute) - line.at(judged[0].minute);
    return Number((moved / median(judged.map((sample) => sample[key]))).toFixed(4));
  };
  const [heapDrift, residentDrift] = [driftOf('heapMiB'), driftOf('residentMiB')];
  const operations = samples.reduce((sum, sample) => sum + sample.operations, 0);
  return {
    operations,
    heapDrift,
    residentDrift,
    flat: heapDrift <= driftMost.heap && residentDrift <= driftMost.resident,
  };
}

const percent = (share) => `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;

/** What came of a soak, in two sentences. */
export function soakSentence({ database, samples, operations, heapDrift, residentDrift, flat }) {
  const last = samples.at(-1);
  return (
    `${operations.toLocaleString('en')} operations in ${last.minute.toFixed(0)} minutes over ${database}: memory is ` +
    `${flat ? 'flat' : 'NOT flat'}. After the first third, the heap after a collection drifted by ` +
    `${percent(heapDrift)} (${last.heapMiB} MiB at the end), resident memory by ${percent(residentDrift)} ` +
    `(${last.residentMiB} MiB).`
  );
}

soak.toText = soakSentence;

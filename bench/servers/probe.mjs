// Loaded into the server under test by `soak`, `profile` and `loop`: tells from inside what cannot be seen from outside.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const session = new Session();
const resolutionMs = 1;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });

const answers = {
  /** What the heap still holds after everything was collected that can be. */
  heap: () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return { heapUsed, external };
  },
  /** From now on. */
  watchLoop: () => {
    delay.enable();
    delay.reset();
    return {};
  },
  /** For how long the event loop stood still at most since then, in milliseconds. */
  loop: () => ({
    mostMs: Math.max(0, delay.max / 1e6 - resolutionMs),
    p99Ms: Math.max(0, delay.percentile(99) / 1e6 - resolutionMs),
  }),
  startProfile: async () => {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 200 });
    await session.post('Profiler.start');
    return {};
  },
  stopProfile: async ({ file }) => {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(profile));
    return {};
  },
};

process.on('message', async (question) => process.send(await answers[question.ask](question)));
// Listening must not keep the server from ending.
process.channel.unref();

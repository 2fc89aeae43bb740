// Loaded into the server under test by `soak`, `profile` and `loop`: tells from inside what cannot be seen from outside.
import { openSync, readSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const session = new Session();
const resolutionMs = 1;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });

const told = Buffer.alloc(100);
const workFile = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
/** Processor time of the event loop's thread so far, in milliseconds. */
const workMs = () =>
  Number(told.toString('latin1', 0, readSync(workFile, told, 0, told.length, 0)).split(' ')[0]) / 1e6;

/** The most processor time between two turns of the event loop, which never rests meanwhile. */
class Turns {
  #isOver = false;
  #last = workMs();
  mostMs = 0;

  constructor() {
    setImmediate(() => this.#turn());
  }

  end() {
    this.#isOver = true;
    return this.mostMs;
  }

  #turn() {
    const now = workMs();
    this.mostMs = Math.max(this.mostMs, now - this.#last);
    this.#last = now;
    if (!this.#isOver) setImmediate(() => this.#turn());
  }
}
let turns;

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
    turns = new Turns();
    return {};
  },
  /**
   * For how long the event loop stood still at most since then, in milliseconds, and for how much of its own work. What
   * else wants the core shows in the first alone.
   */
  loop: () => ({
    workMs: turns.end(),
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

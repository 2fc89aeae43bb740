// Loaded into the server under test by `soak` and `profile`: tells from inside what cannot be seen from outside.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const session = new Session();

const answers = {
  /** What the heap still holds after everything was collected that can be. */
  heap: () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return { heapUsed, external };
  },
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

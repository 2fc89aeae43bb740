import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { benchFolder } from '../paths.mjs';
import { onCore } from '../pin.mjs';

/** The load generator's process, on the core that the server under test does not use. */
export class LoadGenerator {
  #child;

  constructor() {
    const [command, ...args] = onCore('load', process.execPath, join(benchFolder, 'load/generator.mjs'));
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /** Does one job; see generator.mjs. */
  async run(job) {
    this.#child.send(job);
    const [result] = await once(this.#child, 'message');
    if (result.failure !== undefined) throw new Error(`${job.server}: ${result.failure}`);
    return result;
  }

  stop() {
    this.#child.disconnect();
  }
}

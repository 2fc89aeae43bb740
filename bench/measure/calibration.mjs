import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { benchFolder } from '../paths.mjs';
import { onCore } from '../pin.mjs';
import { median, spread } from './stats.mjs';

/** Times the same work over a whole run. */
export class Calibration {
  #child;
  #taken = [];

  constructor() {
    const script = join(benchFolder, 'measure/calibrate.mjs');
    const [command, ...args] = onCore('server', process.execPath, script);
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  async take() {
    this.#child.send('go');
    const [taken] = await once(this.#child, 'message');
    this.#taken.push(taken);
  }

  /**
   * `cpuSpread`: the median absolute deviation of its processor time, as a share of the median. `waiting`: the share
   * of time in which something else had the core.
   */
  summary() {
    const cpu = this.#taken.map(({ cpuMs }) => cpuMs);
    return {
      runs: cpu.length,
      cpuMs: median(cpu),
      cpuSpread: spread(cpu),
      waiting: Math.max(0, 1 - median(this.#taken.map(({ cpuMs, wallMs }) => cpuMs / wallMs))),
    };
  }

  stop() {
    this.#child.disconnect();
  }
}

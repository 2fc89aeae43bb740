import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.mjs';
import { benchFolder } from '../paths.mjs';
import { onCore } from '../pin.mjs';
import { publicUrl } from '../world/world.mjs';

const startDeadlineMs = 60_000;
/** As `npm start` has it, and docs/operations.md asks for. */
const startFlags = ['--max-semi-space-size=64', '--no-allocation-site-pretenuring', '--no-memory-reducer'];

/** A server under test in a process of its own, on the core of servers. */
export class ServerProcess {
  #child;

  constructor(name, child, url) {
    this.name = name;
    this.#child = child;
    this.port = Number(new URL(url).port);
  }

  /** `flags` are Node's own, and `settings` the server's, for `behalf` alone; `isPinned` keeps it on the core of servers. */
  static async start(name, { url, dist, flags = [], isPinned = true, settings: more = {} }) {
    const [program, env] =
      name === 'behalf'
        ? [
            [...flags, ...startFlags, join(dist, 'src/cli/behalf.js'), 'start', '--json'],
            { ...(await settings(url)), ...more },
          ]
        : [[join(benchFolder, 'servers/serve.mjs'), name], { BENCH_DATABASE_URL: url, BENCH_DIST: dist }];
    const whole = [process.execPath, ...program];
    const [command, ...args] = isPinned ? onCore('server', ...whole) : whole;
    const child = spawn(command, args, {
      env: { ...withoutSettings(), NODE_ENV: 'production', ...env },
      // The channel is for probe.mjs alone.
      stdio: ['pipe', 'pipe', 'pipe', ...(flags.includes('--import') ? ['ipc'] : [])],
    });
    running.add(child);
    child.on('exit', () => running.delete(child));
    return new ServerProcess(name, child, (await firstLine(child, name)).url);
  }

  get pid() {
    return this.#child.pid;
  }

  /** Processor time of all its threads since its start, in microseconds. */
  cpuUs() {
    const tasks = `/proc/${this.pid}/task`;
    const times = readdirSync(tasks).map((task) =>
      Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
    );
    return times.reduce((sum, ns) => sum + ns, 0) / 1_000;
  }

  /** Memory that the system holds for it, in bytes. */
  residentBytes() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1_024;
  }

  /** Asks probe.mjs inside; resolves to its answer. */
  async probe(question) {
    this.#child.send(question);
    const [answer] = await once(this.#child, 'message');
    return answer;
  }

  async stop() {
    if (!running.has(this.#child)) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    this.#child.stdin.end();
    await exit;
  }
}

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const withoutSettings = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BEHALF_')));

/** Everything else stays at its default. */
const settings = async (url) => ({
  DATABASE_URL: url,
  HOST: '127.0.0.1',
  PORT: String(await freePort()),
  // The stored tokens are for this server, wherever it listens.
  BEHALF_PUBLIC_URL: publicUrl,
  BEHALF_COOKIE_KEYS: 'k'.repeat(32),
  BEHALF_LOG_LEVEL: 'warn',
});

/** What the program prints first, which is JSON. */
async function firstLine(child, name) {
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (told = (told + text).slice(-4_000)));
  const ended = once(child, 'exit').then(() => undefined);
  const line = once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => text);
  const patience = AbortSignal.timeout(startDeadlineMs);
  const text = await Promise.race([line, ended, once(patience, 'abort').then(() => undefined)]);
  if (text === undefined) throw new Error(`${name} did not start.\n${told}`);
  child.stdout.resume();
  return JSON.parse(text);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gather } from './child-output.js';
import { commandHost } from './command-host.js';
import { freePort } from './free-port.js';
import { ofThisNode } from './this-node.js';

export const builtCommand = fileURLToPath(new URL('../../dist/src/cli/behalf.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `behalf` (`npm run build`) as child processes, with a folder and a home of their own. */
export class CommandLine {
  private readonly running = new Set<ChildProcess>();

  private constructor(
    readonly folder: string,
    readonly env: Readonly<Record<string, string>>,
  ) {}

  static async open(settings: Record<string, string> = {}): Promise<CommandLine> {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-cli-'));
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      XDG_CONFIG_HOME: join(folder, 'config'),
      PORT: String(await freePort()),
      BEHALF_LOG_LEVEL: 'fatal',
      ...ofThisNode(),
      ...settings,
    };
    return new CommandLine(folder, env);
  }

  get url(): string {
    return `http://127.0.0.1:${this.env.PORT ?? ''}`;
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  spawn(args: readonly string[], settings: Record<string, string> = {}): ChildProcess {
    const child = spawn(process.execPath, [builtCommand, ...args], {
      cwd: this.folder,
      env: { ...this.env, ...settings },
    });
    this.running.add(child);
    child.once('exit', () => this.running.delete(child));
    return child;
  }

  /**
   * Runs a command to its end; `input` goes into its pipe. It runs in a process that commands share one after another,
   * and that imports a file once: where code of a company changes between two commands, `runAlone`.
   */
  async run(args: readonly string[], settings: Record<string, string> = {}, input = ''): Promise<Ended> {
    if (commandHost.isBusy || needsOwnProcess(args, settings)) return this.runAlone(args, settings, input);
    return commandHost.run({ args, env: { ...this.env, ...settings }, folder: this.folder, input });
  }

  /** As `run`, in a process of its own. */
  async runAlone(args: readonly string[], settings: Record<string, string> = {}, input = ''): Promise<Ended> {
    const child = this.spawn(args, settings);
    const [stdout, stderr] = [gather(child, 'stdout'), gather(child, 'stderr')];
    child.stdin?.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  /** Runs a command that must succeed; returns its output. */
  async ok(args: readonly string[], input = ''): Promise<string> {
    const ended = await this.run(args, {}, input);
    if (ended.code === 0) return ended.stdout;
    throw new Error(`behalf ${args.join(' ')} ended with ${String(ended.code)}.\n${ended.stderr}`);
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok([...args, '--json'])) as T;
  }

  /** Starts a server and waits until it listens. */
  async start(...options: readonly string[]): Promise<Serving> {
    const child = this.spawn(['start', ...options]);
    const [stdout, stderr] = [gather(child, 'stdout'), gather(child, 'stderr')];
    const ended = once(child, 'exit');
    const first = await Promise.race([once(child.stdout ?? child, 'data'), ended.then(() => undefined)]);
    if (first === undefined) throw new Error(`The server did not start.\n${stderr.text}`);
    return {
      child,
      stdout: () => stdout.text,
      end: async (signal = 'SIGTERM') => {
        child.kill(signal);
        const [code] = (await ended) as [number | null];
        return code;
      },
    };
  }

  async query<T>(token: string, query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as { data?: T; errors?: unknown };
    if (answer.data === undefined || answer.errors !== undefined) throw new Error(JSON.stringify(answer));
    return answer.data;
  }

  async close(): Promise<void> {
    for (const child of this.running) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Servers, and what is about the process itself. */
const needsOwnProcess = ([name]: readonly string[], settings: Record<string, string>): boolean =>
  name === 'start' || Object.keys(settings).some((setting) => setting.startsWith('NODE_'));

export interface Serving {
  readonly child: ChildProcess;
  stdout(): string;
  /** Returns the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

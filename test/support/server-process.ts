import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import { ofThisNode } from './this-node.js';

const script = fileURLToPath(new URL('serve.mjs', import.meta.url));

/** The built server (`npm run build`) in a process of its own, over an existing database. */
export class ServerProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(
    databaseUrl: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BEHALF_'));
    const child = spawn(process.execPath, [script], {
      env: {
        ...Object.fromEntries(inherited),
        ...ofThisNode(),
        DATABASE_URL: databaseUrl,
        HOST: '127.0.0.1',
        PORT: String(await freePort()),
        BEHALF_COOKIE_KEYS: 'k'.repeat(32),
        BEHALF_LOG_LEVEL: 'fatal',
        ...settings,
      },
      // Its standard input ends with this process in any case.
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const told: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => told.push(text));
    const ended = once(child, 'exit').then(() => {
      throw new Error(`The server did not start.\n${told.join('')}`);
    });
    const listening = once(child.stdout.setEncoding('utf8'), 'data');
    const [line] = (await Promise.race([listening, ended])) as [string];
    // From here on its end is no fault.
    ended.catch(() => undefined);
    return new ServerProcess(line.trim(), child);
  }

  /** Ends it as a crash would. */
  kill9(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Lets it answer the requests in flight. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** 0 after a clean end; null while it runs, and after a crash. */
  get exitCode(): number | null {
    return this.child.exitCode;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
}

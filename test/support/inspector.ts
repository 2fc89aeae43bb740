import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { gather, untilSaid, type ChildOutput } from './child-output.js';

const program = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    import.meta.url,
  ),
);

/** One run of the official inspector's command line, in a process of its own. */
export class Inspector {
  private readonly child: ChildProcess;
  private readonly stdout: ChildOutput;
  private readonly stderr: ChildOutput;

  /**
   * @param folder keeps what it stores between runs
   * @param args after `--cli`
   */
  constructor(folder: string, args: readonly string[]) {
    const always = ['--format', 'json', '--connect-timeout', '0'];
    this.child = spawn(process.execPath, [program, '--cli', ...args, ...always], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env.PATH ?? '', HOME: folder },
        ...{ MCP_STORAGE_DIR: folder, MCP_INSPECTOR_SECRET_STORE: 'file' },
        // A person is there, although this is no terminal; their browser is the one of the test.
        ...{ MCP_AUTO_OPEN_ENABLED: 'true', BROWSER: 'true' },
      },
    });
    this.stdout = gather(this.child, 'stdout');
    this.stderr = gather(this.child, 'stderr');
  }

  /** The address that it tells the person to open. */
  async address(): Promise<URL> {
    return new URL(await untilSaid(this.child, this.stderr, /http\S+\/oauth\/authorize\?\S+(?=\s)/));
  }

  /** The result that it printed; throws where it failed. */
  async result(): Promise<Readonly<Record<string, unknown>>> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    if (this.child.exitCode !== 0)
      throw new Error(`The inspector failed.\n${this.stderr.text}${this.stdout.text}`);
    return (JSON.parse(this.stdout.text) as { result: Record<string, unknown> }).result;
  }
}

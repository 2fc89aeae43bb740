import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    import.meta.url,
  ),
);

/** One run of the official inspector's command line, in a process of its own. */
export class Inspector {
  private told = '';
  private stdout = '';
  private readonly child: ChildProcess;

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
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.told += text));
  }

  /** The address that it tells the person to open. */
  async address(): Promise<URL> {
    for (;;) {
      const found = /http\S+\/oauth\/authorize\?\S+(?=\s)/.exec(this.told)?.[0];
      if (found !== undefined) return new URL(found);
      if (this.child.exitCode !== null) throw new Error(`The inspector ended.\n${this.told}`);
      const heard = new AbortController();
      const { signal } = heard;
      const next = [
        once(this.child.stderr ?? this.child, 'data', { signal }),
        once(this.child, 'exit', { signal }),
      ];
      await Promise.race(next);
      heard.abort();
      await Promise.allSettled(next);
    }
  }

  /** The result that it printed; throws where it failed. */
  async result(): Promise<Readonly<Record<string, unknown>>> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    if (this.child.exitCode !== 0) throw new Error(`The inspector failed.\n${this.told}${this.stdout}`);
    return (JSON.parse(this.stdout) as { result: Record<string, unknown> }).result;
  }
}

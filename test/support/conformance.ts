import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const hook = new URL('conformance-hook.mjs', import.meta.url).href;
const program = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** One check of a scenario. */
export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

/** The official conformance suite of MCP in a process of its own. */
export class Conformance {
  private told = '';
  private readonly listeners = new Set<() => void>();

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.told += text;
        for (const listener of this.listeners) listener();
      });
  }

  /** @param args the command of the suite and its options */
  static start(args: readonly string[]): Conformance {
    const child = spawn(process.execPath, ['--import', hook, program, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Conformance(child);
  }

  /** Resolves with the first text of its output that fits. Rejects where it ends without. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.told)?.[0];
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new Error(`The suite ended.\n${this.told}`);
      await new Promise<void>((resolve) => {
        const heard = (): void => {
          this.listeners.delete(heard);
          resolve();
        };
        this.listeners.add(heard);
        this.child.once('exit', heard);
      });
    }
  }

  /** Its exit code and what it said. */
  async ended(): Promise<{ readonly code: number | null; readonly told: string }> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return { code: this.child.exitCode, told: this.told };
  }
}

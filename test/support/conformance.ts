import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gather, untilSaid, type ChildOutput } from './child-output.js';

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
  private readonly output: ChildOutput;

  private constructor(private readonly child: ChildProcess) {
    this.output = gather(child, 'stdout', 'stderr');
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
  says(pattern: RegExp): Promise<string> {
    return untilSaid(this.child, this.output, pattern);
  }

  /** Its exit code and what it said. */
  async ended(): Promise<{ readonly code: number | null; readonly told: string }> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return { code: this.child.exitCode, told: this.output.text };
  }
}

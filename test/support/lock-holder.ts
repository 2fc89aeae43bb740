import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ofThisNode } from './this-node.js';

const script = fileURLToPath(new URL('lock-holder.mjs', import.meta.url));

/** Another process that writes to a SQLite database (`npm run build`). */
export class LockHolder {
  private constructor(private readonly child: ChildProcess) {}

  /** Holds the only write lock until `release`. */
  static async hold(databaseUrl: string): Promise<LockHolder> {
    const child = spawn(process.execPath, [script, databaseUrl], {
      env: { PATH: process.env.PATH, ...ofThisNode() },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return new LockHolder(child);
  }

  /** Releases the lock, and waits for the process to end. */
  async release(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.stdin?.end();
    await exit;
  }
}

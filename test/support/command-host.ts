import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Ended } from './command-line.js';
import { ofThisNode } from './this-node.js';

const script = fileURLToPath(new URL('command-host.mjs', import.meta.url));

export interface Command {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly input: string;
}

/** One process in which commands run that need none of their own: to load a command takes longer than to run it. */
export class CommandHost {
  private child: ChildProcess | undefined;
  private busy = false;

  /** It takes one command at a time. */
  get isBusy(): boolean {
    return this.busy;
  }

  async run(command: Command): Promise<Ended> {
    this.busy = true;
    try {
      this.child ??= await this.start();
      const answer = this.next(this.child);
      this.child.send(command);
      const ended = (await answer) as Ended | { readonly left: string };
      if (!('left' in ended)) return ended;
      this.child.kill('SIGKILL');
      this.child = undefined;
      throw new Error(`behalf ${command.args.join(' ')} did not come to an end: ${ended.left}`);
    } finally {
      this.busy = false;
    }
  }

  private async start(): Promise<ChildProcess> {
    const child = fork(script, [], {
      env: { PATH: process.env.PATH ?? '', ...ofThisNode() },
      execPath: process.execPath,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    process.once('exit', () => child.kill('SIGKILL'));
    await this.next(child);
    // It waits for this process, and not the other way round.
    child.unref();
    child.channel?.unref();
    return child;
  }

  private async next(child: ChildProcess): Promise<unknown> {
    const answered = new AbortController();
    const gone = once(child, 'exit', { signal: answered.signal }).then(() => {
      this.child = undefined;
      throw new Error('The process of the commands has ended.');
    });
    gone.catch(() => undefined);
    try {
      const [message] = (await Promise.race([once(child, 'message'), gone])) as [unknown];
      return message;
    } finally {
      answered.abort();
    }
  }
}

/** For all test files of a worker. */
export const commandHost = new CommandHost();

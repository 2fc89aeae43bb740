import { setTimeout } from 'node:timers/promises';
import type { Logger } from './logger.js';

type Work = (signal: AbortSignal) => Promise<unknown>;

/** What a server does again and again beside its requests. No process stays for it. */
export class Chores {
  private readonly ending = new AbortController();
  private readonly running: Promise<void>[] = [];

  constructor(private readonly logger: Pick<Logger, 'warn'>) {}

  /** One time after the other, with a pause before each. A failure is logged as `trouble`, and the next time comes. */
  start(pauseMs: number, work: Work, trouble: string): void {
    this.running.push(this.repeat(pauseMs, work, trouble));
  }

  /** Resolves when nothing runs any more. Work that is under way learns of it by its signal. */
  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.running);
  }

  private async repeat(pauseMs: number, work: Work, trouble: string): Promise<void> {
    const { signal } = this.ending;
    for (;;) {
      await setTimeout(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await work(signal).catch((error: unknown) => {
        this.logger.warn({ err: error }, trouble);
      });
    }
  }
}

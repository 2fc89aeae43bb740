import { setTimeout as timer } from 'node:timers/promises';
import type { Logger } from './logger.js';

type Work = (signal: AbortSignal) => Promise<unknown>;

/** What a server does again and again beside its requests, by name. */
export type BackgroundJob =
  'expired_tokens' | 'old_keys' | 'record_index' | 'passages' | 'search_index' | 'refused_requests';

/** Resolves after so many milliseconds; rejects, or resolves, when the signal says so. */
type Pause = (ms: number, signal: AbortSignal) => Promise<unknown>;

// No process stays for it.
const pauseByTimer: Pause = (ms, signal) => timer(ms, undefined, { signal, ref: false });

/** Between two tries of what fails again and again, unless its usual pause is longer. */
const longestPauseMs = 600_000;

export class BackgroundJobs {
  private readonly ending = new AbortController();
  private readonly running: Promise<void>[] = [];
  private readonly inRow = new Map<BackgroundJob, number>();

  constructor(
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly pause: Pause = pauseByTimer,
  ) {}

  /** How often each chore has failed since it last succeeded. */
  get failures(): ReadonlyMap<BackgroundJob, number> {
    return this.inRow;
  }

  get isAnyFailing(): boolean {
    return [...this.inRow.values()].some((failures) => failures > 0);
  }

  /**
   * One time after the other, with a pause before each. A failure is logged as `trouble`, and each one in a row doubles
   * the pause: what cannot succeed takes next to nothing.
   */
  start(chore: BackgroundJob, pauseMs: number, work: Work, trouble: string): void {
    this.inRow.set(chore, 0);
    this.running.push(this.repeat(chore, pauseMs, work, trouble));
  }

  /** Resolves when nothing runs any more. Work that is under way learns of it by its signal. */
  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.running);
  }

  private async repeat(chore: BackgroundJob, pauseMs: number, work: Work, trouble: string): Promise<void> {
    const { signal } = this.ending;
    for (let failures = 0; ; this.inRow.set(chore, failures)) {
      await this.pause(pauseAfter(failures, pauseMs), signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await work(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.logger.warn({ err: error, chore, failures }, trouble);
      }
    }
  }
}

const pauseAfter = (failures: number, pauseMs: number): number =>
  Math.min(pauseMs * 2 ** failures, Math.max(pauseMs, longestPauseMs));

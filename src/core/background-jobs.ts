import { setTimeout as timer } from 'node:timers/promises';
import type { Logger } from './logger.js';

type Work = (signal: AbortSignal) => Promise<unknown>;

/** The names of the jobs that a server repeats beside its requests. */
type BackgroundJob =
  | 'expired_tokens'
  | 'old_keys'
  | 'record_index'
  | 'passages'
  | 'search_index'
  | 'refused_requests'
  | 'company_tables';

/** Resolves after `ms` milliseconds. When the signal aborts, it rejects or resolves at once. */
type Pause = (ms: number, signal: AbortSignal) => Promise<unknown>;

// `ref: false`: a waiting job must not keep the process alive.
const pauseByTimer: Pause = (ms, signal) => timer(ms, undefined, { signal, ref: false });

/** The longest pause after repeated failures, unless the job's usual pause is longer. */
const longestPauseMs = 600_000;

export class BackgroundJobs {
  private readonly ending = new AbortController();
  private readonly running: Promise<void>[] = [];
  private readonly failuresInRow = new Map<BackgroundJob, number>();

  constructor(
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly pause: Pause = pauseByTimer,
  ) {}

  /** How often each job has failed since it last succeeded. */
  get failures(): ReadonlyMap<BackgroundJob, number> {
    return this.failuresInRow;
  }

  get isAnyFailing(): boolean {
    return [...this.failuresInRow.values()].some((failures) => failures > 0);
  }

  /**
   * Repeats a job with a pause before each run; runs never overlap. A failure is logged as `trouble`. Each
   * failure in a row doubles the pause, so a job that cannot succeed costs almost nothing.
   */
  start(job: BackgroundJob, pauseMs: number, work: Work, trouble: string): void {
    this.failuresInRow.set(job, 0);
    this.running.push(this.repeat(job, pauseMs, work, trouble));
  }

  /** Aborts the jobs' signal and resolves when no job runs any more. */
  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.running);
  }

  private async repeat(job: BackgroundJob, pauseMs: number, work: Work, trouble: string): Promise<void> {
    const { signal } = this.ending;
    for (let failures = 0; ; this.failuresInRow.set(job, failures)) {
      await this.pause(pauseAfter(failures, pauseMs), signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await work(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.logger.warn({ err: error, chore: job, failures }, trouble);
      }
    }
  }
}

const pauseAfter = (failures: number, pauseMs: number): number =>
  Math.min(pauseMs * 2 ** failures, Math.max(pauseMs, longestPauseMs));

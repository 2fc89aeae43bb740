import { describe, expect, test } from 'vitest';
import { BackgroundJobs } from '../../src/core/background-jobs.js';

/** Chores whose pauses end when a test says so. */
class Pauses {
  readonly asked: number[] = [];
  private next: (() => void) | undefined;
  private paused: (() => void) | undefined;

  readonly pause = (ms: number): Promise<void> => {
    this.asked.push(ms);
    this.paused?.();
    return new Promise((resolve) => (this.next = resolve));
  };

  /** Ends a pause; resolves when the next one begins. */
  async over(): Promise<void> {
    const paused = new Promise<void>((resolve) => (this.paused = resolve));
    this.next?.();
    await paused;
  }
}

describe('26 a job that fails backs off', () => {
  const lines: unknown[] = [];
  const logger = { warn: (line: unknown) => lines.push(line) };

  test('each failure in a row doubles the pause up to ten minutes, and a success brings the usual one back', async () => {
    const pauses = new Pauses();
    const jobs = new BackgroundJobs(logger as never, pauses.pause);
    let isBroken = true;
    const work = (): Promise<void> => (isBroken ? Promise.reject(new Error('broken')) : Promise.resolve());
    jobs.start('record_index', 2_000, work, 'records could not be indexed');
    expect([jobs.isAnyFailing, jobs.failures.get('record_index')]).toEqual([false, 0]);
    for (let time = 0; time < 11; time += 1) await pauses.over();
    expect(pauses.asked).toEqual([
      ...[2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000],
      ...[600_000, 600_000, 600_000],
    ]);
    expect([jobs.isAnyFailing, jobs.failures.get('record_index')]).toEqual([true, 11]);
    expect(lines).toHaveLength(11);
    isBroken = false;
    await pauses.over();
    expect([pauses.asked.at(-1), jobs.isAnyFailing]).toEqual([2_000, false]);
  });

  test('a usual pause that is longer stays as it is', async () => {
    const pauses = new Pauses();
    const jobs = new BackgroundJobs(logger as never, pauses.pause);
    jobs.start('old_keys', 3_600_000, () => Promise.reject(new Error('broken')), 'keys');
    await pauses.over();
    await pauses.over();
    expect(pauses.asked).toEqual([3_600_000, 3_600_000, 3_600_000]);
  });
});

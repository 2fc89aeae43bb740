import type { Clock } from '../../core/clock.js';
import { Lru } from '../../core/lru.js';
import type { AttemptLimit } from '../contract/dependencies.js';

interface Line {
  /** Counted failures. They decay: a window's free attempts are forgotten in each window. */
  failures: number;
  at: number;
  /** Earlier attempts need a turn. */
  nextAt: number;
  /** The time of each attempt that was told to wait. */
  readonly turns: Map<string, number>;
}

const delaySecondsMax = 2;
/** The longest wait, in delays. */
const turnsMax = 15;
/** How long a turn is kept for an attempt that comes late. */
const turnKeptMs = 60_000;
const failuresBeyondMax = 10;

/**
 * Slows guessing down without closing anything. Beyond the free failures of a key, attempts are let in one by one, with
 * a delay between them that grows to two seconds. An attempt that comes too early gets a turn: the time at which it may
 * come back, reserved whatever others try meanwhile. So the rate of each key is bounded, and a waiting attempt gets in.
 * Only where more wait than there are turns does one come back without a turn.
 *
 * Memory is bounded: when it is full, the least recently used key is forgotten. Each replica counts for itself.
 */
export class SlowDown {
  readonly lines: Lru<string, Line>;

  constructor(
    private readonly clock: Clock,
    private readonly limit: AttemptLimit,
    keysMax = 10_000,
  ) {
    this.lines = new Lru(keysMax);
  }

  /** Seconds until `who` may try again; 0 where that is now. */
  waitSeconds(key: string, who: string): number {
    const now = this.clock.now();
    const line = this.lineOf(key, now);
    if (line === undefined) return 0;
    for (const [one, at] of line.turns) if (at + turnKeptMs <= now) line.turns.delete(one);
    const turn = line.turns.get(who) ?? line.nextAt;
    if (turn <= now) return 0;
    if (!line.turns.has(who) && line.turns.size < turnsMax) {
      line.turns.set(who, turn);
      line.nextAt += this.delayMs(line);
    }
    return Math.ceil((turn - now) / 1000);
  }

  /** Counts before the work, so that attempts at the same moment cannot pass together. */
  count(key: string, who: string): void {
    const now = this.clock.now();
    const line = this.lineOf(key, now) ?? { failures: 0, at: now, nextAt: now, turns: new Map() };
    this.lines.set(key, line);
    line.turns.delete(who);
    const { attempts, windowSeconds } = this.limit;
    const forgotten = ((now - line.at) * attempts) / (windowSeconds * 1000);
    const left = Math.max(0, line.failures - forgotten) + 1;
    line.failures = Math.min(left, attempts + failuresBeyondMax);
    line.at = now;
    line.nextAt = Math.max(line.nextAt, now + this.delayMs(line));
  }

  /** Takes one attempt back that turned out good. */
  forgive(key: string): void {
    const line = this.lines.get(key);
    if (line !== undefined) line.failures = Math.max(0, line.failures - 1);
  }

  /** A line of a time to come was counted before the clock was set back: nobody waits until then. */
  private lineOf(key: string, now: number): Line | undefined {
    const line = this.lines.get(key);
    return line !== undefined && line.at <= now ? line : undefined;
  }

  private delayMs({ failures }: Line): number {
    const beyond = Math.ceil(failures) - this.limit.attempts;
    return beyond <= 0 ? 0 : Math.min(2 ** (beyond - 1), delaySecondsMax) * 1000;
  }
}

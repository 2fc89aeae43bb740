import type { Clock } from '../core/clock.js';
import { Lru } from '../core/lru.js';
import type { AttemptLimit } from './ports.js';

interface Line {
  /** What is left of them: as many are forgotten in a window as are free in it. */
  failures: number;
  at: number;
  /** Before this nobody tries without a turn. */
  nextAt: number;
  /** Who was told to wait, and until when. */
  readonly turns: Map<string, number>;
}

const delaySecondsMax = 2;
/** The longest that anybody waits is this many delays. */
const turnsMax = 15;
/** How long a turn is kept for who does not come at once. */
const turnKeptMs = 60_000;
const failuresBeyondMax = 10;

/**
 * Slows guessing down, and closes nothing. Beyond the free failures of a key, one attempt after the other is let in,
 * with a delay between them that grows to two seconds. Who comes too early is told when to come, and has that turn
 * whoever else tries meanwhile. So the rate of a key is
 * bounded, and who waits gets in; only where more wait than there are turns does one come again without a turn.
 *
 * Memory is bounded: when it is full, the key that was used the longest ago is forgotten. Each replica counts for itself.
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

  /** Seconds until this one may try, or 0 where that is now. */
  waitSeconds(key: string, who: string): number {
    const line = this.lines.get(key);
    if (line === undefined) return 0;
    const now = this.clock.now();
    for (const [one, at] of line.turns) if (at + turnKeptMs <= now) line.turns.delete(one);
    const turn = line.turns.get(who) ?? line.nextAt;
    if (turn <= now) return 0;
    if (!line.turns.has(who) && line.turns.size < turnsMax) {
      line.turns.set(who, turn);
      line.nextAt += this.delayMs(line);
    }
    return Math.ceil((turn - now) / 1000);
  }

  /** Counts before the work is done, so that attempts at the same moment cannot pass together. */
  count(key: string, who: string): void {
    const now = this.clock.now();
    const line = this.lines.get(key) ?? { failures: 0, at: now, nextAt: now, turns: new Map() };
    this.lines.set(key, line);
    line.turns.delete(who);
    const { attempts, windowSeconds } = this.limit;
    const forgotten = ((now - line.at) * attempts) / (windowSeconds * 1000);
    const left = Math.max(0, line.failures - forgotten) + 1;
    line.failures = Math.min(left, attempts + failuresBeyondMax);
    line.at = now;
    line.nextAt = Math.max(line.nextAt, now + this.delayMs(line));
  }

  /** Takes one attempt back: it turned out to be a good one. */
  forgive(key: string): void {
    const line = this.lines.get(key);
    if (line !== undefined) line.failures = Math.max(0, line.failures - 1);
  }

  private delayMs({ failures }: Line): number {
    const beyond = Math.ceil(failures) - this.limit.attempts;
    return beyond <= 0 ? 0 : Math.min(2 ** (beyond - 1), delaySecondsMax) * 1000;
  }
}

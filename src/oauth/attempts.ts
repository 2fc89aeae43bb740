import type { Clock } from '../core/clock.js';
import { partyOf } from '../core/party.js';
import type { AttemptLimit } from './ports.js';

interface Window {
  endsAt: number;
  count: number;
}

/**
 * Counts attempts by key in fixed windows; addresses of one IPv6 network are one key. Memory is bounded: when it is full, the key that was new the longest
 * ago is forgotten. Each replica counts for itself.
 */
export class Attempts {
  private readonly windows = new Map<string, Window>();

  constructor(
    private readonly clock: Clock,
    private readonly limit: AttemptLimit,
    private readonly keysMax = 10_000,
  ) {}

  /** Seconds to wait, or 0 where an attempt is allowed. */
  waitSeconds(of: string): number {
    const key = partyOf(of);
    const window = this.windows.get(key);
    const now = this.clock.now();
    if (window === undefined || window.endsAt <= now || window.count < this.limit.attempts) return 0;
    return Math.ceil((window.endsAt - now) / 1000);
  }

  /** Counts before the work is done, so that attempts at the same moment cannot pass together. */
  count(of: string): void {
    const key = partyOf(of);
    const now = this.clock.now();
    const window = this.windows.get(key);
    if (window !== undefined && window.endsAt > now) {
      window.count += 1;
      return;
    }
    this.windows.delete(key);
    if (this.windows.size >= this.keysMax) {
      const oldest = this.windows.keys().next();
      if (oldest.done !== true) this.windows.delete(oldest.value);
    }
    this.windows.set(key, { endsAt: now + this.limit.windowSeconds * 1000, count: 1 });
  }

  /** Takes one attempt back: it turned out to be a good one. */
  forgive(of: string): void {
    const window = this.windows.get(partyOf(of));
    if (window !== undefined && window.count > 0) window.count -= 1;
  }
}

import type { Clock } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { Lru } from '../../core/lru.js';

/** RFC 8628 section 3.2: the interval where an answer names none. */
const everyMs = 5_000;
/** So many polls may come early. */
const aheadMax = 5;

/** Holds clients to the interval of polling (RFC 8628 section 3.5). Each replica counts for itself. */
export class Polls {
  /** When the next poll of a code would be in time, by the code's digest. */
  readonly due = new Lru<string, number>(10_000);

  constructor(private readonly clock: Clock) {}

  /** False where the client polls too fast. */
  count(code: string): boolean {
    const key = sha256(code);
    const now = this.clock.now();
    const due = Math.max(now, this.due.get(key) ?? 0);
    if (due - now > (aheadMax - 1) * everyMs) return false;
    this.due.set(key, due + everyMs);
    return true;
  }
}

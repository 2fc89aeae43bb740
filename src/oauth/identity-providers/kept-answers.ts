import type { Clock } from '../../core/clock.js';
import { Lru } from '../../core/lru.js';

interface Kept<T> {
  readonly until: number;
  readonly answer: Promise<T>;
}

/** How long an answer is kept. */
const keptMs = 600_000;
/** How long a failure is kept, so that requests to this server do not become as many requests elsewhere. */
const failureKeptMs = 10_000;
const keptMax = 100;

/** Answers of other servers, kept for ten minutes; failures for ten seconds. */
export class KeptAnswers<T> {
  readonly lines = new Lru<string, Kept<T>>(keptMax);

  constructor(private readonly clock: Clock) {}

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const kept = this.lines.get(key);
    if (kept !== undefined && kept.until > this.clock.now()) return kept.answer;
    const answer = ask();
    const entry = { until: this.clock.now() + keptMs, answer };
    this.lines.set(key, entry);
    answer.catch(() => {
      const until = this.clock.now() + failureKeptMs;
      if (this.lines.get(key) === entry) this.lines.set(key, { until, answer });
    });
    return answer;
  }
}

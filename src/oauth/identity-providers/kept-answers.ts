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

  /** @param keepsFailure which failures are kept; default: all */
  constructor(
    private readonly clock: Clock,
    private readonly keepsFailure: (error: unknown) => boolean = () => true,
  ) {}

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const kept = this.lines.get(key);
    if (kept !== undefined && kept.until > this.clock.now()) return kept.answer;
    const answer = ask();
    const entry = { until: this.clock.now() + keptMs, answer };
    this.lines.set(key, entry);
    answer.catch((error: unknown) => {
      if (this.lines.get(key) !== entry) return;
      const until = this.clock.now() + failureKeptMs;
      if (this.keepsFailure(error)) this.lines.set(key, { until, answer });
      else this.lines.delete(key);
    });
    return answer;
  }
}

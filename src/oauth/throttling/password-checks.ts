/** Too many passwords wait to be checked. */
export class TooManyChecks extends Error {
  override readonly name = 'TooManyChecks';
}

/** Each check takes a thread and 32 MiB; file access and name lookups need the threads too. */
const atOnceMax = 2;
const waitingMax = 50;

/**
 * Checks few passwords at a time, which bounds the cost of a flood of guesses. Known browsers and addresses come before
 * strangers; beyond a bound, attempts are refused.
 */
export class PasswordChecks {
  private running = 0;
  private readonly known: (() => void)[] = [];
  private readonly strangers: (() => void)[] = [];

  async run<T>(isKnown: boolean, check: () => Promise<T>): Promise<T> {
    if (this.running < atOnceMax) this.running += 1;
    else await this.turn(isKnown ? this.known : this.strangers);
    try {
      return await check();
    } finally {
      // The turn passes to the next in the queue, so that a newcomer cannot take it.
      const next = this.known.shift() ?? this.strangers.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }

  private turn(queue: (() => void)[]): Promise<void> {
    if (queue.length >= waitingMax) return Promise.reject(new TooManyChecks('Too many passwords to check.'));
    return new Promise((resolve) => queue.push(resolve));
  }
}

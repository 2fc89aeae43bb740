/** More passwords wait to be checked than may. */
export class TooManyChecks extends Error {
  override readonly name = 'TooManyChecks';
}

/** Each takes a thread and 32 MiB for a while; the threads are for files and names too. */
const atOnceMax = 2;
const waitingMax = 50;

/**
 * Checks few passwords at a time, so that a flood of guesses costs no more than that. Who is known comes before all
 * strangers, and strangers beyond a bound are sent away.
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
      // Its place is handed on, so that nobody who comes now can get in between.
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

/**
 * Lets a limited number of tasks run at once; others wait in order. A free place is taken in the next turn of
 * the event loop. Otherwise, tasks that never wait for anything would all run in one turn.
 */
export class ConcurrencyGate {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async enter<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else setImmediate(next);
    }
  }
}

/**
 * Lets so many tasks run at once; others wait in the order in which they came. A place that becomes free is taken in the
 * next turn of the event loop: the work of many tasks that never wait for anything would add up in one turn.
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

/** Keeps what was used last, at most so many entries. */
export class Lru<Key, Value> {
  private readonly entries = new Map<Key, Value>();

  /** @param dropped told of each entry that had to go */
  constructor(
    private readonly max: number,
    private readonly dropped: (value: Value) => void = () => undefined,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): Value | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.max) return;
    for (const [oldest, gone] of this.entries) {
      this.entries.delete(oldest);
      this.dropped(gone);
      return;
    }
  }

  delete(key: Key): void {
    this.entries.delete(key);
  }

  values(): IterableIterator<Value> {
    return this.entries.values();
  }
}

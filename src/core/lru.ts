interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  older: Entry<Key, Value> | undefined;
  newer: Entry<Key, Value> | undefined;
}

/** How much a cache holds. */
export interface CacheState {
  /** Entries. */
  readonly size: number;
  /** What counts towards `max`: entries, or what they weigh together. */
  readonly weight: number;
  readonly max: number;
}

/**
 * Keeps what was used last, at most so many entries, or entries of so much weight. The order is in the entries
 * themselves: to take a key out of the map and put it in again at each use would make a new table every few uses, and
 * each table that a map leaves behind keeps the next one from being collected while young.
 */
export class Lru<Key, Value> implements CacheState {
  private readonly entries = new Map<Key, Entry<Key, Value>>();
  private oldest: Entry<Key, Value> | undefined;
  private newest: Entry<Key, Value> | undefined;
  private total = 0;

  /**
   * @param dropped told of each entry that had to go
   * @param weigh what counts towards `max`; the same each time for a value
   */
  constructor(
    readonly max: number,
    private readonly dropped: (value: Value) => void = () => undefined,
    private readonly weigh: (value: Value) => number = () => 1,
  ) {}

  /** Of all entries together. */
  get weight(): number {
    return this.total;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.use(entry);
    return entry.value;
  }

  set(key: Key, value: Value): void {
    const known = this.entries.get(key);
    if (known !== undefined) {
      this.total += this.weigh(value) - this.weigh(known.value);
      known.value = value;
      this.use(known);
      this.shrink();
      return;
    }
    const entry: Entry<Key, Value> = { key, value, older: undefined, newer: undefined };
    this.entries.set(key, entry);
    this.append(entry);
    this.total += this.weigh(value);
    this.shrink();
  }

  delete(key: Key): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.total -= this.weigh(entry.value);
    this.unlink(entry);
  }

  /** Those used last come last. */
  *values(): Generator<Value> {
    for (let entry = this.oldest; entry !== undefined; entry = entry.newer) yield entry.value;
  }

  private shrink(): void {
    while (this.total > this.max && this.oldest !== undefined) {
      const { oldest } = this;
      this.delete(oldest.key);
      this.dropped(oldest.value);
    }
  }

  private use(entry: Entry<Key, Value>): void {
    if (entry === this.newest) return;
    this.unlink(entry);
    this.append(entry);
  }

  private append(entry: Entry<Key, Value>): void {
    entry.older = this.newest;
    if (this.newest === undefined) this.oldest = entry;
    else this.newest.newer = entry;
    this.newest = entry;
  }

  private unlink(entry: Entry<Key, Value>): void {
    if (entry.older === undefined) this.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
  }
}

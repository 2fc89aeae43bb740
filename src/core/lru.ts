interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  older: Entry<Key, Value> | undefined;
  newer: Entry<Key, Value> | undefined;
}

/** How full a cache is. */
export interface CacheState {
  /** Number of entries. */
  readonly size: number;
  /** The amount held against `max`: the number of entries or their total weight. */
  readonly weight: number;
  readonly max: number;
}

/**
 * A cache that evicts the least recently used entries beyond a maximum number or weight. The entries form a
 * linked list. Moving a key within the map at each use would rebuild the map's table every few uses, and an
 * abandoned table keeps its successor from being collected while young.
 */
export class Lru<Key, Value> implements CacheState {
  private readonly entries = new Map<Key, Entry<Key, Value>>();
  private oldest: Entry<Key, Value> | undefined;
  private newest: Entry<Key, Value> | undefined;
  private total = 0;

  /**
   * @param dropped called with each evicted entry
   * @param weigh how much a value counts towards `max`; must not change while the value is cached
   */
  constructor(
    readonly max: number,
    private readonly dropped: (value: Value) => void = () => undefined,
    private readonly weigh: (value: Value) => number = () => 1,
  ) {}

  /** The total over all entries. */
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

  /** The values from the least to the most recently used. */
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

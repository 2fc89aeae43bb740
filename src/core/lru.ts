interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  older: Entry<Key, Value> | undefined;
  newer: Entry<Key, Value> | undefined;
}

/**
 * Keeps what was used last, at most so many entries. The order is in the entries themselves: to take a key out of
 * the map and put it in again at each use would make a new table every few uses, and each table that a map leaves
 * behind keeps the next one from being collected while young.
 */
export class Lru<Key, Value> {
  private readonly entries = new Map<Key, Entry<Key, Value>>();
  private oldest: Entry<Key, Value> | undefined;
  private newest: Entry<Key, Value> | undefined;

  /** @param dropped told of each entry that had to go */
  constructor(
    private readonly max: number,
    private readonly dropped: (value: Value) => void = () => undefined,
  ) {}

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
      known.value = value;
      this.use(known);
      return;
    }
    const entry: Entry<Key, Value> = { key, value, older: undefined, newer: undefined };
    this.entries.set(key, entry);
    this.append(entry);
    if (this.entries.size <= this.max || this.oldest === undefined) return;
    const { oldest } = this;
    this.delete(oldest.key);
    this.dropped(oldest.value);
  }

  delete(key: Key): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.unlink(entry);
  }

  /** Those used last come last. */
  *values(): Generator<Value> {
    for (let entry = this.oldest; entry !== undefined; entry = entry.newer) yield entry.value;
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

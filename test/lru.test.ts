import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lru } from '../src/core/lru.js';

const key = fc.integer({ min: 0, max: 6 });
const step = fc.oneof(
  fc.record({ does: fc.constant('get' as const), key }),
  fc.record({ does: fc.constant('set' as const), key, value: fc.nat() }),
  fc.record({ does: fc.constant('delete' as const), key }),
);

/** The same by a list, the one used last at its end. */
class Plain {
  entries: [number, number][] = [];
  readonly dropped: number[] = [];

  constructor(
    private readonly max: number,
    private readonly weigh: (value: number) => number,
  ) {}

  get weight(): number {
    return this.entries.reduce((sum, [, value]) => sum + this.weigh(value), 0);
  }

  get(key: number): number | undefined {
    const found = this.take(key);
    if (found !== undefined) this.entries.push(found);
    return found?.[1];
  }

  set(key: number, value: number): void {
    this.take(key);
    this.entries.push([key, value]);
    while (this.weight > this.max) this.dropped.push(...this.entries.splice(0, 1).map((entry) => entry[1]));
  }

  take(key: number): [number, number] | undefined {
    const found = this.entries.find((entry) => entry[0] === key);
    this.entries = this.entries.filter((entry) => entry !== found);
    return found;
  }
}

test.each([
  ['so many', undefined],
  ['so much', (value: number) => value % 4],
])('whatever is done to it, it keeps %s of what was used last', (_, weigh) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
      const plain = new Plain(max, weigh ?? (() => 1));
      const dropped: number[] = [];
      const lru = new Lru<number, number>(max, (value) => dropped.push(value), weigh);
      for (const each of steps) {
        if (each.does === 'get') expect(lru.get(each.key)).toBe(plain.get(each.key));
        else if (each.does === 'set') {
          lru.set(each.key, each.value);
          plain.set(each.key, each.value);
        } else {
          lru.delete(each.key);
          plain.take(each.key);
        }
        expect([...lru.values()]).toEqual(plain.entries.map((entry) => entry[1]));
        expect(lru.size).toBe(plain.entries.length);
        expect(lru.weight).toBe(plain.weight);
        expect(dropped).toEqual(plain.dropped);
      }
    }),
    { numRuns: 2_000 },
  );
});

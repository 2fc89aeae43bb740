import { makeIds } from '../core/ids.js';

/** A repeatable source of random choices: the same seed and label give the same values on every machine. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number;
  between(min: number, max: number): number;
  /** An integer, both ends included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  weighted<T>(list: readonly T[], weight: (item: T) => number): T;
}

/** The mulberry32 generator (public domain, Tommy Ettinger): small, and good enough for demo data. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const mixLabel = (seed: number, label: string): number => {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (const char of label) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
};

/** Each label has its own stream, so that a change to one part leaves the others unchanged. */
export function makeRandom(seed: number, label: string): Random {
  const next = mulberry32(mixLabel(seed, label));
  const between = (min: number, max: number): number => min + next() * (max - min);
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  const weighted = <T>(list: readonly T[], weight: (item: T) => number): T => {
    const weights = list.map(weight);
    let rest = next() * weights.reduce((sum, each) => sum + each, 0);
    const found = list.find((_, index) => (rest -= weights[index] ?? 0) < 0) ?? list.at(-1);
    if (found === undefined) throw new RangeError('There is nothing to choose from.');
    return found;
  };
  return {
    next,
    between,
    int,
    weighted,
    chance: (probability) => next() < probability,
    pick: (list) => {
      const picked = list[Math.floor(next() * list.length)];
      if (picked === undefined) throw new RangeError('There is nothing to choose from.');
      return picked;
    },
  };
}

/** Makes ids whose time part is the time of the row. */
export interface SeedIds {
  at(ms: number): string;
}

export function seededIds(seed: number): SeedIds {
  const random = makeRandom(seed, 'ids');
  const tail = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, () => random.int(0, 255));
  return { at: (ms) => makeIds({ now: () => ms }, tail).next() };
}

import { randomFillSync } from 'node:crypto';
import type { Clock } from './clock.js';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Makes ids: 26 characters of Crockford base 32, 48 bits of time and 80 of randomness (a ULID). */
export interface Ids {
  next(): string;
}

const encodeTime = (ms: number): string => {
  let text = '';
  for (let rest = ms, place = 0; place < 10; place += 1) {
    text = (alphabet[rest % 32] ?? '') + text;
    rest = Math.floor(rest / 32);
  }
  return text;
};

/** Serves small requests for random bytes from one large pool. No byte is given twice. */
function pooledRandom(): (bytes: number) => Uint8Array {
  const pool = new Uint8Array(4_096);
  let used = pool.length;
  return (bytes) => {
    if (used + bytes > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.slice(used - bytes, used);
  };
}

const increment = (digits: Uint8Array): void => {
  for (let place = digits.length - 1; place >= 0; place -= 1) {
    const digit = digits[place] ?? 0;
    if (digit < 31) {
      digits[place] = digit + 1;
      return;
    }
    digits[place] = 0;
  }
};

/** Ids from one generator sort in the order of their creation, also within one millisecond. */
export function makeIds(clock: Clock, random: (bytes: number) => Uint8Array = pooledRandom()): Ids {
  let lastMs = -1;
  let tail: Uint8Array = new Uint8Array(16);
  return {
    next() {
      const ms = Math.max(clock.now(), lastMs);
      if (ms === lastMs) {
        increment(tail);
      } else {
        lastMs = ms;
        tail = random(16).map((byte) => byte % 32);
      }
      let text = encodeTime(ms);
      for (const digit of tail) text += alphabet[digit] ?? '';
      return text;
    },
  };
}

/** Whether a text has the form of an id. Any other text needs no database look-up. */
export const isId = (text: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text);

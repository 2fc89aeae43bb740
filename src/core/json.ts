import { badInput } from './errors.js';

/**
 * What a caller's JSON says. Throws `BAD_USER_INPUT` where it is not well-formed, has half of a character, which no
 * database can keep, or a key `__proto__`, which means something else to JavaScript.
 */
export function parseJson(text: string, what: string, path?: string): unknown {
  const fault = (message: string) => badInput(`${what} ${message}`, path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault('is not well-formed JSON.');
  }
  if (hasHalfCharacter(text)) throw fault('has half of a character (a surrogate without the other).');
  if (mayHavePrototype.test(text) && hasPrototype(value)) throw fault('has a key `__proto__`: leave it out.');
  return value;
}

/** A pair of escaped surrogates, one alone, or any other escape. */
const escapes = /\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)/gi;

/** Of well-formed JSON that was UTF-8, so that only an escape can be one. */
function hasHalfCharacter(text: string): boolean {
  if (!/\\ud[89a-f]/i.test(text)) return false;
  for (const [, alone] of text.matchAll(escapes)) if (alone !== undefined) return true;
  return false;
}

const mayHavePrototype = /__proto__|\\u00[567]/i;

/** Level by level, as JSON may be deeper than calls can be. */
function hasPrototype(value: unknown): boolean {
  for (let level: unknown[] = [value]; level.length > 0;) {
    const holders = level.filter((one) => one !== null && typeof one === 'object');
    if (holders.some((holder) => Object.hasOwn(holder, '__proto__'))) return true;
    level = holders.flatMap((holder) => Object.values(holder) as unknown[]);
  }
  return false;
}

import { BehalfError } from './errors.js';

/** A text of a caller that is no JSON, or no JSON that can be taken. */
export class UnfitJson extends BehalfError {
  readonly #value: unknown;

  /** @param value what the text says as JSON */
  constructor(message: string, path?: string, value?: unknown) {
    super('BAD_USER_INPUT', message, path === undefined ? {} : { path });
    this.#value = value;
  }

  /** Undefined where the text is not well-formed JSON. No own member, so that no log has it. */
  get value(): unknown {
    return this.#value;
  }
}

/**
 * Parses a caller's JSON. Throws `UnfitJson` for text that is not well-formed, for half of a surrogate
 * pair, which no database can store, and for the key `__proto__`, which has a special meaning in JavaScript.
 */
export function parseJson(text: string, what: string, path?: string): unknown {
  let value: unknown;
  const fault = (message: string) => new UnfitJson(`${what} ${message}`, path, value);
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

/** Expects well-formed JSON from valid UTF-8, in which only an escape can be half of a surrogate pair. */
function hasHalfCharacter(text: string): boolean {
  if (!/\\ud[89a-f]/i.test(text)) return false;
  for (const [, alone] of text.matchAll(escapes)) if (alone !== undefined) return true;
  return false;
}

const mayHavePrototype = /__proto__|\\u00[567]/i;

/** Goes level by level, because JSON may be nested deeper than calls can be. */
function hasPrototype(value: unknown): boolean {
  for (let level: unknown[] = [value]; level.length > 0;) {
    const holders = level.filter((one) => one !== null && typeof one === 'object');
    if (holders.some((holder) => Object.hasOwn(holder, '__proto__'))) return true;
    level = holders.flatMap((holder) => Object.values(holder) as unknown[]);
  }
  return false;
}

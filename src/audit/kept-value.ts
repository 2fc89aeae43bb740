/** A digest that only the server can make: who guesses a value cannot check the guess. */
export type Digest = (text: string) => string;

/**
 * A value in a record, as stored. Whoever may read all of `$of`, coordinates of the schema, may read it. Callers name no
 * input field with a `$`, so that none of theirs looks like it.
 */
export interface KeptValue {
  readonly $of: readonly string[];
  /** Missing where it was too long to keep. */
  readonly value?: unknown;
  readonly length?: number;
  readonly digest?: string;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What stands for a value that is not shown: how long it is, in characters of itself or of its JSON. */
const digestOf = (value: unknown, digest: Digest): { readonly length: number; readonly digest: string } => {
  const text = textOf(value);
  return { length: text.length, digest: digest(text) };
};

/** As it is where everybody may read it and it is short. */
export function kept(of: readonly string[], value: unknown, lengthMax: number, digest: Digest): unknown {
  const isLong = textOf(value).length > lengthMax;
  if (of.length === 0 && !isLong) return value;
  return isLong ? { $of: of, ...digestOf(value, digest) } : { $of: of, value };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isKept = (value: unknown): value is KeptValue =>
  isObject(value) && '$of' in value && Array.isArray(value.$of);

/** All coordinates that the values of a record are of. */
export function coordinatesIn(stored: unknown, found = new Set<string>()): Set<string> {
  if (isKept(stored)) for (const coordinate of stored.$of) found.add(coordinate);
  else if (isObject(stored)) for (const inner of Object.values(stored)) coordinatesIn(inner, found);
  return found;
}

/** A record's values for one reader. */
export function shownTo(stored: unknown, mayRead: (coordinate: string) => boolean, digest: Digest): unknown {
  if (isKept(stored)) {
    const { $of, value, ...rest } = stored;
    if (!('value' in stored)) return rest;
    return $of.every(mayRead) ? value : digestOf(value, digest);
  }
  if (Array.isArray(stored)) return stored.map((item) => shownTo(item, mayRead, digest));
  if (!isObject(stored)) return stored;
  return Object.fromEntries(
    Object.entries(stored).map(([key, inner]) => [key, shownTo(inner, mayRead, digest)]),
  );
}

/** As `shownTo`, of a record that does not say what its values are: ids, numbers and choices alone are shown. */
export function shownOfOld(stored: unknown, isHarmless: (text: string) => boolean, digest: Digest): unknown {
  if (typeof stored === 'string') return isHarmless(stored) ? stored : digestOf(stored, digest);
  if (Array.isArray(stored)) return stored.map((item) => shownOfOld(item, isHarmless, digest));
  if (!isObject(stored)) return stored;
  return Object.fromEntries(
    Object.entries(stored).map(([key, inner]) => [key, shownOfOld(inner, isHarmless, digest)]),
  );
}

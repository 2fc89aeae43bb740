/** A digest that only the server can compute, so that nobody else can check a guess at the value. */
export type Digest = (text: string) => string;

/**
 * A stored value of a record. A reader who may read all schema coordinates in `$of` may read the value. Input
 * fields cannot contain a `$`, so no caller's value looks like this one.
 */
interface KeptValue {
  readonly $of: readonly string[];
  /** Missing where the value was too long to keep. */
  readonly value?: unknown;
  readonly length?: number;
  readonly digest?: string;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Stands for a hidden value: its digest, and its length in characters of the text or its JSON. */
const digestOf = (value: unknown, digest: Digest): { readonly length: number; readonly digest: string } => {
  const text = textOf(value);
  return { length: text.length, digest: digest(text) };
};

/** A short value that everybody may read is stored as it is. */
export function kept(of: readonly string[], value: unknown, lengthMax: number, digest: Digest): unknown {
  const isLong = textOf(value).length > lengthMax;
  if (of.length === 0 && !isLong) return value;
  return isLong ? { $of: of, ...digestOf(value, digest) } : { $of: of, value };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isKept = (value: unknown): value is KeptValue =>
  isObject(value) && '$of' in value && Array.isArray(value.$of);

/** All coordinates in the values of a record. */
export function coordinatesIn(stored: unknown, found = new Set<string>()): Set<string> {
  if (isKept(stored)) for (const coordinate of stored.$of) found.add(coordinate);
  else if (isObject(stored)) for (const inner of Object.values(stored)) coordinatesIn(inner, found);
  return found;
}

/** The values of a record as one reader sees them. */
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

/**
 * As `shownTo`, for an old record whose values carry no coordinates: only ids, numbers and enum values are
 * shown.
 */
export function shownOfOld(stored: unknown, isHarmless: (text: string) => boolean, digest: Digest): unknown {
  if (typeof stored === 'string') return isHarmless(stored) ? stored : digestOf(stored, digest);
  if (Array.isArray(stored)) return stored.map((item) => shownOfOld(item, isHarmless, digest));
  if (!isObject(stored)) return stored;
  return Object.fromEntries(
    Object.entries(stored).map(([key, inner]) => [key, shownOfOld(inner, isHarmless, digest)]),
  );
}

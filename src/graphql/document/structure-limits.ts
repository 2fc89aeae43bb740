import { BehalfError } from '../../core/errors.js';

/**
 * The limits on a request's shape, the same for every caller, and advice for the caller who passes one. Together they
 * keep parsing and validation of the dearest document within a few milliseconds.
 */
export const structureLimits = {
  characters: { max: 200_000, unit: 'characters in its document', hint: 'Put long values into variables.' },
  lines: { max: 3_000, unit: 'lines in its document', hint: 'Put long values into variables.' },
  nameLength: { max: 200, unit: 'characters in a name', hint: 'Shorten names and aliases.' },
  operations: { max: 20, unit: 'operations', hint: 'Send only the operation that is to run.' },
  rootFields: { max: 50, unit: 'fields at its root', hint: 'Ask for a list, or in several requests.' },
  depth: { max: 20, unit: 'levels', hint: 'Ask for fewer levels, and go on from the ids that come back.' },
  aliases: { max: 100, unit: 'aliases', hint: 'Ask for a list, or in several requests.' },
  selections: { max: 5_000, unit: 'selections, fragments written out', hint: 'Select less at once.' },
  repeats: { max: 3_000, unit: 'pairs of equal selections', hint: 'Select each field once in one place.' },
  fragments: { max: 40, unit: 'fragments', hint: 'Write out what is used once.' },
  spreads: { max: 150, unit: 'uses of fragments', hint: 'Write out what is used once.' },
  directives: { max: 200, unit: 'directives', hint: 'Leave out of the document what is not wanted.' },
  directivesOfOne: { max: 4, unit: 'directives in one place', hint: 'Say each directive once.' },
  variables: { max: 100, unit: 'variables', hint: 'Put what belongs together into one input object.' },
  valueDepth: {
    max: 20,
    unit: 'levels of lists and objects in a value',
    hint: 'No input is as deep as that.',
  },
  variableValues: { max: 20_000, unit: 'values in its variables', hint: 'Send them in several requests.' },
} as const;

export type StructureLimit = keyof typeof structureLimits;

const tooMuch = (limit: StructureLimit): BehalfError => {
  const { max, unit, hint } = structureLimits[limit];
  const message = `The request has more than ${max.toLocaleString('en')} ${unit}.`;
  return new BehalfError('QUERY_TOO_COMPLEX', message, { limit, hint });
};

/** Throws `QUERY_TOO_COMPLEX` where a size passes its limit. */
export function requireWithin(limit: StructureLimit, size: number): void {
  if (size > structureLimits[limit].max) throw tooMuch(limit);
}

/** Adds one, or `by`, to a count. Throws `QUERY_TOO_COMPLEX` once the count passes its limit. */
export type Count = (limit: StructureLimit, by?: number) => void;

export function makeCount(): Count {
  const counts = new Map<StructureLimit, number>();
  return (limit, by = 1) => {
    const count = (counts.get(limit) ?? 0) + by;
    requireWithin(limit, count);
    counts.set(limit, count);
  };
}

/** The error that a check throws, as a value; undefined where it throws none. */
export function faultOf(check: () => void): BehalfError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof BehalfError) return error;
    throw error;
  }
}

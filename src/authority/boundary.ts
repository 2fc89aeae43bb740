/** The allowed values of one dimension, or explicitly all of them. */
export type ValueSet = ReadonlySet<string> | 'all';

/** The allowed values of each dimension. A missing dimension allows nothing. */
export type Boundary = ReadonlyMap<string, ValueSet>;

/**
 * A union of boundaries. A person's roles keep their boundaries apart, so that reading in Europe and
 * invoicing in the US never becomes reading in the US. An empty list allows no row.
 */
export type Boundaries = readonly Boundary[];

/** A row's value in each dimension that its type declares. Null is outside every bounded dimension. */
export type DimensionValues = ReadonlyMap<string, DimensionValue>;

/** Of several values, a boundary that allows one allows the row. */
export type DimensionValue = string | null | readonly string[];

/** The value in a role's boundary that stands for the person who holds the role. */
export const selfValue = 'self';

const isEmpty = (set: ValueSet): boolean => set !== 'all' && set.size === 0;

const intersectSets = (a: ValueSet, b: ValueSet): ValueSet => {
  if (a === 'all') return b;
  if (b === 'all') return a;
  return new Set([...a].filter((value) => b.has(value)));
};

const isSubset = (inner: ValueSet, outer: ValueSet): boolean =>
  outer === 'all' || (inner !== 'all' && [...inner].every((value) => outer.has(value)));

/** Parses `{ dimension: 'all' | values }`, the form in which roles and delegations store a boundary. */
export function parseBoundary(
  stored: Readonly<Record<string, readonly string[] | 'all'>>,
  self?: string,
): Boundary {
  return new Map(
    Object.entries(stored)
      .map(([dimension, values]): [string, ValueSet] => [
        dimension,
        values === 'all'
          ? 'all'
          : new Set(values.map((value) => (value === selfValue ? (self ?? value) : value))),
      ])
      .filter(([, set]) => !isEmpty(set)),
  );
}

/** The reverse of `parseBoundary`. Values are sorted, so that equal boundaries have equal text. */
export function storeBoundary(boundary: Boundary): Record<string, string[] | 'all'> {
  return Object.fromEntries(
    [...boundary]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([dimension, set]) => [dimension, set === 'all' ? 'all' : [...set].sort()]),
  );
}

/** The values that both allow. A dimension is missing where either lacks it or they share no value. */
function intersectBoundary(a: Boundary, b: Boundary): Boundary {
  const both = new Map<string, ValueSet>();
  for (const [dimension, set] of a) {
    const other = b.get(dimension);
    if (other === undefined) continue;
    const shared = intersectSets(set, other);
    if (!isEmpty(shared)) both.set(dimension, shared);
  }
  return both;
}

/** Whether every row inside `inner` is inside `outer`. */
const isBoundaryWithin = (inner: Boundary, outer: Boundary): boolean =>
  [...inner].every(([dimension, set]) => {
    const other = outer.get(dimension);
    return other !== undefined && isSubset(set, other);
  });

/** Drops every boundary that another one of the union contains. Of equal boundaries the first stays. */
export function normalize(boundaries: Boundaries): Boundaries {
  return boundaries.filter(
    (mine, at) =>
      !boundaries.some(
        (other, index) =>
          index !== at && isBoundaryWithin(mine, other) && (index < at || !isBoundaryWithin(other, mine)),
      ),
  );
}

export const unite = (a: Boundaries, b: Boundaries): Boundaries => normalize([...a, ...b]);

export const intersectBoundaries = (a: Boundaries, b: Boundaries): Boundaries =>
  normalize(a.flatMap((mine) => b.map((theirs) => intersectBoundary(mine, theirs))));

/** Whether a boundary allows the row's value in each dimension that its type declares. */
export const isInside = (boundaries: Boundaries, values: DimensionValues): boolean =>
  boundaries.some((boundary) =>
    [...values].every(([dimension, value]) => {
      const set = boundary.get(dimension);
      return set !== undefined && (set === 'all' || valuesIn(value).some((one) => set.has(one)));
    }),
  );

const valuesIn = (value: DimensionValue): readonly string[] => {
  if (value === null) return [];
  return typeof value === 'string' ? [value] : value;
};

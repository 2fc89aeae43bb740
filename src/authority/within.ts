import type { Boundaries, Boundary, ValueSet } from './boundary.js';

/** A set or its complement: the values that remain of `all` after some are removed. */
type Left = { readonly in: ReadonlySet<string> } | { readonly notIn: ReadonlySet<string> };
type Piece = ReadonlyMap<string, Left>;

const nothingOut: Left = { notIn: new Set() };
const asLeft = (set: ValueSet): Left => (set === 'all' ? nothingOut : { in: set });
const isEmpty = (left: Left): boolean => 'in' in left && left.in.size === 0;

const keep = (left: Left, set: ValueSet): Left => {
  if (set === 'all') return left;
  return 'in' in left
    ? { in: new Set([...left.in].filter((value) => set.has(value))) }
    : { in: new Set([...set].filter((value) => !left.notIn.has(value))) };
};

const remove = (left: Left, set: ValueSet): Left => {
  if (set === 'all') return { in: new Set() };
  return 'in' in left
    ? { in: new Set([...left.in].filter((value) => !set.has(value))) }
    : { notIn: new Set([...left.notIn, ...set]) };
};

/** The part of `piece` outside `boundary`, as pieces that do not overlap. */
function subtract(piece: Piece, boundary: Boundary): Piece[] {
  const pieces: Piece[] = [];
  const inside = new Map(piece);
  for (const [dimension, left] of piece) {
    const set = boundary.get(dimension) ?? new Set<string>();
    const outside = remove(left, set);
    if (!isEmpty(outside)) pieces.push(new Map(inside).set(dimension, outside));
    const kept = keep(left, set);
    if (isEmpty(kept)) return pieces;
    inside.set(dimension, kept);
  }
  return pieces;
}

/**
 * Whether `outer` contains `inner`. The answer is exact, also where only several boundaries of `outer`
 * together cover one of `inner`. A boundary of `inner` that lacks a dimension allows no row there, so it
 * needs nothing from `outer`.
 */
export function areWithin(inner: Boundaries, outer: Boundaries): boolean {
  return inner.every((boundary) => {
    let left: Piece[] = [new Map([...boundary].map(([dimension, set]) => [dimension, asLeft(set)]))];
    for (const other of outer) left = left.flatMap((piece) => subtract(piece, other));
    return left.length === 0;
  });
}

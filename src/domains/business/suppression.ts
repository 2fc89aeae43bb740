/** One number that could be shown: a sum over some atoms, the smallest parts that any sum is made of. */
export interface Cell {
  /** The atoms that it adds up; equal keys are equal atoms. */
  readonly atoms: readonly string[];
  /** How many distinct customers stand behind it. */
  readonly customers: number;
}

/** Cells that add up to another one. */
export interface Line<C extends Cell> {
  readonly whole: C;
  readonly parts: readonly C[];
}

/** Cells to decide about together, the most important first and a whole before its parts. */
export interface Stage<C extends Cell> {
  readonly cells: readonly C[];
  /** All lines of which these cells are parts. */
  readonly lines: readonly Line<C>[];
}

/**
 * Which cells may be shown, so that nobody can compute one of the others. An earlier cell is never withheld in
 * favour of a later one, and what an earlier stage shows does not depend on the later ones.
 *
 * A cell of fewer than `smallest` customers is a secret, and so are several such cells of one line together,
 * unless they are the whole line. Numbers that add up tell a secret exactly when its atoms are a linear
 * combination of those of the cells shown; a cell that would complete such a combination is withheld too.
 * That includes subtracting from totals, through any chain of tables over the same atoms. Parts of what is
 * withheld are withheld: so what is left of a cell without its parts shown has enough customers as well.
 */
export function cellsToShow<C extends Cell>(stages: readonly Stage<C>[], smallest: number): Set<C> {
  const space = new Space(stages.flatMap((stage) => stage.cells));
  const shown = new Set<C>();
  for (const { cells, lines } of stages) {
    for (const secret of secretsOf(cells, lines, smallest)) space.guard(secret);
    const wholes = new Map<C, C[]>();
    for (const { whole, parts } of lines) {
      for (const part of parts) wholes.set(part, [...(wholes.get(part) ?? []), whole]);
    }
    for (const cell of cells) {
      const isOpen = (wholes.get(cell) ?? []).every((whole) => shown.has(whole));
      if (isOpen && cell.customers >= smallest && space.reveal(cell.atoms)) shown.add(cell);
    }
    // What can be computed anyway, and is no secret, is shown: a suppressed cell is one that cannot be known.
    for (const cell of cells) if (cell.customers >= smallest && space.tells(cell.atoms)) shown.add(cell);
  }
  return shown;
}

function secretsOf<C extends Cell>(
  cells: readonly C[],
  lines: readonly Line<C>[],
  smallest: number,
): (readonly string[])[] {
  const isSmall = (cell: Cell): boolean => cell.customers < smallest;
  const together = lines
    .map(({ parts }) => ({ parts, small: parts.filter(isSmall) }))
    .filter(({ parts, small }) => small.length > 1 && small.length < parts.length)
    .map(({ small }) => small.flatMap((cell) => cell.atoms));
  return [...cells.filter(isSmall).map((cell) => cell.atoms), ...together];
}

/** Below 2^26, so that products of two residues are exact. */
const prime = 67_108_859;

/**
 * The sums that follow from the cells shown so far, as a vector space over the residues of a prime. Secrets
 * are kept reduced by its basis: one of them follows as soon as nothing of it is left.
 */
class Space {
  private readonly position = new Map<string, number>();
  private readonly basis: { readonly pivot: number; readonly vector: Float64Array }[] = [];
  private secrets: Float64Array[] = [];

  constructor(cells: readonly Cell[]) {
    for (const atom of cells.flatMap((cell) => cell.atoms)) {
      if (!this.position.has(atom)) this.position.set(atom, this.position.size);
    }
  }

  /** What follows already is no secret: it adds up from cells that have enough customers each. */
  guard(atoms: readonly string[]): void {
    const secret = this.reducedByBasis(atoms);
    if (isNothing(secret)) return;
    this.secrets.push(secret);
  }

  tells(atoms: readonly string[]): boolean {
    return isNothing(this.reducedByBasis(atoms));
  }

  /** Adds a cell to what is known, unless that would tell a secret. */
  reveal(atoms: readonly string[]): boolean {
    const vector = this.reducedByBasis(atoms);
    const pivot = vector.findIndex((value) => value !== 0);
    if (pivot === -1) return true;
    scale(vector, inverse(vector[pivot] ?? 0));
    const left = this.secrets.map((secret) => reduced(secret, vector, pivot));
    if (left.some((secret, at) => secret !== this.secrets[at] && isNothing(secret))) return false;
    this.secrets = left;
    this.basis.push({ pivot, vector });
    return true;
  }

  private reducedByBasis(atoms: readonly string[]): Float64Array {
    const vector = new Float64Array(this.position.size);
    for (const atom of atoms) vector[this.position.get(atom) ?? 0] = 1;
    for (const known of this.basis) reduce(vector, known.vector, known.pivot);
    return vector;
  }
}

const isNothing = (vector: Float64Array): boolean => vector.every((value) => value === 0);

/** Takes so much of `other` from `vector` that nothing is left at `pivot`, where `other` has 1. */
function reduce(vector: Float64Array, other: Float64Array, pivot: number): void {
  const factor = vector[pivot] ?? 0;
  if (factor === 0) return;
  for (let at = 0; at < vector.length; at += 1) {
    const value = ((vector[at] ?? 0) - ((factor * (other[at] ?? 0)) % prime)) % prime;
    vector[at] = value < 0 ? value + prime : value;
  }
}

function reduced(vector: Float64Array, other: Float64Array, pivot: number): Float64Array {
  if (vector[pivot] === 0) return vector;
  const copy = vector.slice();
  reduce(copy, other, pivot);
  return copy;
}

function scale(vector: Float64Array, factor: number): void {
  for (let at = 0; at < vector.length; at += 1) vector[at] = ((vector[at] ?? 0) * factor) % prime;
}

/** By Fermat's little theorem. */
function inverse(value: number): number {
  let result = 1;
  let power = value;
  for (let exponent = prime - 2; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) result = (result * power) % prime;
    power = (power * power) % prime;
  }
  return result;
}

/** One number that could be shown: a sum over some atoms, the smallest parts that any sum is made of. */
export interface Cell {
  /** The atoms that it adds up; equal keys are equal atoms. */
  readonly atoms: readonly string[];
  /** How many distinct customers stand behind it. */
  readonly customers: number;
}

/** Cells that add up to another cell. */
export type Line = readonly Cell[];

/**
 * Which cells may be shown, so that nobody can compute one of the others. `cells` come with the most
 * important first: an earlier cell is never withheld in favour of a later one.
 *
 * A cell of fewer than `smallest` customers is a secret, and so are several such cells of one line together,
 * unless they are the whole line. Numbers that add up tell a secret exactly when its atoms are a linear
 * combination of those of the cells shown; a cell that would complete such a combination is withheld too.
 * That includes subtracting from totals, through any chain of tables over the same atoms.
 */
export function cellsToShow<C extends Cell>(
  cells: readonly C[],
  lines: readonly Line[],
  smallest: number,
): Set<C> {
  const space = new Space(cells);
  for (const secret of secretsOf(cells, lines, smallest)) space.guard(secret);
  return new Set(cells.filter((cell) => cell.customers >= smallest && space.reveal(cell.atoms)));
}

function secretsOf(cells: readonly Cell[], lines: readonly Line[], smallest: number): (readonly string[])[] {
  const isSmall = (cell: Cell): boolean => cell.customers < smallest;
  const together = lines
    .map((line) => ({ line, small: line.filter(isSmall) }))
    .filter(({ line, small }) => small.length > 1 && small.length < line.length)
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

  guard(atoms: readonly string[]): void {
    this.secrets.push(this.vector(atoms));
  }

  /** Adds a cell to what is known, unless that would tell a secret. */
  reveal(atoms: readonly string[]): boolean {
    const vector = this.vector(atoms);
    for (const known of this.basis) reduce(vector, known.vector, known.pivot);
    const pivot = vector.findIndex((value) => value !== 0);
    if (pivot === -1) return true;
    scale(vector, inverse(vector[pivot] ?? 0));
    const left = this.secrets.map((secret) => reduced(secret, vector, pivot));
    if (left.some((secret, at) => secret !== this.secrets[at] && secret.every((value) => value === 0))) {
      return false;
    }
    this.secrets = left;
    this.basis.push({ pivot, vector });
    return true;
  }

  private vector(atoms: readonly string[]): Float64Array {
    const vector = new Float64Array(this.position.size);
    for (const atom of atoms) vector[this.position.get(atom) ?? 0] = 1;
    return vector;
  }
}

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

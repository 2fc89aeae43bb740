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
 *
 * Yields how much work each step was, in numbers that were looked at.
 */
export function* cellsToShow<C extends Cell>(
  stages: readonly Stage<C>[],
  smallest: number,
): Generator<number, Set<C>> {
  const space = new Space();
  const shown = new Set<C>();
  for (const { cells, lines } of stages) {
    for (const secret of secretsOf(cells, lines, smallest)) yield* space.guard(secret);
    const wholes = new Map<C, C[]>();
    for (const { whole, parts } of lines) {
      yield parts.length;
      for (const part of parts) {
        const known = wholes.get(part);
        if (known === undefined) wholes.set(part, [whole]);
        else known.push(whole);
      }
    }
    for (const cell of cells) {
      yield 1;
      const isOpen = (wholes.get(cell) ?? []).every((whole) => shown.has(whole));
      if (isOpen && cell.customers >= smallest && (yield* space.reveal(cell.atoms))) shown.add(cell);
    }
    // What can be computed anyway, and is no secret, is shown: a suppressed cell is one that cannot be known.
    for (const cell of cells) {
      if (shown.has(cell) || cell.customers < smallest) continue;
      if (yield* space.tells(cell.atoms)) shown.add(cell);
    }
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

/** The places of a vector at which it is not 0: cells of groups have few of them. */
type Vector = Map<number, number>;

/**
 * The sums that follow from the cells shown so far, as a vector space over the residues of a prime. Each vector of its
 * basis has a 1 at its pivot, where all others have 0, and so have the secrets, which are kept reduced by the basis: one
 * of them follows as soon as nothing of it is left.
 */
class Space {
  private readonly positions = new Map<string, number>();
  private readonly basis = new Map<number, Vector>();
  private readonly secrets = new Set<Vector>();
  /** Of the basis and of the secrets, those that are not 0 at a place. */
  private readonly holders = new Map<number, Set<Vector>>();

  /** What follows already is no secret: it adds up from cells that have enough customers each. */
  *guard(atoms: readonly string[]): Generator<number, void> {
    const secret = yield* this.reduced(atoms);
    if (secret.size === 0) return;
    this.secrets.add(secret);
    this.hold(secret);
  }

  *tells(atoms: readonly string[]): Generator<number, boolean> {
    return (yield* this.reduced(atoms)).size === 0;
  }

  /** Adds a cell to what is known, unless that would tell a secret. */
  *reveal(atoms: readonly string[]): Generator<number, boolean> {
    const vector = yield* this.reduced(atoms);
    const [first] = vector;
    if (first === undefined) return true;
    const [pivot, value] = first;
    const factor = inverse(value);
    for (const [at, one] of vector) vector.set(at, (one * factor) % prime);
    const affected = [...(this.holders.get(pivot) ?? [])];
    for (const one of affected) {
      if (!this.secrets.has(one)) continue;
      yield one.size;
      if (isMultiple(one, vector, pivot)) return false;
    }
    for (const one of affected) {
      yield vector.size;
      this.subtract(one, vector, one.get(pivot) ?? 0, true);
    }
    this.basis.set(pivot, vector);
    this.hold(vector);
    return true;
  }

  private *reduced(atoms: readonly string[]): Generator<number, Vector> {
    const vector: Vector = new Map();
    for (const atom of atoms) vector.set(this.positionOf(atom), 1);
    yield atoms.length;
    for (const at of [...vector.keys()]) {
      const known = this.basis.get(at);
      if (known === undefined) continue;
      yield known.size;
      this.subtract(vector, known, vector.get(at) ?? 0, false);
    }
    return vector;
  }

  private positionOf(atom: string): number {
    const known = this.positions.get(atom) ?? this.positions.size;
    this.positions.set(atom, known);
    return known;
  }

  private hold(vector: Vector): void {
    for (const at of vector.keys()) this.holdersOf(at).add(vector);
  }

  private holdersOf(at: number): Set<Vector> {
    const known = this.holders.get(at) ?? new Set<Vector>();
    this.holders.set(at, known);
    return known;
  }

  private subtract(vector: Vector, other: Vector, factor: number, isHeld: boolean): void {
    for (const [at, one] of other) {
      const before = vector.get(at) ?? 0;
      const value = (before + prime - ((factor * one) % prime)) % prime;
      if (value !== 0) vector.set(at, value);
      else vector.delete(at);
      if (!isHeld || (before === 0) === (value === 0)) continue;
      if (value === 0) this.holdersOf(at).delete(vector);
      else this.holdersOf(at).add(vector);
    }
  }
}

/** Whether nothing is left of a vector when the other, which has 1 at `pivot`, is taken away as often as it can be. */
function isMultiple(vector: Vector, other: Vector, pivot: number): boolean {
  if (vector.size !== other.size) return false;
  const factor = vector.get(pivot) ?? 0;
  for (const [at, one] of other) if (vector.get(at) !== (factor * one) % prime) return false;
  return true;
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

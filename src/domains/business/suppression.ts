/** One number that could be shown: a sum of atoms, the smallest parts of all sums. */
export interface Cell {
  /** The atoms in the sum. Equal keys are equal atoms. */
  readonly atoms: readonly string[];
  /** The number of distinct customers in the sum. */
  readonly customers: number;
}

/** Cells that add up to another cell. */
export interface Line<C extends Cell> {
  readonly whole: C;
  readonly parts: readonly C[];
}

/** Cells to decide together, the most important first, and a whole before its parts. */
export interface Stage<C extends Cell> {
  readonly cells: readonly C[];
  /** All lines that have these cells as parts. */
  readonly lines: readonly Line<C>[];
}

/**
 * The cells that may be shown, so that nobody can compute any other cell. An earlier cell is never withheld
 * in favour of a later one, and the cells shown of an earlier stage do not depend on later stages.
 *
 * A cell of fewer than `smallest` customers is a secret. Several such cells of one line together are a secret
 * too, unless they are the whole line. The shown sums reveal a secret exactly when its atoms are a linear
 * combination of the atoms of shown cells. A cell that would complete such a combination is withheld too.
 * This covers subtraction from totals, through any chain of tables over the same atoms. The parts of a
 * withheld cell are withheld, so that a cell minus its shown parts also has enough customers.
 *
 * Yields the work of each step, as a number of numbers looked at.
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
    // A cell that can be computed anyway and is no secret is shown. So a suppressed cell cannot be computed.
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

/** Below 2^26, so that the product of two residues is exact. */
const prime = 67_108_859;

/** The non-zero positions of a vector. Cells of groups have few of them. */
type Vector = Map<number, number>;

/**
 * The sums that follow from the shown cells, as a vector space over the residues of a prime. Each basis
 * vector has a 1 at its pivot, where all other vectors have a 0. Secrets are kept reduced by the basis. A
 * secret follows from the shown cells once its reduced vector is empty.
 */
class Space {
  private readonly positions = new Map<string, number>();
  private readonly basis = new Map<number, Vector>();
  private readonly secrets = new Set<Vector>();
  /** By position: the basis vectors and secrets that are not 0 there. */
  private readonly byPosition = new Map<number, Set<Vector>>();

  /**
   * Adds a secret. A sum that already follows is none, because each cell it consists of has enough customers.
   */
  *guard(atoms: readonly string[]): Generator<number, void> {
    const secret = yield* this.reduced(atoms);
    if (secret.size === 0) return;
    this.secrets.add(secret);
    this.hold(secret);
  }

  *tells(atoms: readonly string[]): Generator<number, boolean> {
    return (yield* this.reduced(atoms)).size === 0;
  }

  /** Adds a cell to the shown sums, unless a secret would follow. */
  *reveal(atoms: readonly string[]): Generator<number, boolean> {
    const vector = yield* this.reduced(atoms);
    const [first] = vector;
    if (first === undefined) return true;
    const [pivot, value] = first;
    const factor = inverse(value);
    for (const [at, one] of vector) vector.set(at, (one * factor) % prime);
    const affected = [...(this.byPosition.get(pivot) ?? [])];
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
    for (const at of vector.keys()) this.vectorsAt(at).add(vector);
  }

  private vectorsAt(at: number): Set<Vector> {
    const known = this.byPosition.get(at) ?? new Set<Vector>();
    this.byPosition.set(at, known);
    return known;
  }

  private subtract(vector: Vector, other: Vector, factor: number, isHeld: boolean): void {
    for (const [at, one] of other) {
      const before = vector.get(at) ?? 0;
      const value = (before + prime - ((factor * one) % prime)) % prime;
      if (value !== 0) vector.set(at, value);
      else vector.delete(at);
      if (!isHeld || (before === 0) === (value === 0)) continue;
      if (value === 0) this.vectorsAt(at).delete(vector);
      else this.vectorsAt(at).add(vector);
    }
  }
}

/** Whether the vector is a multiple of `other`, which has a 1 at `pivot`. */
function isMultiple(vector: Vector, other: Vector, pivot: number): boolean {
  if (vector.size !== other.size) return false;
  const factor = vector.get(pivot) ?? 0;
  for (const [at, one] of other) if (vector.get(at) !== (factor * one) % prime) return false;
  return true;
}

/** The multiplicative inverse, by Fermat's little theorem. */
function inverse(value: number): number {
  let result = 1;
  let power = value;
  for (let exponent = prime - 2; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) result = (result * power) % prime;
    power = (power * power) % prime;
  }
  return result;
}

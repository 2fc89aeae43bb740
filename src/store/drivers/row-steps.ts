/**
 * A condition for SQLite that is true for every row and counts the rows that a statement looks at. SQLite
 * runs in the calling thread, so only a function that the statement calls can end it. In a join it counts the
 * rows of the table `t`.
 */
export const step = 'behalf_step(t.rowid)';

/** The part of better-sqlite3 that registers functions. */
interface TakesFunctions {
  function(name: string, options: { deterministic: boolean }, call: (row: unknown) => number): unknown;
}

/**
 * Calls `look` for each row that a statement with `step` looks at. An error from `look` ends the statement.
 */
export function onStep(db: TakesFunctions, look: () => void): void {
  // A deterministic function could be called just once for each statement.
  db.function('behalf_step', { deterministic: false }, (row) => {
    look();
    return row === null ? 0 : 1;
  });
}

/** The statement looked at more rows than its limit. */
export class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
}

/** The work of one connection in this turn of the event loop, which SQLite blocks. */
export class Turn {
  private spent = 0;

  /** @param max the amount of work in one turn */
  constructor(private readonly max: number) {}

  get isSpent(): boolean {
    return this.spent >= this.max;
  }

  add(work: number): void {
    if (this.spent === 0) {
      setImmediate(() => {
        this.spent = 0;
      });
    }
    this.spent += work + 1;
  }
}

/** The row limit of a kind of statement, with the counters of its connection and its turn. */
export interface StepLimit {
  readonly steps: Steps;
  readonly max: number;
  readonly turn?: Turn;
}

/** Counts the rows that the statements of one connection look at. */
export class Steps {
  private left = 0;

  constructor(db: TakesFunctions) {
    onStep(db, () => {
      this.left -= 1;
      if (this.left < 0) throw new TooManySteps('The statement looks at too many rows.');
    });
  }

  /** Runs one statement. `sizeOf` gives the number of rows in its result. Throws `TooManySteps`. */
  run<T>({ max, turn }: Omit<StepLimit, 'steps'>, statement: () => T, sizeOf: (result: T) => number): T {
    this.left = max;
    let size = 0;
    try {
      const result = statement();
      size = sizeOf(result);
      return result;
    } finally {
      turn?.add(Math.max(size, max - this.left));
    }
  }
}

/**
 * A condition for SQLite that holds for every row and counts the rows that a statement looks at. SQLite answers in the
 * calling thread, and nothing else can end a statement from inside. Of a join it counts the rows of the table `t`.
 */
export const step = 'behalf_step(t.rowid)';

/** What of better-sqlite3 takes functions. */
interface TakesFunctions {
  function(name: string, options: { deterministic: boolean }, call: (row: unknown) => number): unknown;
}

/** Has `look` called for each row that a statement with `step` looks at; where it throws, the statement ends. */
export function onStep(db: TakesFunctions, look: () => void): void {
  // A function that could be computed beforehand would be called once for each statement.
  db.function('behalf_step', { deterministic: false }, (row) => {
    look();
    return row === null ? 0 : 1;
  });
}

/** The statement looked at more rows than it may. */
export class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
}

/** How much one connection has been asked for in this turn of the event loop, which stands still meanwhile. */
export class Turn {
  private spent = 0;

  /** @param max so much is one turn's share */
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

/** How many rows each statement of some kind may look at, and who is told of how many it did. */
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

  /** Runs one statement; `sizeOf` tells how many rows it gave. Throws `TooManySteps`. */
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

import { padded, type Sql } from './condition.js';
import type { Statements } from './statements.js';

type Raw = Record<string, unknown>;

/** A statement that looks rows up by one column, without the values to look for. */
export class Lookup {
  /** Alike for what asks alike. */
  readonly key: string;

  constructor(
    /** Up to and with the column, such as `SELECT … FROM … t WHERE t.\`id\``. */
    readonly before: string,
    /** What else must hold, the boundary included. */
    readonly condition: Sql,
  ) {
    this.key = `${before} ${condition.text} ${JSON.stringify(condition.params)}`;
  }
}

interface Batch {
  readonly lookup: Lookup;
  readonly values: Set<string>;
  readonly rows: Promise<Raw[]>;
}

const valuesMax = 1_000;

/**
 * Look-ups that ask alike, parameter by parameter, share one statement when they come in the same turn of the
 * event loop, whichever operations they belong to. The boundary is part of what must be alike, so that nobody
 * gets a row that a statement of their own would not have given. Outside transactions only.
 */
export class SharedReads {
  private readonly waiting = new Map<string, Batch>();

  constructor(private readonly statements: Statements) {}

  /** All rows of the statement that served these values; the caller picks its own. At most 1,000 values. */
  rows(lookup: Lookup, values: readonly string[]): Promise<Raw[]> {
    const { key } = lookup;
    const known = this.waiting.get(key);
    const batch =
      known !== undefined && known.values.size + values.length <= valuesMax ? known : this.open(key, lookup);
    for (const value of values) batch.values.add(value);
    return batch.rows;
  }

  private open(key: string, lookup: Lookup): Batch {
    const values = new Set<string>();
    const rows = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (this.waiting.get(key) === batch) this.waiting.delete(key);
      return this.send(lookup, [...values]);
    });
    const batch: Batch = { lookup, values, rows };
    this.waiting.set(key, batch);
    return batch;
  }

  private async send({ before, condition }: Lookup, values: readonly string[]): Promise<Raw[]> {
    const all = padded(values);
    const sql = `${before} IN (${all.map(() => '?').join(', ')}) AND (${condition.text})`;
    return (await this.statements.run(sql, [...all, ...condition.params], true)).rows;
  }
}

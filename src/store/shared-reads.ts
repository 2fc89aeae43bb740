import { asText, columnName, padded, quote, type Sql } from './condition.js';
import type { Shape } from './shape.js';
import type { Statements } from './statements.js';
import type { AnyTable } from './table.js';

/** A statement that looks rows up by one column that is unique, without the values to look for. */
export class Lookup {
  /** Alike for what asks alike. */
  readonly key: string;
  private readonly before: string;

  constructor(
    table: AnyTable,
    private readonly column: string,
    private readonly shape: Shape,
    /** What else must hold, the boundary included. */
    private readonly condition: Sql,
  ) {
    this.before = `SELECT ${shape.select} FROM ${quote(table.name)} t WHERE t.${columnName(column)}`;
    this.key = JSON.stringify([shape.key, column, condition.text, condition.params]);
  }

  sql(values: readonly string[]): Sql {
    const all = padded(values);
    const text = `${this.before} IN (${all.map(() => '?').join(', ')}) AND (${this.condition.text})`;
    return { text, params: [...all, ...this.condition.params] };
  }

  /** Rows as the driver gave them, by their values of the column. */
  decode(raw: readonly Record<string, unknown>[]): Found {
    return new Map(raw.map((row) => [asText(row[this.column]), this.shape.decode(row)]));
  }
}

/** Rows by what was looked for. Several operations may hold the same ones: nobody changes them. */
export type Found = ReadonlyMap<string, object>;

interface Batch {
  readonly values: Set<string>;
  readonly found: Promise<Found>;
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
  rows(lookup: Lookup, values: readonly string[]): Promise<Found> {
    const { key } = lookup;
    const known = this.waiting.get(key);
    const batch =
      known !== undefined && known.values.size + values.length <= valuesMax ? known : this.open(key, lookup);
    for (const value of values) batch.values.add(value);
    return batch.found;
  }

  private open(key: string, lookup: Lookup): Batch {
    const values = new Set<string>();
    const found = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (this.waiting.get(key) === batch) this.waiting.delete(key);
      return this.send(lookup, [...values]);
    });
    const batch: Batch = { values, found };
    this.waiting.set(key, batch);
    return batch;
  }

  private async send(lookup: Lookup, values: readonly string[]): Promise<Found> {
    const { text, params } = lookup.sql(values);
    return lookup.decode((await this.statements.run(text, params, true)).rows);
  }
}

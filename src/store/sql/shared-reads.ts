import { setImmediate as nextTurn } from 'node:timers/promises';
import { padded, type Sql } from './condition.js';
import type { Statements } from '../drivers/statements.js';

/** A statement that looks for something by values, without the values. */
export interface SharedRead<T> {
  /** Alike for what asks alike, its kind and its boundary included. */
  readonly key: string;
  /** Up to so many values are looked for in one statement, unless one operation asks for more. */
  readonly valuesMax: number;
  sql(values: readonly string[]): Sql;
  /** What the driver gave, by the values. Several operations may hold the same of it: nobody changes it. */
  decode(raw: Record<string, unknown>[]): Found<T>;
}

export type Found<T> = ReadonlyMap<string, T>;

interface Batch {
  readonly values: Set<string>;
  readonly found: Promise<Found<unknown>>;
  /** When the last of those ends who wait for it, in milliseconds since 1970. */
  untilMs: number;
}

/**
 * Reads that ask alike, parameter by parameter, share one statement when they come in the same turn of the
 * event loop, whichever operations they belong to. The boundary is part of what must be alike, so that nobody
 * gets a row that a statement of their own would not have given. Outside transactions only.
 */
export class SharedReads {
  /** Of this turn, by key. The next turn has a map of its own: what a map drops, its former tables may still hold. */
  private waiting = new Map<string, Batch>();
  private turn: Promise<void> | undefined;

  constructor(private readonly statements: Statements) {}

  /** What the statement found that served these values; the caller picks its own. */
  find<T>(read: SharedRead<T>, values: readonly string[], untilMs: number): Promise<Found<T>> {
    const { key, valuesMax } = read;
    const known = this.waiting.get(key);
    const batch =
      known !== undefined && known.values.size + values.length <= valuesMax ? known : this.open(read);
    for (const value of values) batch.values.add(value);
    batch.untilMs = Math.max(batch.untilMs, untilMs);
    return batch.found as Promise<Found<T>>;
  }

  private open(read: SharedRead<unknown>): Batch {
    const { key } = read;
    const values = new Set<string>();
    this.turn ??= this.endTurn();
    const batch: Batch = { values, untilMs: 0, found: this.turn.then(() => this.send(read, batch)) };
    this.waiting.set(key, batch);
    return batch;
  }

  private async endTurn(): Promise<void> {
    await nextTurn();
    this.waiting = new Map();
    this.turn = undefined;
  }

  private async send(read: SharedRead<unknown>, { values, untilMs }: Batch): Promise<Found<unknown>> {
    const { text, params } = read.sql(padded([...values]));
    return read.decode((await this.statements.run(text, params, true, untilMs)).rows);
  }
}

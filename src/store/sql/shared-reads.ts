import { setImmediate as nextTurn } from 'node:timers/promises';
import { padded, type Sql } from './condition.js';
import type { Statements } from '../drivers/statements.js';

/** A statement that looks up values, without the values themselves. */
export interface SharedRead<T> {
  /** Equal for reads that can share a statement; includes the kind of read and its boundary. */
  readonly key: string;
  /** The maximum number of values in one statement, unless one operation needs more. */
  readonly valuesMax: number;
  sql(values: readonly string[]): Sql;
  /** Decodes the driver's rows, keyed by value. Operations share the results, so nobody may change them. */
  decode(raw: Record<string, unknown>[]): Found<T>;
}

export type Found<T> = ReadonlyMap<string, T>;

interface Batch {
  readonly values: Set<string>;
  readonly found: Promise<Found<unknown>>;
  /** The latest end of the operations that wait for it, in milliseconds since 1970. */
  untilMs: number;
}

/**
 * Equal reads of the same turn of the event loop share one statement, whichever operations they belong to.
 * They must be equal in every parameter, the boundary included, so that no operation gets a row that its own
 * statement would not return. Outside of transactions only.
 */
export class SharedReads {
  /**
   * The batches of this turn, by key. Each turn has a new map, because a reused map could keep old entries in
   * memory.
   */
  private waiting = new Map<string, Batch>();
  private turn: Promise<void> | undefined;

  constructor(private readonly statements: Statements) {}

  /** The results of the shared statement. It may hold more values; the caller picks its own. */
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

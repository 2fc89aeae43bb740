import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConcurrencyGate } from '../drivers/concurrency-gate.js';
import type { Connection } from '../sql/connection.js';
import type { Found, SharedRead, SharedReads } from '../sql/shared-reads.js';
import type { AnyTable } from '../tables/table.js';
import type { RowAccessObserver } from './row-access-observer.js';
import type { TableChanges } from './table-changes.js';

/**
 * How many statements of one operation may run at once. On SQLite, so many are answered in one turn of the
 * event loop.
 */
const statementsMax = 4;

/** Sends the statements of one operation: a few at once, each within the time that the operation has left. */
export class OperationStatements {
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly light = new ConcurrencyGate(statementsMax);
  /** Runs CPU-heavy statements, and their decoding, one at a time. */
  private readonly heavy = new ConcurrencyGate(1);

  constructor(
    private readonly connection: Connection,
    private readonly observer: RowAccessObserver,
    private readonly changes: TableChanges,
  ) {}

  /** Resolves when no read is under way and no waiting read has started. */
  async settled(): Promise<void> {
    do {
      await Promise.allSettled(this.underWay);
      await nextTurn();
    } while (this.underWay.size > 0);
  }

  /** A view of SQLite may look at any number of rows before its first one, so it is read beside the event loop. */
  private isApart({ isView }: AnyTable): boolean {
    return isView === true && this.connection.dialect === 'sqlite';
  }

  /** Reads that operations share. Undefined for a table whose statements run apart. */
  sharedFor(table: AnyTable): SharedReads | undefined {
    return this.isApart(table) ? undefined : this.connection.shared;
  }

  /** The result of a statement over a table. */
  queryOf(table: AnyTable, sql: string, params: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return this.isApart(table) ? this.aggregate(sql, params) : this.query(sql, params);
  }

  /** A CPU-heavy statement, which runs beside the event loop where the database allows it. */
  aggregate(sql: string, params: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return this.tracked(
      this.heavy.enter(() => this.connection.aggregate(sql, params, this.observer.asking())),
    );
  }

  /** A CPU-heavy statement whose text is used often. */
  heavyQuery(sql: string, params: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return this.query(sql, params, true, this.heavy);
  }

  /** @param again true for a text that is used often with different parameters */
  query(
    sql: string,
    params: readonly unknown[],
    again = false,
    gate = this.light,
  ): Promise<Record<string, unknown>[]> {
    const send = (): Promise<Record<string, unknown>[]> =>
      this.connection.query(sql, params, again, this.untilMs());
    return this.tracked(gate.enter(send));
  }

  /** One statement for equal reads of the same moment. */
  shared<T>(shared: SharedReads, read: SharedRead<T>, values: readonly string[]): Promise<Found<T>> {
    return this.tracked(this.light.enter(() => shared.find(read, values, this.untilMs())));
  }

  /**
   * Called when the statement is about to be sent, because it may have waited for others of its operation.
   */
  private untilMs(): number {
    return Date.now() + this.observer.asking();
  }

  private async tracked<T>(read: Promise<T>): Promise<T> {
    this.underWay.add(read);
    try {
      return await read;
    } catch (error) {
      throw this.asUnavailable(error);
    } finally {
      this.underWay.delete(read);
    }
  }

  /** The error for callers, where a statement failed because a table of others is not as expected. */
  asUnavailable(error: unknown): unknown {
    return this.changes.asUnavailable(error);
  }
}

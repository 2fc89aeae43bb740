import { setImmediate as nextTurn } from 'node:timers/promises';
import { BehalfError } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import { isStatementFault, type Database } from '../store/sql/database.js';

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export const auditUnavailable = (cause: unknown): BehalfError =>
  new BehalfError(
    'AUDIT_UNAVAILABLE',
    'The record of this operation could not be written, so nothing is released. Try again.',
    { retryAfterSeconds: 1 },
    { cause },
  );

/**
 * Commits items that wait at the same moment in one transaction. While one transaction is under way, the next
 * batch collects. There is no timer. A full queue or a failed commit rejects the waiting items with
 * `AUDIT_UNAVAILABLE`.
 */
export class GroupCommit<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private busy = false;

  constructor(
    private readonly database: Database,
    private readonly flush: (tx: Connection, items: readonly Item[]) => Promise<Result[]>,
    private readonly queueMax = 5_000,
    private readonly batchMax = 1_000,
    private readonly onCommit: (seconds: number, records: number) => void = () => undefined,
  ) {}

  /** The number of waiting items. */
  get size(): number {
    return this.waiting.length;
  }

  get isFull(): boolean {
    return this.waiting.length >= this.queueMax;
  }

  submit(item: Item): Promise<Result> {
    if (this.isFull) return Promise.reject(auditUnavailable('the queue is full'));
    return new Promise<Result>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.busy) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.busy = true;
    // Items that come in this turn of the event loop join the batch.
    await nextTurn();
    while (this.waiting.length > 0) await this.commit(this.waiting.splice(0, this.batchMax));
    this.busy = false;
  }

  private async commit(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const items = batch.map((entry) => entry.item);
      const began = performance.now();
      const results = await this.database.recording((tx) => this.flush(tx, items));
      this.onCommit((performance.now() - began) / 1000, batch.length);
      batch.forEach((entry, index) => {
        entry.resolve(results[index] as Result);
      });
    } catch (error) {
      if (batch.length > 1 && isStatementFault(error)) {
        // An item that cannot be written must not fail the others, so each is tried alone.
        for (const entry of batch) await this.commit([entry]);
        return;
      }
      const refusal = auditUnavailable(error);
      for (const entry of batch) entry.reject(refusal);
    }
  }
}

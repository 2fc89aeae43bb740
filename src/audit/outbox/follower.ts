import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../../core/logger.js';
import { all, compare, eq, isIn } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import {
  auditCursors,
  auditOutbox,
  auditSequence,
  auditSetAside,
  type SequencedRecord,
} from '../../store/tables/audit.js';
import type { RowOf } from '../../store/tables/table.js';
import type { Consumer } from './consumer.js';
import { sequencerName } from './sequencer.js';

/** The target duration of one transaction. On SQLite it holds up everybody. */
const batchMs = { mysql: 20, sqlite: 2 } as const;
/** The smallest batch: each transaction has a fixed cost, on MySQL five round trips. */
const batchMin = { mysql: 64, sqlite: 8 } as const;
const batchMax = 512;
/** After so many failures in a row, each of a single record, the cause is not the records. */
const faultyInRowMax = 64;

interface Faulty extends SequencedRecord {
  readonly error: Error;
}

/** Leads one consumer along the sequence. Replicas take turns, by the lock of the consumer's cursor. */
export class Follower {
  private size: number;
  private waitingCount = 0;
  private hasTriedAgain = false;

  constructor(
    private readonly database: Pick<Database, 'read' | 'transaction'>,
    private readonly consumer: Consumer,
    private readonly logger: Pick<Logger, 'error'>,
  ) {
    this.size = batchMin[database.read.dialect];
  }

  /** The number of records that the consumer had not handled at the last look. */
  get waiting(): number {
    return this.waitingCount;
  }

  /**
   * Follows the sequence to its end, in bounded transactions, until the signal aborts. A record that cannot be
   * handled is set aside if others can be. If none can be, the cause is not the records, and the error is thrown.
   */
  async run(signal?: AbortSignal): Promise<void> {
    this.waitingCount = await this.countWaiting();
    if (this.waitingCount === 0) return;
    if (!this.hasTriedAgain) await this.tryAgain(signal);
    let [faulty, handled]: [Faulty[], number] = [[], 0];
    while (signal?.aborted !== true) {
      const began = performance.now();
      const step = await this.step(this.size, faulty);
      this.resize(performance.now() - began);
      if (step === 'end') break;
      if (typeof step === 'number') {
        this.tell(faulty);
        [faulty, handled] = [[], handled + step];
        this.waitingCount = Math.max(0, this.waitingCount - step);
      } else {
        faulty.push(step);
        if (faulty.length >= faultyInRowMax) throw step.error;
      }
      // Lets other work of the event loop run first.
      await nextTurn();
    }
    const [first] = faulty;
    if (first === undefined || signal?.aborted === true) return;
    if (handled === 0) throw first.error;
    const isPassed = await this.database.transaction(async (tx) => {
      const cursor = await this.claim(tx);
      return cursor !== undefined && (await this.pass(tx, cursor, faulty));
    });
    if (isPassed) this.tell(faulty);
  }

  /**
   * One transaction. Returns how many records were handled, or the record that is faulty. The end is also where another
   * replica leads this consumer.
   * @param faulty found since the cursor moved last; they are passed with the next record that can be handled
   */
  private async step(size: number, faulty: readonly Faulty[]): Promise<number | Faulty | 'end'> {
    try {
      return await this.database.transaction(async (tx) => {
        const cursor = await this.claim(tx);
        if (cursor === undefined) return 'end';
        const after = Math.max(cursor, faulty.at(-1)?.position ?? 0);
        const records = await tx.select(auditSequence, compare('position', '>', after), {
          order: [{ column: 'position', direction: 'asc' }],
          limit: size,
        });
        if (records.length === 0) return 'end';
        const count = await this.handle(tx, records);
        await this.pass(tx, cursor, faulty);
        await this.move(tx, records[count - 1]);
        return count;
      });
    } catch (error) {
      if (!(error instanceof FaultyBatch)) throw error;
      const [first, second] = error.records;
      // A faulty record must not hold up the others, so it is found by batches of one.
      return first === undefined || second !== undefined
        ? this.step(1, faulty)
        : { ...first, error: error.cause };
    }
  }

  /** Locks the cursor and returns its position. Undefined where another replica has it. */
  private async claim(tx: Connection): Promise<number | undefined> {
    return (await tx.one(auditCursors, eq('consumer', this.consumer.name), { lock: 'claim' }))?.position;
  }

  /** Throws `FaultyBatch` where the fault is in the records and not in the outbox's own tables. */
  private async handle(tx: Connection, records: readonly SequencedRecord[]): Promise<number> {
    try {
      return await this.consumer.handle(
        tx,
        records.map(({ recordId }) => recordId),
      );
    } catch (error) {
      throw this.consumer.isFaulty(error) ? new FaultyBatch(records, error) : error;
    }
  }

  /** Sets records aside and moves the cursor past them, but for those that another replica has passed. */
  private async pass(tx: Connection, cursor: number, faulty: readonly Faulty[]): Promise<boolean> {
    const ahead = faulty.filter(({ position }) => position > cursor);
    await tx.insert(
      auditSetAside,
      ahead.map(({ recordId }) => ({ consumer: this.consumer.name, recordId })),
    );
    await this.move(tx, ahead.at(-1));
    return ahead.length > 0;
  }

  /** Moves the cursor, and deletes what no consumer needs any more. */
  private async move(tx: Connection, last: SequencedRecord | undefined): Promise<void> {
    if (last === undefined) return;
    const { position } = last;
    await tx.update(auditCursors, eq('consumer', this.consumer.name), { position });
    const cursors = await tx.select(auditCursors, all());
    const least = Math.min(...cursors.map((cursor) => cursor.position));
    await tx.delete(auditSequence, compare('position', '<=', least));
  }

  /** Handles what an earlier process set aside: the fault may have been mended. */
  private async tryAgain(signal: AbortSignal | undefined): Promise<void> {
    const mine = eq<RowOf<typeof auditSetAside>>('consumer', this.consumer.name);
    for (const { recordId } of await this.database.read.select(auditSetAside, mine)) {
      if (signal?.aborted === true) return;
      try {
        await this.database.transaction(async (tx) => {
          const row = all(mine, eq('recordId', recordId));
          if ((await tx.one(auditSetAside, row, { lock: 'claim' })) === undefined) return;
          await this.consumer.handle(tx, [recordId]);
          await tx.delete(auditSetAside, row);
        });
        this.waitingCount = Math.max(0, this.waitingCount - 1);
      } catch (error) {
        if (!this.consumer.isFaulty(error)) throw error;
      }
      await nextTurn();
    }
    this.hasTriedAgain = true;
  }

  private tell(faulty: readonly Faulty[]): void {
    for (const { error, recordId } of faulty) {
      const { name } = this.consumer;
      this.logger.error(
        { err: error, operationId: recordId, consumer: name },
        'an audit record is set aside',
      );
    }
  }

  private async countWaiting(): Promise<number> {
    const { read } = this.database;
    const { name } = this.consumer;
    const [unplaced, aside, cursors] = await Promise.all([
      read.count(auditOutbox),
      read.count(auditSetAside, eq('consumer', name)),
      read.select(auditCursors, isIn('consumer', [name, sequencerName])),
    ]);
    // Without its cursor a consumer would look like one that another replica leads, and fall behind unseen.
    if (cursors.length < 2) throw new Error(`The consumer ${name} has no cursor: its migration did not run.`);
    const positionOf = (consumer: string): number =>
      cursors.find((cursor) => cursor.consumer === consumer)?.position ?? 0;
    return unplaced + positionOf(sequencerName) - positionOf(name) + aside;
  }

  private resize(tookMs: number): void {
    const { dialect } = this.database.read;
    const fitting = (this.size * batchMs[dialect]) / Math.max(0.1, tookMs);
    this.size = Math.max(batchMin[dialect], Math.min(Math.floor(fitting), 2 * this.size, batchMax));
  }
}

/** The consumer cannot handle one of these records. */
class FaultyBatch extends Error {
  override readonly name = 'FaultyBatch';

  constructor(
    readonly records: readonly SequencedRecord[],
    override readonly cause: Error,
  ) {
    super('A record is faulty.', { cause });
  }
}

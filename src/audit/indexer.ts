import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../core/logger.js';
import { all, compare, isIn, not } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { isLockConflict, isStatementFault, type Database } from '../store/sql/database.js';
import { auditRecords, auditUnindexed } from '../store/tables/audit.js';
import { indexRecords, unqueue, UnreadableRecord } from './record-index.js';

/** The target duration of one transaction. On SQLite it holds up everybody. */
const batchMs = { mysql: 20, sqlite: 2 } as const;
/** The smallest batch: each transaction has a fixed cost, on MySQL five round trips. */
const batchMin = { mysql: 64, sqlite: 8 } as const;
const batchMax = 512;
/** After so many failures in a row, each of a single record, the cause is not the records. */
const faultyInRowMax = 64;
/** The maximum number of records set aside. */
const asideMax = 1_000;
/**
 * The maximum number of rows that the records of one transaction name together. A single record may name
 * more.
 */
const rowsMax = { mysql: 20_000, sqlite: 2_000 } as const;

interface Batch {
  readonly claimed: readonly string[];
  /**
   * Set where the batch has a single record that cannot be indexed. Undefined where all records are indexed.
   */
  readonly error?: Error;
}

/**
 * Indexes records after they were written, in large batches; that is many times cheaper than one record at a
 * time. Only the records' bodies need to be durable: a run that is interrupted, repeated or concurrent with
 * another replica's leaves the same index.
 */
export class Indexer {
  /**
   * Records that cannot be indexed. They stay in the queue, where searches find them, until the next start.
   */
  private readonly aside = new Set<string>();
  private left = 0;
  private size: number;

  constructor(
    private readonly database: Pick<Database, 'read' | 'transaction'>,
    private readonly logger: Pick<Logger, 'error'>,
  ) {
    this.size = batchMin[database.read.dialect];
  }

  /** The number of records that waited at the last look. */
  get waiting(): number {
    return this.left;
  }

  /**
   * Goes through the queue once, in bounded transactions, until the signal aborts. A record that cannot be
   * indexed is set aside if others can be. If none can be, the cause is not the records, and the error is
   * thrown.
   */
  async run(signal?: AbortSignal): Promise<void> {
    this.left = await this.database.read.count(auditUnindexed);
    const faulty = new Map<string, Error>();
    let [after, indexed, inRow] = ['', 0, 0];
    for (let left = this.left; left > 0 && signal?.aborted !== true;) {
      const began = performance.now();
      const { claimed, error } = await this.batch(after, this.size);
      this.resize(performance.now() - began);
      const last = claimed.at(-1);
      if (last === undefined) break;
      after = last;
      left -= claimed.length;
      if (error === undefined) {
        [indexed, inRow] = [indexed + claimed.length, 0];
        this.left = Math.max(0, this.left - claimed.length);
      } else {
        inRow += 1;
        faulty.set(last, error);
        if (inRow >= faultyInRowMax) throw error;
      }
      // Lets other work of the event loop run first.
      await nextTurn();
    }
    this.setAside(faulty, indexed);
  }

  private setAside(faulty: ReadonlyMap<string, Error>, indexed: number): void {
    for (const [operationId, error] of faulty) {
      if (indexed === 0 || this.aside.size >= asideMax) throw error;
      this.logger.error({ err: error, operationId }, 'an audit record cannot be indexed');
      this.aside.add(operationId);
    }
  }

  private resize(tookMs: number): void {
    const { dialect } = this.database.read;
    const fitting = (this.size * batchMs[dialect]) / Math.max(0.1, tookMs);
    this.size = Math.max(batchMin[dialect], Math.min(Math.floor(fitting), 2 * this.size, batchMax));
  }

  private async batch(after: string, size: number): Promise<Batch> {
    let claimed: readonly string[] = [];
    try {
      await this.database.transaction(async (tx) => {
        claimed = await claim(tx, after, size, this.aside);
        if (claimed.length === 0) return;
        await indexRecords(tx, claimed);
        await unqueue(tx, claimed);
      });
      return { claimed };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const [first, second] = claimed;
      // An unreadable record must not hold up the others, so it is found by batches of one.
      return first === undefined || second !== undefined ? this.batch(after, 1) : { claimed, error };
    }
  }
}

async function claim(
  tx: Connection,
  after: string,
  size: number,
  aside: ReadonlySet<string>,
): Promise<string[]> {
  const left = all(compare('recordId', '>', after), not(isIn('recordId', [...aside])));
  const claims = await tx.select(auditUnindexed, left, {
    order: [{ column: 'recordId', direction: 'asc' }],
    limit: size,
    lock: 'claim',
  });
  const ids = claims.map(({ recordId }) => recordId);
  const sizes = await tx.selectColumns(auditRecords, ['id', 'rowCount'], isIn('id', ids));
  const rowsOf = new Map(sizes.map(({ id, rowCount }) => [id, rowCount]));
  let rows = 0;
  const beyond = ids.findIndex((id, at) => {
    rows += rowsOf.get(id) ?? 0;
    return at > 0 && rows > rowsMax[tx.dialect];
  });
  return beyond < 0 ? ids : ids.slice(0, beyond);
}

/**
 * The database answered, but refused the contents of the record: it is not JSON, or too long for the index.
 */
const isUnreadable = (error: unknown): error is Error =>
  error instanceof UnreadableRecord || (isStatementFault(error) && !isLockConflict(error));

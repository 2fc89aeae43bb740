import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../core/logger.js';
import { all, compare, isIn, not } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { isLockConflict, isStatementFault, type Database } from '../store/sql/database.js';
import { auditRecords, auditUnindexed } from '../store/tables/audit.js';
import { indexRecords, unqueue, UnreadableRecord } from './record-index.js';

/** How long one transaction should take. On SQLite everybody waits for it. */
const batchMs = { mysql: 20, sqlite: 2 } as const;
/** Each transaction costs something, however small it is, and on MySQL five journeys. */
const batchMin = { mysql: 64, sqlite: 8 } as const;
const batchMax = 512;
/** When so many records in a row cannot be indexed, one by one, it is not for what they say. */
const faultyInRowMax = 64;
/** Set aside are at most so many. */
const asideMax = 1_000;
/** How many rows the records of one transaction name together, unless a single one names more. */
const rowsMax = { mysql: 20_000, sqlite: 2_000 } as const;

interface Batch {
  readonly claimed: readonly string[];
  /** Undefined where these are indexed; else there is one, and it cannot be. */
  readonly error?: Error;
}

/**
 * Makes what finds records, after they were written: in large parts, which is many times cheaper than with each. Their
 * bodies are what is durable: a run that is cut off, comes twice or meets that of another replica leaves the same
 * index.
 */
export class Indexer {
  /** Records that cannot be indexed stay in the queue, where searches find them, until the next start. */
  private readonly aside = new Set<string>();
  private left = 0;
  private size: number;

  constructor(
    private readonly database: Pick<Database, 'read' | 'transaction'>,
    private readonly logger: Pick<Logger, 'error'>,
  ) {
    this.size = batchMin[database.read.dialect];
  }

  /** How many records waited at the last look. */
  get waiting(): number {
    return this.left;
  }

  /**
   * Once through the queue, in bounded transactions. What cannot be indexed is set aside where others can be; where none
   * can it is not for what they say, and the error is thrown.
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
      // Whoever waits for the event loop goes first.
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
      // One that cannot be read must not hold up the others.
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

/** The database could be asked, and refused what the record says: it is no JSON, or the index has no place for it. */
const isUnreadable = (error: unknown): error is Error =>
  error instanceof UnreadableRecord || (isStatementFault(error) && !isLockConflict(error));

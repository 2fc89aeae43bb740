import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../core/logger.js';
import { compare } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import { isStatementFault, type Database } from '../store/database.js';
import { auditUnindexed } from '../store/tables/audit.js';
import { indexRecords, unqueue, UnreadableRecord } from './record-index.js';

/** How long one transaction should take. On SQLite everybody waits for it. */
const batchMs = { mysql: 20, sqlite: 2 } as const;
/** Each transaction costs something, however small it is, and on MySQL five journeys. */
const batchMin = { mysql: 64, sqlite: 8 } as const;
const batchMax = 512;

interface Batch {
  readonly claimed: readonly string[];
  readonly indexed: number;
}

/**
 * Makes what finds records, after they were written: in large parts, which is many times cheaper than with each. Their
 * bodies are what is durable: a run that is cut off, comes twice or meets that of another replica leaves the same
 * index.
 */
export class Indexer {
  /** Records that cannot be indexed stay in the queue, and are told once. */
  private readonly told = new Set<string>();
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

  /** Once through the queue, in bounded transactions. */
  async run(signal?: AbortSignal): Promise<void> {
    this.left = await this.database.read.count(auditUnindexed);
    let after = '';
    while (this.left > 0 && signal?.aborted !== true) {
      const began = performance.now();
      const { claimed, indexed } = await this.batch(after, this.size);
      this.resize(performance.now() - began);
      this.left = Math.max(0, this.left - indexed);
      const last = claimed.at(-1);
      if (last === undefined) return;
      after = last;
      // Whoever waits for the event loop goes first.
      await nextTurn();
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
        claimed = await claim(tx, after, size);
        if (claimed.length === 0) return;
        await indexRecords(tx, claimed);
        await unqueue(tx, claimed);
      });
      return { claimed, indexed: claimed.length };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const [first, second] = claimed;
      // One that cannot be read must not hold up the others.
      if (first === undefined || second !== undefined) return this.batch(after, 1);
      if (!this.told.has(first)) {
        this.logger.error({ err: error, operationId: first }, 'an audit record cannot be indexed');
      }
      this.told.add(first);
      return { claimed, indexed: 0 };
    }
  }
}

async function claim(tx: Connection, after: string, size: number): Promise<string[]> {
  const claims = await tx.select(auditUnindexed, compare('recordId', '>', after), {
    order: [{ column: 'recordId', direction: 'asc' }],
    limit: size,
    lock: 'claim',
  });
  return claims.map(({ recordId }) => recordId);
}

/** The database could be asked, and refused what the record says: it is no JSON, or the index has no place for it. */
const isUnreadable = (error: unknown): boolean =>
  error instanceof UnreadableRecord || isStatementFault(error);

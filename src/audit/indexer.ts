import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../core/logger.js';
import { compare, isIn } from '../store/condition.js';
import { columnKeys, type Connection } from '../store/connection.js';
import type { Database } from '../store/database.js';
import type { RowOf } from '../store/table.js';
import { auditRecords, auditResources, auditUnindexed } from '../store/tables/audit.js';
import type { AuditBody } from './record.js';
import { rowsOfRecord } from './resource-index.js';

type ResourceRow = RowOf<typeof auditResources>;

/** Records of one transaction: some two thousand rows, so that on SQLite nobody waits long. */
const batchMax = 10;

/**
 * Makes the index of touched rows for records that left it for later. Their bodies are what is durable: a run that
 * is cut off, comes twice or meets that of another replica leaves the same index.
 */
export class Indexer {
  /** Records that cannot be indexed stay in the queue, and are told once. */
  private readonly told = new Set<string>();
  private left = 0;

  constructor(
    private readonly database: Pick<Database, 'read' | 'transaction'>,
    private readonly logger: Pick<Logger, 'error'>,
  ) {}

  /** How many records waited at the last look. */
  get waiting(): number {
    return this.left;
  }

  /** Once through the queue, in bounded transactions. */
  async run(signal?: AbortSignal): Promise<void> {
    this.left = await this.database.read.count(auditUnindexed);
    let after = '';
    while (this.left > 0 && signal?.aborted !== true) {
      const { claimed, indexed } = await this.database.transaction((tx) => this.batch(tx, after));
      this.left = Math.max(0, this.left - indexed);
      const last = claimed.at(-1);
      if (last === undefined) return;
      after = last;
      // Whoever waits for the event loop goes first.
      await nextTurn();
    }
  }

  private async batch(tx: Connection, after: string): Promise<{ claimed: string[]; indexed: number }> {
    const claims = await tx.select(auditUnindexed, compare('recordId', '>', after), {
      order: [{ column: 'recordId', direction: 'asc' }],
      limit: batchMax,
      lock: 'claim',
    });
    const claimed = claims.map(({ recordId }) => recordId);
    if (claimed.length === 0) return { claimed, indexed: 0 };
    const records = await tx.selectColumns(auditRecords, ['id', 'body'], isIn('id', claimed));
    const unreadable = new Set<string>();
    const rows = records.flatMap(({ id, body }) => {
      const named = this.rowsIn(id, body);
      if (named === undefined) unreadable.add(id);
      return named ?? [];
    });
    // In the order of the key, so that two that insert never wait for each other in a circle.
    await tx.insertMissing(auditResources, rows.sort(byKey));
    const done = claimed.filter((id) => !unreadable.has(id));
    await tx.delete(auditUnindexed, isIn('recordId', done));
    return { claimed, indexed: done.length };
  }

  private rowsIn(id: string, body: string): ResourceRow[] | undefined {
    try {
      const rows = rowsOfRecord({ ...(JSON.parse(body) as AuditBody), operationId: id });
      if (!rows.every(fits)) throw new RangeError('It names what the index has no place for.');
      return rows;
    } catch (error) {
      if (!this.told.has(id)) {
        this.logger.error({ err: error, operationId: id }, 'an audit record cannot be indexed');
      }
      this.told.add(id);
      return undefined;
    }
  }
}

/** One row that the database refused would hold up all others of its transaction. */
const fits = (row: ResourceRow): boolean =>
  columnKeys(auditResources).every((key) => {
    const value: unknown = row[key];
    return typeof value === 'string' && value.length <= (auditResources.columns[key].length ?? 0);
  });

const keyOf = ({ type, resourceId, action, recordId }: ResourceRow): string =>
  [type, resourceId, action, recordId].join('\n');

function byKey(a: ResourceRow, b: ResourceRow): number {
  const [one, other] = [keyOf(a), keyOf(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

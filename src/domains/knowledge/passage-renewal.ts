import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Ids } from '../../core/ids.js';
import { all, compare, eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import { passageEdition, passagesOf } from './passages.js';
import { documents, passages, passageWords, type PassageRow } from './tables.js';
import { passageRows } from './document-writes.js';

const outdated = compare<PassageRow>('edition', '<', passageEdition);

/**
 * Rebuilds passages of older editions, one document per transaction. Until then, searches find them by their
 * old tokens. Passages that an older server writes in the meantime are found and rebuilt as well, so replicas
 * can be replaced one at a time.
 */
export class PassageRenewal {
  private left = 0;

  constructor(
    private readonly database: Pick<Database, 'read' | 'transaction'>,
    private readonly ids: Ids,
  ) {}

  /** The number of outdated passages at the last look, minus those rebuilt since. */
  get waiting(): number {
    return Math.max(0, this.left);
  }

  async run(signal?: AbortSignal): Promise<void> {
    this.left = await this.database.read.count(passages, outdated);
    while (this.left > 0 && signal?.aborted !== true) {
      const id = await this.next();
      if (id === undefined) return;
      this.left -= await this.database.transaction((tx) => this.renew(tx, id));
      await nextTurn();
    }
  }

  private async next(): Promise<string | undefined> {
    const order = [
      { column: 'edition', direction: 'asc' },
      { column: 'documentId', direction: 'asc' },
    ] as const;
    const [row] = await this.database.read.selectColumns(passages, ['documentId'], outdated, {
      order,
      limit: 1,
    });
    return row?.documentId;
  }

  /** Returns the number of outdated passages. 0 where another replica was faster. */
  private async renew(tx: Connection, id: string): Promise<number> {
    const document = await tx.one(documents, eq('id', id), { lock: 'update' });
    const count = await tx.count(passages, all(eq('documentId', id), outdated));
    if (count === 0) return 0;
    const rows = document === undefined ? [] : passageRows(document, await passagesOf(document), this.ids);
    await passageWords.replace(tx, 'documentId', id, rows);
    return count;
  }
}

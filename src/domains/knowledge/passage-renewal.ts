import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Ids } from '../../core/ids.js';
import { all, compare, eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { passageEdition, passagesOf } from './passages.js';
import { documents, passages, passageWords, type PassageRow } from './tables.js';
import { passageRows } from './document-writes.js';

const outdated = compare<PassageRow>('edition', '<', passageEdition);

/**
 * Rebuilds passages of older editions, one document after another. Until then, searches find them by their
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
      this.left -= await this.renew(id);
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

  /**
   * Makes the passages before the transaction, because a long document takes a second and SQLite has one
   * writer. Returns the number of rebuilt passages: 0 where another replica was faster, or the document has
   * changed meanwhile.
   */
  private async renew(id: string): Promise<number> {
    const document = await this.database.read.byId(documents, id);
    const texts = document === undefined ? [] : await passagesOf(document);
    return this.database.transaction(async (tx) => {
      const now = await tx.one(documents, eq('id', id), { lock: 'update' });
      if (now?.version !== document?.version) return 0;
      const count = await tx.count(passages, all(eq('documentId', id), outdated));
      if (count === 0) return 0;
      const rows = now === undefined ? [] : passageRows(now, texts, this.ids);
      await passageWords.replace(tx, 'documentId', id, rows);
      return count;
    });
  }
}

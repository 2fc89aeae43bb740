import type { Connection } from '../../store/sql/connection.js';

/**
 * Work that follows a record: once it is committed, in the order of positions, and never lost. The work and the
 * cursor are committed together, so inside the database each record is handled once.
 */
export interface Consumer {
  /** The name of its cursor and of what it set aside. A migration adds the cursor. */
  readonly name: string;
  /**
   * Handles as many of the leading records as one transaction should, at least one, and returns their number. A
   * record may be gone, or come a second time after it was set aside.
   */
  handle(tx: Connection, recordIds: readonly string[]): Promise<number>;
  /** Whether the error is a fault of the record, so that others can be handled. */
  isFaulty(error: unknown): error is Error;
}

import { unavailable, type BehalfError } from '../../core/errors.js';
import { isTableFault } from '../sql/table-fault.js';

/** The tables of others that are no longer as the server read them when it started. */
export class TableChanges {
  private changed: ReadonlyMap<string, string> = new Map();
  private look: (() => void) | undefined;

  /** What has changed, by table. It replaces what was known. */
  set(changed: ReadonlyMap<string, string>): void {
    this.changed = changed;
  }

  /** @param look looks at the tables soon, because a statement met one that is not as expected */
  watch(look: () => void): void {
    this.look = look;
  }

  /** Throws `UNAVAILABLE` where one of these tables has changed. */
  refuse(tables: ReadonlySet<string>): void {
    if (this.changed.size === 0) return;
    for (const table of tables) {
      const change = this.changed.get(table);
      if (change !== undefined) throw unavailable(new Error(`The table ${table} has changed: ${change}`));
    }
  }

  /** The error for callers, where a statement failed because a table is not as expected. */
  asUnavailable(error: unknown): unknown {
    if (this.look === undefined) return error;
    if (isUnavailable(error)) this.look();
    if (!isTableFault(error)) return error;
    this.look();
    return unavailable(error);
  }
}

const isUnavailable = (error: unknown): boolean => (error as Partial<BehalfError>).code === 'UNAVAILABLE';

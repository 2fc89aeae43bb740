import type { AnyTable } from '../tables/table.js';

/** The columns that an answer needs of each table's rows. */
export interface ColumnSelection {
  /** Undefined: all columns. */
  columns(table: Pick<AnyTable, 'type'>): ReadonlySet<string> | undefined;
  /** The number of fields in each object of the answer, nested levels included. */
  readonly fields: number;
}

/** Selects the named columns, for a resolver that itself reads a row. */
export const only = (...columns: readonly string[]): ColumnSelection => {
  const set = new Set(columns);
  return { columns: () => set, fields: set.size };
};

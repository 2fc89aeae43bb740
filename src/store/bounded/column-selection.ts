import type { AnyTable } from '../tables/table.js';

/** Which columns of a table's rows an answer needs. */
export interface ColumnSelection {
  /** Undefined: all of them. */
  columns(table: Pick<AnyTable, 'type'>): ReadonlySet<string> | undefined;
  /** How many fields each object of the answer has, those of all levels below together. */
  readonly fields: number;
}

/** Named columns, for a resolver that itself looks at a row. */
export const only = (...columns: readonly string[]): ColumnSelection => {
  const set = new Set(columns);
  return { columns: () => set, fields: set.size };
};

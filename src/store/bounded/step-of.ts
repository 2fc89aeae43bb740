import { step } from '../drivers/row-steps.js';
import { columnName } from '../sql/condition.js';
import type { AnyTable } from '../tables/table.js';

/** The condition that counts a table's rows in SQLite. A view, and a table without row numbers, have no `rowid`. */
export const stepOf = ({ key }: AnyTable): string =>
  key === undefined ? step : `behalf_step(t.${columnName(key.columns[0] ?? '')} IS NULL)`;

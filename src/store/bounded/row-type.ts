import type { Scope } from '../../authority/scope.js';
import type { AnyTable } from '../tables/table.js';

/** The SQL expression of one dimension's value, for an alias of the row's table. */
export type ValueSql = (alias: string) => string;

/** A type of rows with its table, from the SDL's `@rows` and the table's definition. */
export interface RowType {
  readonly type: string;
  readonly scope: Scope;
  readonly table: AnyTable;
  readonly dimensions: ReadonlyMap<string, ValueSql>;
}

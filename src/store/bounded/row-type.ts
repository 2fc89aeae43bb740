import type { Scope } from '../../authority/scope.js';
import type { AnyTable } from '../tables/table.js';

/** One dimension's value as an SQL expression over an alias of the row's table. */
export type ValueSql = (alias: string) => string;

/** A type of rows with its table, as the SDL's `@rows` and the table together say. */
export interface RowType {
  readonly type: string;
  readonly scope: Scope;
  readonly table: AnyTable;
  readonly dimensions: ReadonlyMap<string, ValueSql>;
}

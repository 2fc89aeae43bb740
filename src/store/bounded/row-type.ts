import type { Scope } from '../../authority/scope.js';
import type { Sql } from '../sql/condition.js';
import type { Column } from '../tables/column.js';
import type { AnyTable } from '../tables/table.js';

/** Where one dimension's value of a row is found. */
export interface ValueSql {
  /** The SQL expression of the value, for an alias of the row's table; of several, a list as JSON. */
  readonly of: (alias: string) => string;
  /** Set where a row has several values: it is inside where one of them is. */
  readonly among?: {
    /** Whether one of the values passes a test. */
    readonly exists: (alias: string, test: (expression: string) => Sql) => Sql;
    /** The aggregate that makes a list of the values. */
    readonly collected: (expression: string) => string;
  };
  /** The column in which it stands. */
  readonly column: Column<unknown>;
  /** The names of the tables over which the path to it goes. */
  readonly tables: readonly string[];
}

/** A type of rows with its table, from the SDL's `@rows` and the table's definition. */
export interface RowType {
  readonly type: string;
  readonly scope: Scope;
  readonly table: AnyTable;
  readonly dimensions: ReadonlyMap<string, ValueSql>;
  /** The names of the tables on which a row and its boundary rest. */
  readonly tables: ReadonlySet<string>;
}

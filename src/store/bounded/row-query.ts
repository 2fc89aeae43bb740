import type { Scope } from '../../authority/scope.js';
import type { Condition, Sql } from '../sql/condition.js';
import type { Order } from '../sql/connection.js';
import type { AnyTable } from '../tables/table.js';

export interface RowQuery<Row> {
  readonly where: Condition<Row>;
  /** Scopes beside the type's own. */
  readonly scopes?: readonly Scope[];
  readonly order?: readonly Order<Row>[];
  readonly limit?: number;
  readonly lock?: boolean;
  /** Undefined: all columns. */
  readonly columns?: ReadonlySet<string> | undefined;
  /** How many of the rows the caller will see. Undefined: all. */
  readonly shown?: number;
}

export interface AggregateQuery {
  /** The scope whose boundary applies to the table and to every joined one. */
  readonly scope: Scope;
  readonly scopes?: readonly Scope[];
  /** Maps result names to SQL expressions. The table's alias is `t`; a joined table's is its join's name. */
  readonly select: Readonly<Record<string, string>>;
  readonly joins?: readonly { readonly name: string; readonly table: AnyTable; readonly on: string }[];
  readonly where?: Sql;
  readonly groupBy: readonly string[];
  readonly limit: number;
}

import type { Digest } from '../audit/kept-value.js';
import type { Trail } from '../audit/trail.js';
import type { Authority } from '../authority/authority.js';
import type { TaskLimits } from '../authority/chain.js';
import type { Clock } from '../core/clock.js';
import type { Ids } from '../core/ids.js';
import type { Connection } from '../store/sql/connection.js';
import type { ColumnSelection } from '../store/bounded/column-selection.js';
import type { ScopeOf } from '../store/bounded/filter.js';
import type { Rows } from '../store/bounded/rows.js';
import type { AnyTable } from '../store/tables/table.js';

/** What a resolver is given: one operation of one chain. It is the GraphQL context. */
export interface Operation {
  readonly id: string;
  readonly authority: Authority;
  /** Rows inside the boundary; inside the operation's transaction for a mutation. */
  readonly rows: Rows;
  readonly trail: Trail;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly scopeOf: ScopeOf;
  /** Of values that a record does not show. */
  readonly digest: Digest;
  /**
   * Runs `work` once for a key: the same key and input give the first answer again (its rows as they stood,
   * provided that they were and are inside the boundary of now), other input is `CONFLICT`. Mutations only.
   */
  once<T extends object>(key: string, input: unknown, rows: AnswerRows, work: () => Promise<T>): Promise<T>;
  /** Work of a mutation that needs nothing of its transaction: done once for a key, at best before the transaction begins. */
  beforehand<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Says that so many fields more are resolved than could be priced before. Throws `QUERY_TOO_COMPLEX`. */
  resolving(fields: number): void;
  /** What the task may still spend; undefined where the person acts in person. */
  taskLimits(): Promise<TaskLimits | undefined>;
  /** The transaction of a mutation, for the services of delegation and admin; domains use `rows`. */
  readonly transaction: Connection | undefined;
}

/** Which properties of an answer hold a row, and of which table. */
export type AnswerRows = Readonly<Record<string, AnyTable>>;

/** One installed domain: its tables and its resolvers by type and field. */
export interface Domain {
  readonly name: string;
  readonly tables: readonly AnyTable[];
  readonly resolvers: Resolvers;
}

/**
 * Arguments have been validated and coerced against the caller's schema when a resolver runs. `asked` tells which
 * columns the answer needs of the rows that it gives: pass it on to `operation.rows`.
 */
export interface Resolver {
  (parent: never, args: never, operation: Operation, selection: ColumnSelection): unknown;
  /** The columns of its parent row that it looks at; all where it does not say. */
  readonly reads?: readonly string[];
  /**
   * Of a mutation: does beforehand what takes long, over a reading connection. A transaction holds up others for as long
   * as it lasts, on SQLite everybody. Where it fails, the mutation itself tells.
   */
  readonly before?: Before;
}
type Before = (args: never, operation: Operation) => Promise<unknown>;
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>;

/** A resolver of a mutation with what it does beforehand. */
export const preparing = (resolver: Resolver, before: Before): Resolver =>
  Object.assign(resolver.bind(undefined), { before });

/** A resolver that looks at no other columns of its parent row than these. */
export const reads = <Row>(
  columns: readonly (keyof Row & string)[],
  resolve: (row: Row, args: never, operation: Operation, selection: ColumnSelection) => unknown,
): Resolver => Object.assign(resolve.bind(undefined), { reads: columns });

import type { Digest } from '../audit/kept-value.js';
import type { Trail } from '../audit/trail.js';
import type { Authority } from '../authority/authority.js';
import type { TaskLimits } from '../authority/chain.js';
import type { Clock } from '../core/clock.js';
import type { Ids } from '../core/ids.js';
import type { Connection } from '../store/sql/connection.js';
import type { ColumnSelection } from '../store/bounded/column-selection.js';
import type { ScopeOf } from '../store/bounded/filter.js';
import type { WritableRows } from '../store/bounded/writable-rows.js';
import type { AnyTable } from '../store/tables/table.js';

/** The context of one operation of one chain. Every resolver gets it as the GraphQL context. */
export interface Operation {
  readonly id: string;
  readonly authority: Authority;
  /** Rows inside the boundary. For a mutation they are read inside its transaction. */
  readonly rows: WritableRows;
  readonly trail: Trail;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly scopeOf: ScopeOf;
  /** The origin under which callers reach the server. */
  readonly publicUrl: string;
  /** Whether other servers may be reached over plain http. */
  readonly allowHttp: boolean;
  /** Whether clients may have secrets. */
  readonly staticSecrets: boolean;
  /** Digests values that a record does not show. */
  readonly digest: Digest;
  /**
   * Runs `work` once for a key. The same key and input return the first answer, with its rows as they were
   * then. Throws `NOT_FOUND` for a row that was or is outside the caller's current boundary, and `CONFLICT`
   * for other input. Mutations only.
   */
  once<T extends object>(key: string, input: unknown, rows: AnswerRows, work: () => Promise<T>): Promise<T>;
  /**
   * Runs a mutation's work that does not need its transaction: once for a key, if possible before the
   * transaction begins.
   */
  beforehand<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Adds resolved fields that could not be priced in advance. Throws `QUERY_TOO_COMPLEX`. */
  resolving(fields: number): void;
  /** The budget that the task has left. Undefined where the person acts in person. */
  taskLimits(): Promise<TaskLimits | undefined>;
  /** The transaction of a mutation, for the services of delegation and admin. Domains use `rows`. */
  readonly transaction: Connection | undefined;
  /** Reads what is no row of the schema, for the services of delegation and admin. Domains use `rows`. */
  readonly connection: Connection;
}

/** The properties of an answer that hold a row, with the table of each. */
export type AnswerRows = Readonly<Record<string, AnyTable>>;

/** One installed domain: its tables, and its resolvers by type and field. */
export interface Domain {
  readonly name: string;
  readonly tables: readonly AnyTable[];
  readonly resolvers: Resolvers;
}

/**
 * Arguments have been validated and coerced against the caller's schema before a resolver runs. `selection`
 * gives the columns that the answer needs of the returned rows: pass it on to `operation.rows`.
 */
export interface Resolver {
  (parent: never, args: never, operation: Operation, selection: ColumnSelection): unknown;
  /** The columns of the parent row that the resolver reads. Undefined: all. */
  readonly reads?: readonly string[];
  /**
   * Of a mutation: runs slow work in advance, over a reading connection. A transaction holds up others while
   * it lasts; on SQLite it holds up everybody. An error here is ignored, because the mutation itself will
   * report it.
   */
  readonly before?: Before;
}
type Before = (args: never, operation: Operation) => Promise<unknown>;
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>;

/** Adds work in advance to a mutation's resolver. */
export const preparing = (resolver: Resolver, before: Before): Resolver =>
  Object.assign(resolver.bind(undefined), { before });

/** Declares the only columns of its parent row that a resolver reads. */
export const reads = <Row>(
  columns: readonly (keyof Row & string)[],
  resolve: (row: Row, args: never, operation: Operation, selection: ColumnSelection) => unknown,
): Resolver => Object.assign(resolve.bind(undefined), { reads: columns });

/**
 * What a company's own code uses: `import { defineDomain } from 'behalf/domain'`. A resolver gets rows inside the
 * caller's boundary and nothing else of the database.
 */
import { domainMark } from './domain-mark.js';

export { BehalfError, badInput, conflict, notFound } from '../../core/errors.js';
export type { ErrorCode, ErrorDetails } from '../../core/errors.js';

/**
 * A row. Its columns are properties with the column's own name after `$`, such as `row.$store_id`: integers are numbers,
 * decimals and large integers texts, times ISO 8601 in UTC. Describe it by an interface: `interface Film extends Row { readonly
 * $title: string }`.
 */
export interface Row {
  /** As callers see it: made of the row's key. */
  readonly id: string;
  readonly [column: `$${string}`]: unknown;
}

/** A condition over the columns of one table. Only the functions below make one. */
export interface Condition {
  readonly kind: 'compare' | 'in' | 'null' | 'prefix' | 'all' | 'any' | 'not';
}
const make = (parts: Condition & Readonly<Record<string, unknown>>): Condition => Object.freeze(parts);

type Value = string | number | boolean;

/** The column has the value, byte for byte. */
export const eq = (column: string, value: Value): Condition =>
  make({ kind: 'compare', column, op: '=', value });
/** The column has one of the values, byte for byte. */
export const isIn = (column: string, values: readonly Value[]): Condition =>
  make({ kind: 'in', column, values: [...values] });
/** The column has no value. */
export const isNull = (column: string): Condition => make({ kind: 'null', column });
/** The column is less than the value, and so on. */
export const compare = (column: string, op: '<' | '<=' | '>' | '>=', value: string | number): Condition =>
  make({ kind: 'compare', column, op, value });
/** The text begins with the value, byte for byte. */
export const startsWith = (column: string, value: string): Condition =>
  make({ kind: 'prefix', column, value });
/** All of the conditions hold; without any, every row. */
export const all = (...of: readonly Condition[]): Condition => make({ kind: 'all', of: [...of] });
/** One of the conditions holds; without any, no row. */
export const any = (...of: readonly Condition[]): Condition => make({ kind: 'any', of: [...of] });
/** The condition does not hold. */
export const not = (of: Condition): Condition => make({ kind: 'not', of });

/** A page of a Relay connection, which a field of a type such as `FilmConnection` can return as it is. */
export interface Page<R extends Row = Row> {
  readonly nodes: readonly R[];
  readonly edges: readonly { readonly cursor: string; readonly node: R }[];
  readonly pageInfo: object;
  /** Counted inside the boundary, when it is called. */
  totalCount(): Promise<number>;
}

export interface ListQuery {
  readonly where?: Condition;
  /** Default: by the key. */
  readonly order?: readonly { readonly column: string; readonly direction: 'asc' | 'desc' }[];
  /**
   * Scopes of fields by which the caller chose these rows, such as that of an argument. Where one of them has a narrower
   * boundary, it applies too.
   */
  readonly scopes?: readonly string[];
  readonly first?: number | null;
  readonly after?: string | null;
}

/**
 * The rows of a type of `schema/` inside the caller's boundary. A row outside of it equals one that does not exist. What
 * is read and written is charged and recorded.
 */
export interface Rows<R extends Row = Row> {
  /** A row by its id, or null. Calls of one moment share a statement. */
  get(id: string | null): Promise<R | null>;
  /** The id of the row whose key has these values, such as those of a foreign key. Null where one is null. */
  idOf(...key: readonly unknown[]): string | null;
  /** The first row that fulfils the condition, or null. */
  find(where: Condition, scopes?: readonly string[]): Promise<R | null>;
  list(query: ListQuery): Promise<Page<R>>;
  /** In the work of `once`: locks a row that it may change. Throws `NOT_FOUND`. */
  lock(id: string): Promise<R>;
  /**
   * In the work of `once`: changes columns of a row, which must be inside the boundary of the mutation's scope before and
   * after. Columns without a value (`undefined`) stay. Throws `NOT_FOUND`, and `BAD_USER_INPUT` for what a column cannot hold.
   */
  update(id: string, changes: Readonly<Record<string, unknown>>): Promise<R>;
  /**
   * In the work of `once`: adds a row, which must be inside the boundary of the mutation's scope. Columns that are not given get the
   * database's defaults, a key that it counts up included.
   */
  insert(row: Readonly<Record<string, unknown>>): Promise<R>;
}

/**
 * One operation of one caller. A mutation and its record are one transaction: an error undoes all of it, and a lost race
 * runs it again. Everything here ends with the operation.
 */
export interface Operation {
  readonly id: string;
  readonly authority: {
    /** On whose behalf it runs. */
    readonly person: { readonly id: string; readonly name: string; readonly displayName: string };
    /** In order of acting; none where the person acts in person. */
    readonly agents: readonly { readonly id: string; readonly name: string; readonly displayName: string }[];
    /** Whether the caller holds the scope at all. */
    allows(scope: string): boolean;
  };
  readonly rows: {
    /** @param type the name of a type with `@table` in this folder's `schema/` */
    of<R extends Row = Row>(type: string): Rows<R>;
  };
  readonly clock: {
    /** Milliseconds since 1970. */
    now(): number;
  };
  readonly ids: {
    /** A new id that sorts by time: 26 letters and digits. */
    next(): string;
  };
  /**
   * In a mutation, which has to use it, a single time: runs `work` once for the caller's `idempotencyKey`. Only `work` locks
   * and writes. The same key and input return the first answer, as far as the caller may still see it; another input is a
   * `CONFLICT`.
   * @param key the caller's `idempotencyKey`
   * @param input the other arguments
   * @param rows the properties of the answer that hold a row, with the type of each. Others hold no objects
   */
  once<T extends object>(
    key: string,
    input: unknown,
    rows: Readonly<Record<string, string>>,
    work: () => Promise<T>,
  ): Promise<T>;
}

/** Gives the value of a field. Arguments have been validated against the schema. */
export interface Resolver {
  // Each resolver knows its own parent and arguments.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  (parent: any, args: any, operation: Operation): unknown;
  /** The columns of the parent row that it reads. Undefined: all. */
  readonly reads?: readonly string[];
}

/** Resolvers by type and field. */
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>;

/** Declares the only columns of its parent row that a resolver reads, so that no others are fetched. */
export const reads = (columns: readonly string[], resolve: Resolver): Resolver =>
  Object.assign(resolve.bind(undefined), { reads: columns });

export interface Domain {
  readonly resolvers: Resolvers;
}

/** The default export of a file in `code/`. */
export const defineDomain = ({ resolvers }: Domain): Domain =>
  Object.freeze({ resolvers, [domainMark]: true as const });

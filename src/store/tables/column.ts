/**
 * A column. Decoded values are JSON-safe: `time` is ISO 8601 with milliseconds, `minor` a safe integer of minor
 * currency units, `long` another safe integer, `json` the parsed value. Of tables of others, `bigint`, `bits` and
 * `decimal` are exact texts, `moment` is ISO 8601 in UTC, `bytes` hexadecimal digits, and the rest texts as the database
 * writes them.
 */
export interface Column<Value> {
  readonly kind: OwnKind | ForeignKind;
  readonly length?: number;
  readonly nullable: boolean;
  /** Whether a unique index covers the column. */
  readonly isUnique?: true;
  /** The database's name of the table that this id refers to. */
  readonly references?: string;
  /** Whether the database may take different texts of the column for equal, as by a collation that ignores case. */
  readonly isCollated?: true;
  /** The character set of a text and its collation in MySQL. */
  readonly charset?: Charset;
  /** The digits after the point of a decimal. */
  readonly scale?: number;
  /** Whether the value may be too large for GraphQL's `Int`. */
  readonly isWide?: true;
  /** Whether a row may hold a value of another type, as in SQLite. */
  readonly isLoose?: true;
  /** Whether a flag is a number, of which all but 0 are true. */
  readonly isTruth?: true;
  /** Whether the database computes the value, so that nobody writes it. */
  readonly isGenerated?: true;
  /** What the database says of a column of others: what it can hold. */
  readonly described?: ColumnLimits;
  /** The value for rows that are older than the column. Every new row brings its own. */
  readonly default?: number | string;
  /** Never set. It only carries the value's type. */
  readonly value?: Value;
}

/** What the database says of a column of others. */
export interface ColumnLimits {
  /** The database's word for its type, in small letters. */
  readonly type: string;
  /** The digits of a decimal, of the fraction of a time's second, or of a bit field. */
  readonly precision: number | undefined;
  readonly isUnsigned: boolean;
  /** The words of an enum or a set. */
  readonly words: readonly string[] | undefined;
  /** Whether a new row needs no value for it: there is a default, or the database counts or computes it. */
  readonly isFilled: boolean;
  /** Whether the database counts it up. */
  readonly isCounted: boolean;
}

/** The kinds of columns in tables of our own, the same on both databases. */
export type OwnKind = 'id' | 'text' | 'longtext' | 'int' | 'long' | 'minor' | 'time' | 'flag' | 'json';

/** Further kinds of columns in tables of others. */
type ForeignKind =
  | 'bigint'
  | 'decimal'
  | 'float'
  | 'date'
  | 'moment'
  | 'label'
  | 'year'
  | 'clock'
  | 'bits'
  | 'bytes'
  | 'set'
  | 'jsontext'
  | 'uuid'
  | 'inet';

export interface Charset {
  readonly name: string;
  readonly collation: string;
}

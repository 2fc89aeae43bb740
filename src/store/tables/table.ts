import type { Column } from './column.js';
import type { RowKey } from './row-key.js';

/** Begins the names of all tables of our own, so that they can stand beside those of a company. */
export const tablePrefix = 'behalf_';

/** The database's name of a table of our own, such as `audit_index`. */
export const prefixed = (name: string): string => tablePrefix + name;

/** The reverse of `prefixed`. */
export const unprefixed = (name: string): string => name.slice(tablePrefix.length);

/** Whether a table is one of our own, by its name. Databases may take names for equal whatever their case. */
export const isOwnTable = (name: string): boolean => name.toLowerCase().startsWith(tablePrefix);

/** What a table of others is beside its columns. */
interface Foreign {
  /** Undefined: the rows have an `id` of ours. */
  readonly key?: RowKey;
  /** Undefined: names are properties, and `customer` leads to the row that `customerId` names. */
  readonly paths?: ReadonlyMap<string, PathStep>;
  /** The condition that all rows fulfil, for the table's alias, as SQL without parameters. Others are not there. */
  readonly within?: (alias: string) => string;
  /** Whether it is a view, which nobody writes. */
  readonly isView?: true;
}

/**
 * Where a name in a boundary's path leads: to a column of the row, by columns to the row that they name, or to the rows of
 * another table whose columns name this one. `collected` makes a list of their values, as JSON.
 */
export type PathStep =
  | { readonly property: string }
  | { readonly properties: readonly string[]; readonly to: AnyTable }
  | {
      readonly properties: readonly string[];
      readonly from: AnyTable;
      readonly collected: (expression: string) => string;
    };

/** A table of any row type. */
export interface AnyTable extends Foreign {
  readonly type: string;
  /** The database's name. */
  readonly name: string;
  readonly columns: Readonly<Record<string, Column<unknown>>>;
  readonly primaryKey: readonly string[];
  readonly indexes: readonly Index[];
  readonly rowNumber: RowNumber | undefined;
}

export interface Index {
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

/**
 * Where rows have a number beside their id. Word and term indexes use it, and it is the primary key there.
 */
type RowNumber = 'sqlite' | 'everywhere';

type Columns = Readonly<Record<string, Column<unknown>>>;
export type RowOf<T> = T extends Table<infer Row> ? Row : never;
type RowFor<C extends Columns> = { -readonly [K in keyof C]: C[K] extends Column<infer V> ? V : never };

export interface Table<Row> extends Foreign {
  /** The GraphQL type of its rows, or, without one, the name in audit records. */
  readonly type: string;
  /** The database's name. */
  readonly name: string;
  readonly columns: { readonly [K in keyof Row]: Column<Row[K]> };
  readonly primaryKey: readonly (keyof Row & string)[];
  readonly indexes: readonly Index[];
  readonly rowNumber: RowNumber | undefined;
}

const make =
  <Value>(kind: Column<Value>['kind'], length?: number) =>
  (references?: string): Column<Value> => ({
    kind,
    nullable: false,
    ...(length === undefined ? {} : { length }),
    ...(references === undefined ? {} : { references: prefixed(references) }),
  });

export const id = make<string>('id', 26);
export const text = (length: number): Column<string> => make<string>('text', length)();
export const longtext = make<string>('longtext');
export const int = make<number>('int');
export const long = make<number>('long');
export const minor = make<number>('minor');
export const time = make<string>('time');
export const flag = make<boolean>('flag');
export const json = <Value>(): Column<Value> => make<Value>('json')();
export const nullable = <Value>(column: Column<Value>): Column<Value | null> => ({
  ...column,
  nullable: true,
});

/** Adds a default for rows that are older than the column. */
export const since = <Value extends number | string>(column: Column<Value>, value: Value): Column<Value> => ({
  ...column,
  default: value,
});

export const unique = <Value>(column: Column<Value>): Column<Value> => ({ ...column, isUnique: true });

/**
 * The column of a property: its name in small letters with `_`, or, where the property begins with `$`, the rest of it
 * as it is.
 */
export const columnOf = (property: string): string =>
  property.startsWith('$') ? property.slice(1) : snake(property);

export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

interface Further<Key> {
  /** Sets of columns whose combined values are unique, beside the `unique` columns. */
  readonly unique?: readonly (readonly Key[])[];
  readonly indexes?: readonly (readonly Key[])[];
  readonly rowNumber?: RowNumber;
}

/**
 * Describes a table of our own once. The row's TypeScript type, the decoding of values and TypeORM's entities follow
 * from it. Names are without the prefix, those of tables that columns refer to included.
 */
export function table<C extends Columns>(
  type: string,
  name: string,
  columns: C,
  primaryKey: readonly (keyof C & string)[] = ['id'],
  { unique = [], indexes = [], rowNumber }: Further<keyof C & string> = {},
): Table<RowFor<C>> {
  const alone = Object.keys(columns).filter((key) => columns[key]?.isUnique === true);
  const all = [
    ...[...alone.map((key) => [key]), ...unique].map((some) => ({ columns: some, isUnique: true })),
    ...indexes.map((some) => ({ columns: some, isUnique: false })),
  ];
  return { type, name: prefixed(name), columns: columns as never, primaryKey, indexes: all, rowNumber };
}

import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';

/**
 * A column as both databases keep it. Values in our hands are JSON-safe: `time` is ISO 8601 with
 * milliseconds, `minor` a safe integer of minor currency units, `json` the parsed value.
 */
export interface Column<Value> {
  readonly kind: 'id' | 'text' | 'longtext' | 'int' | 'minor' | 'time' | 'flag' | 'json';
  readonly length?: number;
  readonly nullable: boolean;
  /** No two rows have the same value, and the database has an index that says so. */
  readonly isUnique?: true;
  /** The table whose row this id names. */
  readonly references?: string;
  /** Never set: carries the value's type. */
  readonly value?: Value;
}

/** A table whose rows' type does not matter. */
export interface AnyTable {
  readonly type: string;
  readonly name: string;
  readonly columns: Readonly<Record<string, Column<unknown>>>;
  readonly primaryKey: readonly string[];
  readonly schema: EntitySchema;
}

type Columns = Readonly<Record<string, Column<unknown>>>;
export type RowOf<T> = T extends Table<infer Row> ? Row : never;
type RowFor<C extends Columns> = { -readonly [K in keyof C]: C[K] extends Column<infer V> ? V : never };

export interface Table<Row> {
  /** The GraphQL type of its rows, where it has one; otherwise the name used in audit records. */
  readonly type: string;
  readonly name: string;
  readonly columns: { readonly [K in keyof Row]: Column<Row[K]> };
  readonly primaryKey: readonly (keyof Row & string)[];
  readonly schema: EntitySchema<Row & object>;
}

const make =
  <Value>(kind: Column<Value>['kind'], length?: number) =>
  (references?: string): Column<Value> => ({
    kind,
    nullable: false,
    ...(length === undefined ? {} : { length }),
    ...(references === undefined ? {} : { references }),
  });

export const id = make<string>('id', 26);
export const text = (length: number): Column<string> => make<string>('text', length)();
export const longtext = make<string>('longtext');
export const int = make<number>('int');
export const minor = make<number>('minor');
export const time = make<string>('time');
export const flag = make<boolean>('flag');
export const json = <Value>(): Column<Value> => make<Value>('json')();
export const nullable = <Value>(column: Column<Value>): Column<Value | null> => ({
  ...column,
  nullable: true,
});

export const unique = <Value>(column: Column<Value>): Column<Value> => ({ ...column, isUnique: true });

export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const sqlType = {
  id: 'varchar',
  text: 'varchar',
  longtext: 'text',
  int: 'int',
  minor: 'bigint',
  time: 'datetime',
  flag: 'boolean',
  json: 'text',
} as const;

function columnOptions(name: string, column: Column<unknown>, primary: boolean): EntitySchemaColumnOptions {
  return {
    name: snake(name),
    type: sqlType[column.kind],
    nullable: column.nullable,
    primary,
    ...(column.length === undefined ? {} : { length: column.length }),
    ...(column.kind === 'time' ? { precision: 3 } : {}),
  };
}

/** Describes one table once: TypeORM's schema, the row's TypeScript type and how values are read follow. */
export function table<C extends Columns>(
  type: string,
  name: string,
  columns: C,
  primaryKey: readonly (keyof C & string)[] = ['id'],
): Table<RowFor<C>> {
  const entries = Object.entries(columns).map(([key, column]) => [
    key,
    columnOptions(key, column, primaryKey.includes(key)),
  ]);
  const schema = new EntitySchema<RowFor<C> & object>({
    name: type,
    tableName: name,
    columns: Object.fromEntries(entries) as never,
  });
  return { type, name, columns: columns as never, primaryKey: primaryKey, schema };
}

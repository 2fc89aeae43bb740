import { RowKey } from './row-key.js';
import type { Column, PathStep, Table } from './table.js';

/** A column of a table that is not ours, as far as it is needed here. */
interface Described {
  readonly name: string;
  readonly type: string;
  readonly length: number | undefined;
  readonly isTruth: boolean;
  readonly isNullable: boolean;
}

/** The property of a column: the column's name as it is. */
export const propertyOf = (column: string): string => `$${column}`;

/**
 * A table of others over rows of a GraphQL type. Columns of types that cannot be shown are left out. Its paths are for
 * the caller to fill, because they may lead round in a circle.
 */
export function foreignTable(
  type: string,
  {
    name,
    columns,
    primaryKey,
  }: {
    readonly name: string;
    readonly columns: readonly Described[];
    readonly primaryKey: readonly string[];
  },
  paths: ReadonlyMap<string, PathStep>,
): Table<{ id: string }> {
  const known = columns.flatMap((column) => {
    const kind = kindOf(column);
    return kind === undefined ? [] : [[propertyOf(column.name), columnOf(column, kind)] as const];
  });
  const key = primaryKey.map(propertyOf);
  return {
    type,
    name,
    columns: Object.fromEntries(known) as never,
    primaryKey: key as never,
    key: new RowKey(key),
    paths,
    indexes: [],
    rowNumber: undefined,
  };
}

const columnOf = (column: Described, kind: Column<unknown>['kind']): Column<unknown> => ({
  kind,
  nullable: column.isNullable,
  ...(column.length !== undefined && { length: column.length }),
  ...(isText(kind) && { isCollated: true }),
});

const isText = (kind: Column<unknown>['kind']): boolean => kind === 'text' || kind === 'longtext';

/** How values of a type are read. Undefined for a type that cannot be shown. */
export const kindOf = ({
  type,
  isTruth,
}: Pick<Described, 'type' | 'isTruth'>): Column<unknown>['kind'] | undefined =>
  isTruth ? 'flag' : kinds.get(type);

const kinds: ReadonlyMap<string, Column<unknown>['kind']> = new Map([
  ...(['tinyint', 'smallint', 'mediumint', 'int', 'integer', 'year'] as const).map(
    (type) => [type, 'int'] as const,
  ),
  ...(['bigint', 'decimal', 'numeric'] as const).map((type) => [type, 'exact'] as const),
  ...(['float', 'double', 'real'] as const).map((type) => [type, 'float'] as const),
  ...(['char', 'varchar', 'enum', 'nvarchar', 'nchar'] as const).map((type) => [type, 'text'] as const),
  ...(['text', 'tinytext', 'mediumtext', 'longtext', 'clob'] as const).map(
    (type) => [type, 'longtext'] as const,
  ),
  ...(['datetime', 'timestamp'] as const).map((type) => [type, 'moment'] as const),
  ['date', 'date'] as const,
]);

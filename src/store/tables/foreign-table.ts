import type { Dialect } from '../sql/condition.js';
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

export interface DescribedTable {
  readonly name: string;
  readonly columns: readonly Described[];
  readonly primaryKey: readonly string[];
}

type Kind = Column<unknown>['kind'];

/** The property of a column: the column's name as it is. */
export const propertyOf = (column: string): string => `$${column}`;

/**
 * A table of others over rows of a GraphQL type. Columns of types that cannot be shown are left out. Its paths are for
 * the caller to fill, because they may lead round in a circle.
 */
export function foreignTable(
  type: string,
  { name, columns, primaryKey }: DescribedTable,
  paths: ReadonlyMap<string, PathStep>,
  dialect: Dialect,
): Table<{ id: string }> {
  const known = columns.flatMap((column) => {
    const kind = kindOf(column, dialect);
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

const columnOf = (column: Described, kind: Kind): Column<unknown> => ({
  kind,
  nullable: column.isNullable,
  ...(column.length !== undefined && { length: column.length }),
  ...((kind === 'text' || kind === 'longtext') && { isCollated: true }),
});

/** How values of a column are read. Undefined for a column that cannot be shown. */
export function kindOf(
  { type, isTruth }: Pick<Described, 'type' | 'isTruth'>,
  dialect: Dialect,
): Kind | undefined {
  if (isTruth) return 'flag';
  const kind = kinds.get(type);
  // SQLite has no times: what others write is a text in some form.
  return kind === 'moment' && dialect === 'sqlite' ? 'date' : kind;
}

/** Why rows cannot be named by the table's key. Undefined where they can. */
export function keyFault({ columns, primaryKey }: DescribedTable, dialect: Dialect): string | undefined {
  if (primaryKey.length === 0) return 'it has no primary key';
  for (const name of primaryKey) {
    const column = columns.find((one) => one.name === name);
    const kind = column === undefined ? undefined : kindOf(column, dialect);
    if (kind === undefined || !keyKinds.has(kind))
      return `its key has the column ${name} (${column?.type ?? ''})`;
    const isRowNumber = dialect === 'sqlite' && primaryKey.length === 1 && column?.type === 'integer';
    if (column?.isNullable === true && !isRowNumber) return `its key may have no value in the column ${name}`;
  }
  return undefined;
}

/** Kinds whose values have one text each, as which the database finds them again. */
const keyKinds: ReadonlySet<Kind> = new Set(['int', 'bigint', 'text']);

const kinds: ReadonlyMap<string, Kind> = new Map([
  ...(['tinyint', 'smallint', 'mediumint', 'int', 'integer', 'year'] as const).map(
    (type) => [type, 'int'] as const,
  ),
  ['bigint', 'bigint'] as const,
  ...(['decimal', 'numeric'] as const).map((type) => [type, 'decimal'] as const),
  ...(['float', 'double', 'real'] as const).map((type) => [type, 'float'] as const),
  ...(['char', 'varchar', 'nvarchar', 'nchar'] as const).map((type) => [type, 'text'] as const),
  ...(['text', 'tinytext', 'mediumtext', 'longtext', 'clob'] as const).map(
    (type) => [type, 'longtext'] as const,
  ),
  ['enum', 'label'] as const,
  ...(['datetime', 'timestamp'] as const).map((type) => [type, 'moment'] as const),
  ['date', 'date'] as const,
]);

/** What a field over a column of a kind can be. */
export interface KindUses {
  /** The GraphQL type. */
  readonly type: string;
  readonly filters: readonly string[];
  readonly isSorted: boolean;
  /** Whether boundaries can hold its values. */
  readonly isDimension: boolean;
}

const texts = {
  type: 'String',
  filters: ['EQUALS', 'ONE_OF', 'STARTS_WITH'],
  isSorted: true,
  isDimension: true,
};
const shown = { filters: [], isSorted: false, isDimension: false };

/**
 * What columns of others are good for. A kind is sorted only where the database's order and its comparisons agree for
 * every value, and is a dimension only where two values never compare as one.
 */
export const kindUses: Readonly<Partial<Record<Kind, KindUses>>> = {
  text: texts,
  longtext: texts,
  label: { ...shown, type: 'String' },
  int: {
    type: 'Int',
    filters: ['EQUALS', 'ONE_OF', 'AT_LEAST', 'AT_MOST'],
    isSorted: true,
    isDimension: true,
  },
  bigint: { ...shown, type: 'String', isSorted: true, isDimension: true },
  decimal: { ...shown, type: 'Decimal' },
  float: { ...shown, type: 'Float', filters: ['AT_LEAST', 'AT_MOST'] },
  flag: { ...shown, type: 'Boolean', filters: ['EQUALS'] },
  date: { ...shown, type: 'String', isSorted: true },
  moment: { ...shown, type: 'DateTime', filters: ['FROM', 'BEFORE'], isSorted: true },
};

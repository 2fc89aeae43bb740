import type { Dialect } from './dialect.js';
import type { Charset, Column, ColumnLimits } from './column.js';

/** A column of a table that is not ours, as far as it is needed here. */
export interface DescribedColumn extends ColumnLimits {
  readonly name: string;
  readonly length: number | undefined;
  readonly scale: number | undefined;
  readonly charset: Charset | undefined;
  readonly isTruth: boolean;
  readonly isNullable: boolean;
  readonly isGenerated: boolean;
}

type Kind = Column<unknown>['kind'];

/** How values of a column are read. Undefined for a column that cannot be shown. */
export function foreignColumn(described: DescribedColumn, dialect: Dialect): Column<unknown> | undefined {
  const kind = kindOf(described, dialect);
  if (kind === undefined) return undefined;
  const { length, scale, charset, isNullable, isGenerated, isUnsigned } = described;
  const isLoose = dialect === 'sqlite';
  const isText = texts.has(kind) || (isLoose && kind === 'date');
  const isWide = kind === 'int' && (isLoose ? !small.has(described.type) : isUnsigned && isLong(described));
  return {
    kind,
    nullable: isNullable,
    described,
    ...(length !== undefined && { length }),
    ...(kind === 'decimal' && { scale: scale ?? 0 }),
    ...(kind === 'float' && !isLoose && scale !== undefined && { scale }),
    ...(isText && { isCollated: true }),
    ...(isText && charset !== undefined && { charset }),
    ...(isWide && { isWide: true }),
    ...(isLoose && { isLoose: true }),
    ...(kind === 'flag' && { isTruth: true }),
    ...(isGenerated && { isGenerated: true }),
  };
}

const texts: ReadonlySet<Kind> = new Set(['text', 'longtext', 'label']);
const isLong = ({ type }: DescribedColumn): boolean => type === 'int' || type === 'integer';
const small: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int2']);

function kindOf({ type, isTruth }: DescribedColumn, dialect: Dialect): Kind | undefined {
  if (isTruth) return 'flag';
  return dialect === 'mysql' ? mysqlKinds.get(type) : (sqliteKinds.get(type) ?? byAffinity(type));
}

const kinds = (kind: Kind, ...types: readonly string[]): (readonly [string, Kind])[] =>
  types.map((type) => [type, kind] as const);

/** Spatial types and vectors are missing: they cannot be shown. */
const mysqlKinds: ReadonlyMap<string, Kind> = new Map([
  ...kinds('int', 'tinyint', 'smallint', 'mediumint', 'int', 'integer'),
  ...kinds('bigint', 'bigint'),
  ...kinds('decimal', 'decimal', 'numeric'),
  ...kinds('float', 'float', 'double', 'real'),
  ...kinds('text', 'char', 'varchar', 'nvarchar', 'nchar'),
  ...kinds('longtext', 'text', 'tinytext', 'mediumtext', 'longtext'),
  ...kinds('bytes', 'binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'),
  ...kinds('label', 'enum'),
  ...kinds('set', 'set'),
  ...kinds('moment', 'datetime', 'timestamp'),
  ...kinds('date', 'date'),
  ...kinds('clock', 'time'),
  ...kinds('year', 'year'),
  ...kinds('bits', 'bit'),
  ...kinds('jsontext', 'json'),
  ...kinds('uuid', 'uuid'),
  ...kinds('inet', 'inet4', 'inet6'),
]);

/** SQLite has no times: what others write is a text in some form. */
const sqliteKinds: ReadonlyMap<string, Kind> = new Map([
  ...kinds('bigint', 'bigint', 'int8', 'unsigned big int'),
  ...kinds('decimal', 'decimal', 'numeric', 'number', 'money'),
  ...kinds('text', 'uuid', 'guid', 'uniqueidentifier'),
  ...kinds('date', 'date', 'datetime', 'timestamp', 'time'),
  ...kinds('jsontext', 'json'),
  ...kinds('bytes', 'binary', 'varbinary'),
]);

/** Whether SQLite keeps a text as it is, and does not make a number of it where it looks like one. */
export const keepsTexts = (type: string): boolean =>
  !type.includes('int') && (/char|clob|text|blob/.test(type) || type === '');

/** By the rules of SQLite for a declared type (section 3.1 of its page on datatypes). */
function byAffinity(type: string): Kind | undefined {
  // `POINT` would be an integer.
  if (spatial.test(type)) return undefined;
  if (type.includes('int')) return 'int';
  if (/clob|text/.test(type)) return 'longtext';
  if (type.includes('char')) return 'text';
  if (type.includes('blob')) return 'bytes';
  return /real|floa|doub/.test(type) ? 'float' : undefined;
}

const spatial = /point|geom|polygon|curve|surface|line/;

/** What a field over a column can be. */
export interface KindUses {
  /** The GraphQL types, the one to propose first. */
  readonly types: readonly [string, ...string[]];
  readonly filters: readonly string[];
  readonly isSorted: boolean;
  /** Whether boundaries can hold its values. */
  readonly isDimension: boolean;
  /** Whether it can be part of a key. */
  readonly isKey: boolean;
}

const equal = ['EQUALS', 'ONE_OF'];
const numbers = [...equal, 'AT_LEAST', 'AT_MOST'];
const times = ['FROM', 'BEFORE'];
const shown = { filters: [] as readonly string[], isSorted: false, isDimension: false, isKey: false };
const exact = { isSorted: true, isDimension: true, isKey: true };

/** Longer keys would make ids that nobody can pass on. */
const keyBytesMax = 255;

/**
 * What a column of others is good for. It is sorted only where the database's order and its comparisons agree for every
 * value, and is a dimension only where two values never compare as one.
 */
export function usesOf(column: Column<unknown>): KindUses {
  const { kind, length } = column;
  const [isLoose, isWide] = [column.isLoose === true, column.isWide === true];
  switch (kind) {
    case 'text':
    case 'longtext':
      return { ...exact, types: ['String'], filters: [...equal, 'STARTS_WITH'] };
    case 'label':
      return { ...shown, types: ['String'], filters: equal, isDimension: true };
    case 'uuid':
      return { ...exact, types: ['String'], filters: equal };
    case 'int':
      return { ...exact, types: integers(isWide, isLoose), filters: numbers };
    case 'bigint':
      return { ...exact, types: ['BigInt', 'String'], filters: numbers };
    case 'bits':
      return { ...shown, types: ['BigInt', 'String'], filters: numbers, isSorted: true };
    case 'year':
      return { ...shown, types: ['Int'], filters: numbers, isSorted: true };
    case 'decimal':
      // SQLite rounds what it stores to a float.
      return isLoose
        ? { ...shown, types: ['Decimal'] }
        : { ...exact, types: ['Decimal'], filters: numbers, isDimension: false };
    case 'float':
      return { ...shown, types: ['Float'], filters: ['AT_LEAST', 'AT_MOST'] };
    case 'flag':
      return { ...shown, types: ['Boolean'], filters: ['EQUALS'] };
    case 'date':
      return isLoose
        ? { ...exact, types: ['String'], filters: equal, isDimension: false }
        : { ...exact, types: ['Date', 'String'], filters: [...equal, ...times], isDimension: false };
    case 'moment':
      return { ...exact, types: ['DateTime'], filters: times, isDimension: false };
    case 'clock':
      return { ...shown, types: ['String'], isSorted: true };
    case 'bytes': {
      const isShort = length !== undefined && length <= keyBytesMax;
      return {
        ...shown,
        types: ['String'],
        filters: isShort ? equal : [],
        isSorted: isShort,
        isKey: isShort,
      };
    }
    default:
      return { ...shown, types: ['String'] };
  }
}

/** In SQLite most integers are small, whatever their column could hold. */
function integers(isWide: boolean, isLoose: boolean): KindUses['types'] {
  if (!isWide) return ['Int'];
  return isLoose ? ['Int', 'BigInt', 'String'] : ['BigInt', 'Int', 'String'];
}

/** Whether a column that always has a value may be shown without one, or not at all. */
export const mayBeMissing = ({ kind, isLoose, isWide, isTruth, length }: Column<unknown>): boolean => {
  const isUnsure = isLoose === true && (isWide === true || isTruth === true || kind === 'float');
  const isDay = kind === 'date' || kind === 'moment';
  return isUnsure || isDay || (kind === 'bytes' && (length === undefined || length > bytesShownMax));
};

/** The most bytes of a value that are shown. */
export const bytesShownMax = 65_536;

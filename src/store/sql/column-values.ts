import { isInteger64, isNoDay } from '../tables/canonical.js';
import { isSingle, shortFloat } from '../tables/float.js';
import { bytesShownMax } from '../tables/foreign-kinds.js';
import type { Column } from '../tables/column.js';
import type { Dialect } from '../tables/dialect.js';

/** Text of a scalar value. An object in a text column would be our own mistake. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  throw new TypeError(`A ${typeof value} has no text.`);
}

/**
 * Encodes a value for the drivers. It is coerced to its column's kind, so that no database compares across
 * types.
 */
export function encode(column: Column<unknown>, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  return codings[column.kind].encode(value);
}

function encodeInteger(value: unknown): unknown {
  return typeof value === 'string' && !Number.isSafeInteger(Number(value)) ? BigInt(value) : Number(value);
}

function encodeTime(value: unknown): string {
  return asText(value).replace('T', ' ').replace('Z', '');
}

/** MySQL takes a text for a bit field by its letters. */
function bytesOfInteger(value: bigint): Buffer {
  const digits = value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
}

/** SQLite may hold a value of another type in a column of bytes. `readSql` writes it with the letter of its type. */
function bytesFrom(text: string): unknown {
  const value = text.slice(2);
  if (text.startsWith('t!')) return value;
  return /^[ir]!/.test(text) ? Number(value) : Buffer.from(text, 'hex');
}

/** A value in a statement: the text of its place, and the parameter. */
interface Placed {
  readonly text: string;
  readonly param: unknown;
}

/** A value to compare with a column's, so that neither the driver nor the database rounds or converts it. */
export function placed(column: Column<unknown>, value: unknown, dialect: Dialect): Placed {
  switch (column.kind) {
    case 'int':
      return typeof value === 'number' ? { text: '?', param: value } : integer(asText(value), dialect);
    case 'bigint':
    case 'bits':
      return integer(asText(value), dialect, 'always cast');
    case 'decimal':
      return decimal(asText(value), dialect);
    case 'date':
    case 'moment':
      return dialect === 'mysql' ? day(encode(column, value)) : { text: '?', param: encode(column, value) };
    default: {
      const { charset } = column;
      const isAny = charset === undefined || charset.name === 'utf8mb4';
      const text = isAny ? '?' : `CONVERT(? USING ${charset.name}) COLLATE ${charset.collation}`;
      return { text, param: encode(column, value) };
    }
  }
}

const isInteger = /^-?\d+$/;
const int64 = 2n ** 63n;

function integer(text: string, dialect: Dialect, use?: 'always cast'): Placed {
  if (!isInteger.test(text)) return { text: '?', param: text };
  const number = Number(text);
  const isSafe = Number.isSafeInteger(number);
  if (dialect === 'mysql' && (use === 'always cast' || !isSafe)) return bigint(text);
  if (isSafe) return { text: '?', param: number };
  return { text: isInt64(text) ? 'CAST(? AS INTEGER)' : 'CAST(? AS REAL)', param: text };
}

/** All of one type, as MySQL uses no index for a list of several. */
function bigint(text: string): Placed {
  if (isInt64(text)) return { text: 'CAST(? AS SIGNED)', param: text };
  return { text: isInteger64(text) ? 'CAST(? AS UNSIGNED)' : 'CAST(? AS DECIMAL(65, 0))', param: text };
}

function isInt64(text: string): boolean {
  const value = BigInt(text);
  return value >= -int64 && value < int64;
}

/** As many digits after the point as the value has, so that nothing is rounded. */
function decimal(text: string, dialect: Dialect): Placed {
  const [, fraction] = /^-?\d+(?:\.(\d+))?$/.exec(text) ?? [];
  if (dialect === 'sqlite') return { text: 'CAST(? AS NUMERIC)', param: text };
  return { text: `CAST(? AS DECIMAL(65, ${String(fraction?.length ?? 0)}))`, param: text };
}

/** A strict session takes no text for a date without a month or a day, but a number. */
function day(value: unknown): Placed {
  const text = asText(value);
  if (!isNoDay(text)) return { text: '?', param: value };
  return { text: 'CAST(? AS DECIMAL(20, 6))', param: text.replaceAll(/[-: ]/g, '') };
}

/** A column's expression where it is compared. MySQL takes a number for a year of two digits, or for text of bits. */
export const comparedSql = ({ kind }: Column<unknown>, expression: string): string =>
  kind === 'year' || kind === 'bits' ? `(${expression} + 0)` : expression;

/** The expression that reads a column, so that the driver does not round it or give it another form. */
export function readSql(column: Column<unknown>, expression: string): string {
  const text = `CAST(${expression} AS CHAR)`;
  switch (column.kind) {
    case 'bigint':
    case 'decimal':
    case 'jsontext':
    case 'clock':
    case 'uuid':
    case 'inet':
      return text;
    case 'longtext':
      // JSON of MariaDB is a long text, which the driver would parse.
      return column.charset === undefined ? expression : text;
    case 'bits':
      return `CAST(${expression} + 0 AS CHAR)`;
    case 'float':
      // As a text, the database rounds 32 bits to six digits.
      return isSingle(column) ? `CAST(${expression} AS DOUBLE)` : expression;
    case 'int':
    case 'date':
      return column.isLoose === true ? text : expression;
    case 'bytes': {
      const bytes = hexSql(column, expression);
      if (column.isLoose !== true) return bytes;
      return (
        `CASE typeof(${expression}) WHEN 'blob' THEN ${bytes} WHEN 'null' THEN NULL ` +
        `ELSE SUBSTR(typeof(${expression}), 1, 1) || '!' || ${text} END`
      );
    }
    default:
      return expression;
  }
}

/** Hexadecimal digits; of too many bytes their number, below zero, and a digest by which versions tell them apart. */
function hexSql({ length, isLoose }: Column<unknown>, expression: string): string {
  const hex = `HEX(${expression})`;
  if (length !== undefined && length <= bytesShownMax) return hex;
  const bytes = `LENGTH(${expression})`;
  const many =
    isLoose === true
      ? `'-' || ${bytes} || '-' || behalf_digest(${expression})`
      : `CONCAT('-', ${bytes}, '-', SHA2(${expression}, 256))`;
  return `CASE WHEN ${bytes} > ${String(bytesShownMax)} THEN ${many} ELSE ${hex} END`;
}

type Decoder = (raw: unknown) => unknown;

const decodeText: Decoder = (raw) =>
  typeof raw === 'string' || raw === null ? raw : raw === undefined ? null : asText(raw);

function decodeInteger(raw: unknown): number | null {
  if (raw === null || raw === undefined) return null;
  const number = typeof raw === 'number' ? raw : Number(raw);
  if (!Number.isSafeInteger(number)) throw new RangeError('A stored integer is outside the safe range.');
  return number;
}

const decodeFloat: Decoder = (raw) => (raw === null || raw === undefined ? null : Number(raw));

const decodeSingle: Decoder = (raw) => (raw === null || raw === undefined ? null : shortFloat(Number(raw)));

/** An integer where there may be any value. What is no safe integer stays a text. */
function decodeLooseInteger(raw: unknown): number | string | null {
  if (raw === null || raw === undefined) return null;
  const text = asText(raw);
  const number = Number(text);
  return isInteger.test(text) && Number.isSafeInteger(number) ? number : text;
}

/** What is neither a number nor bits is no truth value, and stays as it is. */
const decodeTruth: Decoder = (raw) => {
  if (raw === null || raw === undefined) return null;
  if (Buffer.isBuffer(raw)) return raw.some((byte) => byte !== 0);
  return typeof raw === 'number' ? raw !== 0 : raw;
};

function decodeTime(raw: unknown): string | null {
  if (raw === null || raw === undefined) return null;
  const text = typeof raw === 'string' ? raw : asText(raw);
  // Prepared statements omit a fraction of zero.
  return `${text.slice(0, 10)}T${text.slice(11, 23).padEnd(12, '.000')}Z`;
}

/** Whether the database tells zeros at the end of a fraction depends on the statement. */
function decodeMoment(raw: unknown): string | null {
  if (raw === null || raw === undefined) return null;
  const text = asText(raw).replace(' ', 'T');
  return `${text.includes('.') ? text.replace(/\.?0*$/, '') : text}Z`;
}

const decodeFlag: Decoder = (raw) => (raw === null || raw === undefined ? null : Number(raw) === 1);

const decodeJson: Decoder = (raw) =>
  raw === null || raw === undefined ? null : (JSON.parse(asText(raw)) as unknown);

/** How values of one kind of column go to the drivers, and how they come back. */
interface Coding {
  readonly encode: (value: unknown) => unknown;
  /** For values that `readSql` reads. Undefined where they need no decoding. */
  readonly decoder: (column: Column<unknown>) => Decoder | undefined;
}

const plainText: Coding = { encode: asText, decoder: () => undefined };
const otherText: Coding = { encode: asText, decoder: () => decodeText };
const integers: Coding = { encode: Number, decoder: () => decodeInteger };

const codings: Readonly<Record<Column<unknown>['kind'], Coding>> = {
  id: plainText,
  text: plainText,
  longtext: plainText,
  bigint: otherText,
  decimal: otherText,
  date: otherText,
  label: otherText,
  clock: otherText,
  set: otherText,
  jsontext: otherText,
  uuid: otherText,
  inet: otherText,
  long: integers,
  minor: integers,
  year: integers,
  int: {
    encode: encodeInteger,
    decoder: ({ isLoose }) => (isLoose === true ? decodeLooseInteger : decodeInteger),
  },
  float: { encode: Number, decoder: (column) => (isSingle(column) ? decodeSingle : decodeFloat) },
  flag: {
    encode: (value) => (value === true ? 1 : 0),
    decoder: ({ isTruth }) => (isTruth === true ? decodeTruth : decodeFlag),
  },
  time: { encode: encodeTime, decoder: () => decodeTime },
  moment: { encode: encodeTime, decoder: () => decodeMoment },
  json: { encode: (value) => JSON.stringify(value), decoder: () => decodeJson },
  bits: { encode: (value) => bytesOfInteger(BigInt(asText(value))), decoder: () => decodeText },
  bytes: { encode: (value) => bytesFrom(asText(value)), decoder: () => decodeText },
};

/** The reverse of `encode`, for values that `readSql` reads. Undefined where they need no decoding. */
export const decoderOf = (column: Column<unknown>): Decoder | undefined =>
  codings[column.kind].decoder(column);

/** The reverse of `encode`, for one value. */
export const decode = (column: Column<unknown>, raw: unknown): unknown =>
  (decoderOf(column) ?? decodeText)(raw);

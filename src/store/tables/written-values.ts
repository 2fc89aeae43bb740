import { isIP } from 'node:net';
import { anyText, refusedCharacterAt } from '../../core/checked-text.js';
import { badInput } from '../../core/errors.js';
import { canonicalDecimal, isDate, isInteger64, isUuid } from './canonical.js';
import { isSingle, shortFloat } from './float.js';
import { bytesShownMax, keepsTexts } from './foreign-kinds.js';
import type { Column } from './column.js';

type Check = (value: never, column: Column<unknown>, path: string) => unknown;

/**
 * Values that callers write to tables of others, by the kind of their column. What a database would round, cut off or
 * take for another value is refused.
 */
const checks: Partial<Record<Column<unknown>['kind'], Check>> = {
  text: written,
  longtext: written,
  label: (value: string, { described }, path) => {
    if (described?.words?.includes(value) === true) return value;
    throw badInput(`\`${path}\` has none of the words of its column.`, path);
  },
  int: integer,
  bigint: integer,
  year: integer,
  decimal,
  float,
  flag: (value: boolean) => value,
  date: day,
  moment: (value: string, { described }, path) => {
    const fraction = /\.(\d*?)0*Z$/.exec(value)?.[1] ?? '';
    if (fraction.length > (described?.precision ?? 0))
      throw badInput(
        `\`${path}\` is more exact than its column: leave the fraction of the second out.`,
        path,
      );
    return fraction === '' ? value.replace(/\.\d*Z$/, 'Z') : value.replace(/0*Z$/, 'Z');
  },
  clock: (value: string, { described }, path) => {
    const [, hours = '999', fraction = ''] = /^-?(\d{2,3})(?::[0-5]\d){2}(?:\.(\d+))?$/.exec(value) ?? [];
    if (Number(hours) <= 838 && fraction.length <= (described?.precision ?? 0)) return value;
    throw badInput(`\`${path}\` is a time such as 09:30:00, as exact as its column.`, path);
  },
  bits: (value: string | number, { described }, path) => {
    const most = 2n ** BigInt(described?.precision ?? 1) - 1n;
    return String(wholeNumber(value, 0n, most, path));
  },
  set: (value: string, { described }, path) => {
    const words = value === '' ? [] : value.split(',');
    if (
      new Set(words).size === words.length &&
      words.every((word) => described?.words?.includes(word) === true)
    )
      return value;
    throw badInput(`\`${path}\` is words of its column with commas between them, each once.`, path);
  },
  inet: (value: string, { described }, path) => {
    if (isIP(value) === (described?.type === 'inet4' ? 4 : 6)) return value;
    throw badInput(`\`${path}\` is an address such as 192.0.2.1 or 2001:db8::1, as its column holds.`, path);
  },
  jsontext: (value: string, column, path) => {
    try {
      JSON.parse(value);
    } catch {
      throw badInput(`\`${path}\` is no JSON.`, path);
    }
    return written(value, column, path);
  },
  uuid: (value: string, _column, path) => {
    if (isUuid(value.toLowerCase())) return value.toLowerCase();
    throw badInput(`\`${path}\` is a UUID such as "0b1f6c1e-7d0a-4c3e-9a55-0d2f3c4b5a69".`, path);
  },
  bytes,
};

/** How a column stores what is written. While this stays, a value that was checked is stored as it is. */
export function storageOf(column: Column<unknown>): string {
  const { kind, described, scale, length, isLoose } = column;
  const { type = '', precision } = described ?? {};
  const isTime = kind === 'moment' || kind === 'clock';
  const isFilledUp = type === 'char' || type === 'binary';
  if (isLoose === true) return keepsTexts(type) ? 'texts' : 'numbers';
  if (isTime) return `${type}(${String(precision ?? 0)})`;
  if (kind === 'float') return `${type}(${String(scale ?? '')})`;
  if (isFilledUp) return type === 'char' ? type : `${type}(${String(length ?? '')})`;
  return kind === 'inet' ? type : '';
}

export const isWritable = ({ kind }: Column<unknown>): boolean => kind in checks;

/**
 * A value as the column stores it, the very same. Throws `BAD_USER_INPUT` where the column could not hold it exactly.
 * @param value null, or coerced to the field's type
 */
export function writtenValue(column: Column<unknown>, value: unknown, path: string): unknown {
  if (value === null) {
    if (!column.nullable) throw badInput(`\`${path}\` cannot be null.`, path);
    return null;
  }
  const check = checks[column.kind];
  if (check === undefined) throw new Error(`A column of the kind ${column.kind} is not written.`);
  return check(value as never, column, path);
}

/** A text that SQLite takes for a number. */
const numeral = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** Where a column of text has no length of its own, the database tells what is too long. */
const longest = 16_000_000;

function written(value: string, { length, described, isLoose }: Column<unknown>, path: string): string {
  const text = anyText(value, length ?? longest, path);
  if (refusedCharacterAt(text) !== -1)
    throw badInput(`\`${path}\` has characters that no text may have.`, path);
  if (isLoose !== true && described?.type === 'char' && text.endsWith(' '))
    throw badInput(`\`${path}\` ends with a space, which its column leaves out.`, path);
  if (isLoose === true && !keepsTexts(described?.type ?? '') && numeral.test(text))
    throw badInput(`\`${path}\` looks like a number, which its column would store instead.`, path);
  return text;
}

const bytesOfInteger: Readonly<Record<string, number>> = { tinyint: 1, smallint: 2, mediumint: 3, int: 4 };

function integer(value: number | string, column: Column<unknown>, path: string): number | string {
  const { kind, described } = column;
  // A year of one or two digits would be one of this century.
  if (described?.type === 'year' && Number(value) === 0) return 0;
  const { least, most } = integerRange(column);
  const number = wholeNumber(value, least, most, path);
  return kind === 'bigint' || !Number.isSafeInteger(Number(number)) ? String(number) : Number(number);
}

/** The integers that a column of integers holds. */
export function integerRange({ described, isLoose }: Column<unknown>): { least: bigint; most: bigint } {
  const { type = '', isUnsigned } = described ?? {};
  if (type === 'year') return { least: 1901n, most: 2155n };
  // SQLite's integers have 64 bits, whatever their type is called.
  const bits = BigInt(8 * ((isLoose === true ? undefined : bytesOfInteger[type]) ?? 8));
  if (isUnsigned === true) return { least: 0n, most: 2n ** bits - 1n };
  return { least: -(2n ** (bits - 1n)), most: 2n ** (bits - 1n) - 1n };
}

function wholeNumber(value: number | string, least: bigint, most: bigint, path: string): bigint {
  const number = isInteger64(String(value)) ? BigInt(value) : undefined;
  if (number !== undefined && number >= least && number <= most) return number;
  throw badInput(`\`${path}\` is a whole number from ${String(least)} to ${String(most)}.`, path);
}

/** The digits that every decimal keeps as a float. */
const floatDigits = 15;

function float(value: number, column: Column<unknown>, path: string): number {
  const { scale } = column;
  const isRounded = scale !== undefined && Number(value.toFixed(scale)) !== value;
  if (isRounded || (isSingle(column) && shortFloat(value) !== value))
    throw badInput(`\`${path}\` has more digits than its column stores.`, path);
  return value;
}

function decimal(value: string, { described, scale = 0, isLoose }: Column<unknown>, path: string): string {
  const [, before = '', after = ''] = /^-?0*(\d*?)(?:\.(\d*?)0*)?$/.exec(value) ?? [];
  const { precision = floatDigits } = described ?? {};
  // SQLite's decimals are floats, whatever digits their type names.
  if (isLoose === true && before.length + after.length > floatDigits)
    throw badInput(`\`${path}\` has at most ${String(floatDigits)} digits.`, path);
  if (isLoose === true && described?.precision === undefined) return value;
  if (before.length > precision - scale || after.length > scale)
    throw badInput(
      `\`${path}\` has at most ${String(precision - scale)} digits before the point and ${String(scale)} after it.`,
      path,
    );
  return isLoose === true ? value : canonicalDecimal(value, scale);
}

/** SQLite's times are texts, which others write in this form. */
const dayAndTime = /^(\S+)[ T](?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{1,6})?$/;

function day(value: string, { described, isLoose }: Column<unknown>, path: string): string {
  const [, date = value] = (isLoose === true && described?.type !== 'date' && dayAndTime.exec(value)) || [];
  if (isDate(date)) return value;
  throw badInput(`\`${path}\` is a day such as 2026-03-01.`, path);
}

function bytes(base64: string, { length, described, isLoose }: Column<unknown>, path: string): string {
  const value = Buffer.from(base64, 'base64');
  if (value.toString('base64') !== base64) throw badInput(`\`${path}\` is bytes in base64.`, path);
  const max = Math.min(length ?? bytesShownMax, bytesShownMax);
  const isFilledUp = isLoose !== true && described?.type === 'binary' && value.length !== length;
  if (value.length > max || isFilledUp)
    throw badInput(`\`${path}\` has ${isFilledUp ? 'exactly' : 'at most'} ${String(max)} bytes.`, path);
  return value.toString('hex').toUpperCase();
}

import { badInput } from '../core/errors.js';
import { amountMinorMax, placesOf } from '../core/money.js';
import { paragraphs, visibleLine } from '../core/checked-text.js';
import { quoted, timeReader } from './time-formats.js';
import type { Field, Value } from './importable-tables.js';

/**
 * Converts a text to a field's value. Throws `BAD_USER_INPUT`. `places` are the decimal places of the row's
 * currency.
 */
export type Reader = (text: string, places: number | undefined) => Value;

interface ReaderOptions {
  /** The format of a time; see `timeReader`. */
  readonly format?: string | undefined;
  /** How many places to move the decimal point to the right. */
  readonly shift?: number | undefined;
  readonly numbers?: NumberFormat | undefined;
}

/** The format of numbers. */
export interface NumberFormat {
  readonly decimal: '.' | ',';
  /** The thousands separator, if one is allowed. */
  readonly group?: '.' | ',' | ' ' | "'" | undefined;
}

const intMax = 2_147_483_647;
const longtextMax = 20_000;
const basisPointsMax = 10_000;

export function readerOf(field: Field, { format, shift, numbers }: ReaderOptions): Reader {
  switch (field.kind) {
    case 'id':
      return (text) => text;
    case 'text':
      return textReader(field);
    case 'longtext':
      return (text) => paragraphs(text, longtextMax, field.name);
    case 'int':
      return (text) => integer(field, shifted(text, shift ?? 0, numbers));
    case 'minor':
      return (text, places) => amount(shifted(text, shift ?? places ?? 2, numbers));
    case 'flag':
      return flag;
    case 'time':
      return timeReader(format);
    case 'long':
    case 'bigint':
    case 'decimal':
    case 'float':
    case 'date':
    case 'moment':
    case 'label':
    case 'year':
    case 'clock':
    case 'bits':
    case 'bytes':
    case 'set':
    case 'jsontext':
    case 'uuid':
    case 'inet':
    case 'json':
      return () => {
        throw badInput(`\`${field.name}\` cannot be imported.`);
      };
  }
}

function textReader({ name, length = 0, values }: Field): Reader {
  return (text) => {
    // Exports put line breaks into addresses; they become spaces.
    const line = visibleLine(text.replace(/\s*[\r\n\t]+\s*/g, ' '), length, name);
    if (values !== undefined && !values.includes(line))
      throw badInput(`${JSON.stringify(line)} is none of ${values.join(', ')}.`);
    if (name === 'currency') placesOf(line);
    return line;
  };
}

/** A decimal times a power of ten, exactly: `0.15` with 4 places is 1500. */
export function shifted(text: string, places: number, numbers: NumberFormat = { decimal: '.' }): bigint {
  const parts = /^([+-]?)(\d{1,18})(?:[.,](\d*))?$/.exec(ungrouped(text, numbers));
  const other = numbers.decimal === '.' ? ',' : '.';
  if (parts === null || parts[0].includes(other)) {
    const example = places === 0 ? '12' : `12${numbers.decimal}50`;
    throw badInput(`${quoted(text)} is no decimal number, such as ${example}.`);
  }
  const [, sign = '', whole = '', digits = ''] = parts;
  const fraction = digits.replace(/0+$/, '');
  if (fraction.length > places) {
    throw badInput(
      places === 0
        ? `${text} is no whole number.`
        : `${text} has more than ${String(places)} decimal places.`,
    );
  }
  return BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction.padEnd(places, '0')}`);
}

/** Removes thousands separators that stand between full groups. */
function ungrouped(text: string, { decimal, group }: NumberFormat): string {
  if (group === undefined) return text;
  const between = group === ' ' ? '[ \u00a0\u202f]' : `\\${group}`;
  const grouped = new RegExp(`^[+-]?\\d{1,3}(?:${between}\\d{3})+(?:\\${decimal}\\d*)?$`);
  return grouped.test(text) ? text.replace(new RegExp(between, 'g'), '') : text;
}

function integer({ name }: Field, value: bigint): number {
  const whole = Number(value);
  if (Math.abs(whole) > intMax) throw badInput(`${String(value)} is too large.`);
  if (name === 'discountBasisPoints' && (whole < 0 || whole > basisPointsMax))
    throw badInput(
      `A discount lies between 0 and ${String(basisPointsMax)} basis points, not ${String(value)}.`,
    );
  return whole;
}

export function amount(value: bigint): number {
  const minor = Number(value);
  if (Math.abs(minor) > amountMinorMax) throw badInput('The amount is too large.');
  return minor;
}

function flag(text: string): boolean {
  const word = text.toLowerCase();
  if (['1', 'true', 'yes'].includes(word)) return true;
  if (['0', 'false', 'no'].includes(word)) return false;
  throw badInput(`${JSON.stringify(text)} is neither true nor false, 1 nor 0, yes nor no.`);
}

/** Quantity times price minus discount, rounded half up to minor units. */
export function lineTotal(quantity: number, unitPriceMinor: number, discountBasisPoints: number): number {
  const parts = BigInt(quantity) * BigInt(unitPriceMinor) * BigInt(basisPointsMax - discountBasisPoints);
  const whole = BigInt(basisPointsMax);
  const rounded = (parts + whole / 2n) / whole;
  return amount(parts + whole / 2n < 0n && (parts + whole / 2n) % whole !== 0n ? rounded - 1n : rounded);
}

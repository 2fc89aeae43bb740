import type { Column } from './column.js';

const integer = /^(?:0|-?[1-9]\d*)$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const bytes = /^(?:[0-9A-F]{2})*$/;
const moment = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{0,5}[1-9])?Z$/;

/** Whether a text is the one in which a column's value is read, so that no value has two. */
export function isCanonical(column: Column<unknown>, text: string): boolean {
  switch (column.kind) {
    case 'int':
    case 'bigint':
      // Databases take a larger one for the largest.
      return integer.test(text) && isInteger64(text);
    case 'decimal':
      return isDecimal(text, column.scale ?? 0);
    case 'uuid':
      return isUuid(text);
    case 'bytes':
      return bytes.test(text);
    case 'date':
      return column.isLoose === true || isDate(text) || isNoDay(text);
    case 'moment': {
      const day = moment.exec(text)?.[1];
      return day !== undefined && (isDate(day) || isNoDay(day));
    }
    default:
      return true;
  }
}

export const isUuid = (text: string): boolean => uuid.test(text);

/** Whether a text is an integer of 64 bits, signed or unsigned. */
export function isInteger64(text: string): boolean {
  if (!/^-?\d{1,20}$/.test(text)) return false;
  const value = BigInt(text);
  return value >= -(2n ** 63n) && value < 2n ** 64n;
}

/** Whether a text such as `2026-02-28` is a day. */
export function isDate(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) && !isNoDay(text);
}

/** Whether a date has no year, no month or no day, as MySQL allows it. */
export const isNoDay = (text: string): boolean => /^(?:0000|\d{4}-00|\d{4}-\d\d-00)/.test(text);

/** 65 digits, a sign and a point. */
const digitsMax = 67;

/** A decimal as the database writes it: with all digits of its scale, and no more before the point than needed. */
export function canonicalDecimal(text: string, scale: number): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)0*(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  const digits = fraction.slice(0, scale).padEnd(scale, '0');
  const number = `${whole === '' ? '0' : whole}${scale === 0 ? '' : `.${digits}`}`;
  return /^[0.]*$/.test(number) ? number : sign + number;
}

function isDecimal(text: string, scale: number): boolean {
  const [whole = '', fraction = ''] = text.split('.');
  const isForm = /^-?(?:0|[1-9]\d{0,64})$/.test(whole) && fraction.length === scale && /^\d*$/.test(fraction);
  return isForm && text.length <= digitsMax && text.includes('.') === scale > 0 && !/^-[0.]*$/.test(text);
}

import { badInput, type BehalfError } from '../../core/errors.js';
import { isDate } from '../../store/tables/canonical.js';
import type { Column } from '../../store/tables/column.js';

/**
 * A value that code gives, in the form in which callers would have sent it. Throws `BAD_USER_INPUT` for what is no value of
 * the column.
 */
export function formed({ kind }: Column<unknown>, value: unknown, path: string): unknown {
  switch (kind) {
    case 'int':
    case 'bigint':
    case 'year':
    case 'bits':
      return wholeNumber(value, path);
    case 'decimal':
      return decimal(value, path);
    case 'float':
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw isNo('number', path);
    case 'flag':
      if (typeof value === 'boolean') return value;
      throw badInput(`\`${path}\` is true or false.`, path);
    case 'moment':
      return moment(value, path);
    case 'bytes':
      return base64(value, path);
    default:
      return text(value, path);
  }
}

const isNo = (what: string, path: string): BehalfError => badInput(`\`${path}\` is no ${what}.`, path);

function text(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw isNo('text', path);
}

/** JavaScript has rounded larger numbers already. */
function wholeNumber(value: unknown, path: string): string {
  const isExact = typeof value === 'bigint' || typeof value === 'string' || Number.isSafeInteger(value);
  if (isExact && /^-?\d+$/.test(String(value))) return String(value);
  throw isNo('whole number: give those beyond 2^53 as texts', path);
}

function decimal(value: unknown, path: string): string {
  const digits = typeof value === 'number' ? String(value) : value;
  if (typeof digits === 'string' && /^-?\d{1,35}(?:\.\d{1,30})?$/.test(digits)) return digits;
  throw isNo('decimal number such as "1234.50"', path);
}

const inUtc = /^(?!0000)(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{1,6})?Z$/;

function moment(value: unknown, path: string): string {
  const time = text(value, path);
  if (isDate(inUtc.exec(time)?.[1] ?? '')) return time;
  throw isNo('time in UTC such as "2026-03-01T09:30:00.000Z"', path);
}

/** Rows hold bytes as hexadecimal digits, and callers send base64. */
function base64(value: unknown, path: string): string {
  const digits = text(value, path);
  if (/^(?:[0-9A-Fa-f]{2})*$/.test(digits)) return Buffer.from(digits, 'hex').toString('base64');
  throw isNo('text of hexadecimal digits, two for each byte', path);
}

import { badInput, type BehalfError } from '../../core/errors.js';
import { isDate } from '../../store/tables/canonical.js';
import type { Column } from '../../store/tables/table.js';
import { isWritable, writtenValue } from '../../store/tables/written-values.js';
import type { OwnTable } from './own-table.js';
import { knownColumn } from './own-conditions.js';

type Columns = Readonly<Record<string, unknown>>;

/**
 * Values that code gives, as their columns store them, the very same; those that are undefined are left out. Throws
 * `BAD_USER_INPUT` for one that a column cannot hold.
 */
export function givenValues({ table }: OwnTable, given: Columns): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const column = table.columns[knownColumn(table, name)];
    if (column === undefined)
      throw new Error(`The id of ${table.type} is made of its key: give its columns.`);
    if (column.isGenerated === true)
      throw new Error(`The database computes ${name} of ${table.type}: it cannot be written.`);
    if (!isWritable(column))
      throw new Error(`${name} of ${table.type} is of a kind that cannot be written: ${column.kind}.`);
    if (value !== undefined) written[name] = stored(column, value, name.slice(1));
  }
  return written;
}

const stored = (column: Column<unknown>, value: unknown, path: string): unknown =>
  writtenValue(column, value === null ? null : formed(column, value, path), path);

/** A value in the form in which callers of declared mutations would have sent it. */
function formed({ kind }: Column<unknown>, value: unknown, path: string): unknown {
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

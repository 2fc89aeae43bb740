import { anyText } from '../../core/checked-text.js';
import { badInput } from '../../core/errors.js';
import { isDate, isInteger64, isUuid } from '../../store/tables/canonical.js';
import type { Column } from '../../store/tables/column.js';

/** The longest text to be found in a column that has no length. */
const lengthMax = 1_000;

/** The form in which a caller's value is compared with a column of others. Throws `BAD_USER_INPUT` for another form. */
export function comparedValue(column: Column<unknown>, value: unknown, path: string): unknown {
  if (typeof value !== 'string') return value;
  const { kind } = column;
  switch (kind) {
    case 'int':
    case 'bigint':
    case 'bits':
      if (isInteger64(value)) return value;
      throw badInput(`\`${path}\` is an integer of at most 64 bits, such as "1234".`, path);
    case 'flag':
      if (/^(?:true|false)$/.test(value)) return value === 'true';
      throw badInput(`\`${path}\` is true or false.`, path);
    case 'decimal':
      if (/^-?\d{1,35}(?:\.\d{1,30})?$/.test(value)) return value;
      throw badInput(`\`${path}\` is a decimal number such as "1234.50".`, path);
    case 'uuid':
      if (isUuid(value.toLowerCase())) return value.toLowerCase();
      throw badInput(`\`${path}\` is a UUID such as "0b1f6c1e-7d0a-4c3e-9a55-0d2f3c4b5a69".`, path);
    case 'bytes':
      return hexOf(value, path);
    case 'date':
      if (column.isLoose === true || isDate(value)) return anyText(value, lengthMax, path);
      throw badInput(`\`${path}\` is a day such as "2026-03-01".`, path);
    case 'moment':
      // SQLite compares times as texts, and others write none of a fraction of zero.
      return value.replace(/\.0+Z$/, 'Z');
    default:
      return anyText(value, column.length ?? lengthMax, path);
  }
}

function hexOf(base64: string, path: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') === base64) return bytes.toString('hex').toUpperCase();
  throw badInput(`\`${path}\` is bytes in base64.`, path);
}

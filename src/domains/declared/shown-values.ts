import { BehalfError } from '../../core/errors.js';
import { bytesShownMax } from '../../store/tables/foreign-kinds.js';
import { isNoDay } from '../../store/tables/canonical.js';
import type { Column } from '../../store/tables/table.js';

type Shown = (value: unknown) => unknown;

/** How callers see a value that was read. Undefined where they see it as it is. */
export function shownBy({ kind, isLoose, isWide }: Column<unknown>, type: string): Shown | undefined {
  if (isWide === true && type === 'Int') return smallInteger;
  if (kind === 'bytes') return base64;
  const isDay = (kind === 'date' && isLoose !== true) || kind === 'moment';
  return isDay ? dayOrNone : undefined;
}

const intMax = 2 ** 31;

const smallInteger: Shown = (value) => {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || (number >= -intMax && number < intMax)) return value;
  throw new BehalfError('LIMIT_EXCEEDED', `The value ${String(value)} is larger than Int can be.`, {
    hint: 'Whoever maps the field can give it the type BigInt.',
  });
};

/** A date without a year, month or day is none. */
const dayOrNone: Shown = (value) => (typeof value === 'string' && isNoDay(value) ? null : value);

const base64: Shown = (value) => {
  if (typeof value !== 'string') return value;
  if (value.startsWith('-'))
    throw new BehalfError(
      'LIMIT_EXCEEDED',
      `The value has ${value.slice(1)} bytes, and at most ${String(bytesShownMax)} are shown.`,
    );
  // SQLite can hold a text in a column of bytes.
  const text = value.startsWith('t!') ? Buffer.from(value.slice(2)) : Buffer.from(value, 'hex');
  return text.toString('base64');
};

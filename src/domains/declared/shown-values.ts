import { BehalfError, unavailable } from '../../core/errors.js';
import { bytesShownMax } from '../../store/tables/foreign-kinds.js';
import { isNoDay } from '../../store/tables/canonical.js';
import type { Column } from '../../store/tables/column.js';

type Shown = (value: unknown) => unknown;

/**
 * How callers see a value that was read. Undefined where they see it as it is.
 * @param where the table and the column, for the operator
 */
export function shownBy(
  { kind, isLoose, isWide }: Column<unknown>,
  type: string,
  where: string,
): Shown | undefined {
  const isOfType = isLoose === true ? types.get(type) : undefined;
  if (isOfType !== undefined) return checked(type === 'Int' ? smallInteger : same, isOfType, type, where);
  if (isWide === true && type === 'Int') return smallInteger;
  if (kind === 'bytes') return base64;
  const isDay = (kind === 'date' && isLoose !== true) || kind === 'moment';
  return isDay ? dayOrNone : undefined;
}

const same: Shown = (value) => value;

/** The types that a value of SQLite, which may be any in any column, cannot always be shown as. */
const types: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['Int', (value: unknown) => Number.isInteger(value)],
  ['Float', (value: unknown) => Number.isFinite(value)],
  ['Boolean', (value: unknown) => typeof value === 'boolean'],
]);

const checked =
  (shown: Shown, isOfType: (value: unknown) => boolean, type: string, where: string): Shown =>
  (value) => {
    const found = shown(value);
    if (found === null || found === undefined || isOfType(found)) return found;
    throw unavailable(new Error(`${where} has a value that is no ${type}`));
  };

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
      `The value has ${value.split('-')[1] ?? ''} bytes, and at most ${String(bytesShownMax)} are shown.`,
    );
  // SQLite can hold a text in a column of bytes.
  const text = value.startsWith('t!') ? Buffer.from(value.slice(2)) : Buffer.from(value, 'hex');
  return text.toString('base64');
};

import { unavailable } from '../../core/errors.js';
import type { Column } from '../tables/column.js';
import type { AnyTable } from '../tables/table.js';

type Decoder = (raw: unknown) => unknown;
type IsOfKind = (raw: unknown) => boolean;

const isNumeric: IsOfKind = (raw) =>
  typeof raw === 'string' ? /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(raw) : typeof raw === 'number';
const isWhole: IsOfKind = (raw) =>
  typeof raw === 'string'
    ? /^-?\d+$/.test(raw)
    : typeof raw === 'bigint' || (typeof raw === 'number' && Number.isInteger(raw));
const isText: IsOfKind = (raw) => typeof raw === 'string';

/** What drivers give for the values of a kind, as they are read. A kind that is missing takes any value for its own. */
const kinds: Readonly<Partial<Record<Column<unknown>['kind'], IsOfKind>>> = {
  int: (raw) => typeof raw === 'number' && Number.isSafeInteger(raw),
  bigint: isWhole,
  decimal: isNumeric,
  float: isNumeric,
  text: isText,
  longtext: isText,
};

/**
 * Decodes values of a table of others, which may have changed since it was described. A value of another kind, or none
 * where there was always one, throws `UNAVAILABLE` instead of being shown as something else.
 */
export function checkedDecoder(
  table: AnyTable,
  column: string,
  description: Column<unknown>,
  decode: Decoder | undefined,
): Decoder {
  // SQLite holds any value in any column; its readers know.
  const isOfKind = description.isLoose === true ? undefined : kinds[description.kind];
  const refuse = (what: string): never => {
    throw unavailable(new Error(`${table.name}.${column.slice(1)} has a value that is ${what}`));
  };
  return (raw) => {
    if (raw === null || raw === undefined) return description.nullable ? null : refuse('missing');
    if (isOfKind?.(raw) === false) return refuse(`no ${description.kind}`);
    return decode === undefined ? raw : decode(raw);
  };
}

import { anyText, oneLine } from '../../core/checked-text.js';
import { badInput } from '../../core/errors.js';
import { minorOf, type Money } from '../../core/money.js';
import { filterBy, orderBy, type ScopeOf } from '../../store/bounded/filter.js';
import type { ListQuery } from '../../store/bounded/page.js';
import { all, compare, eq, isIn, type Condition } from '../../store/sql/condition.js';
import type { Order } from '../../store/sql/connection.js';
import type { Column } from '../../store/tables/column.js';
import { comparedValue } from './compared-values.js';
import type { FieldDeclaration, FilterKind } from './declaration.js';
import { toStored } from './enums.js';

/** A row of a declared type: its columns by their properties. */
export type Row = { readonly id: string } & Readonly<Record<string, unknown>>;

/** The arguments of every field that returns a page. */
export interface ListArgs {
  readonly filter?: Record<string, never> | null;
  readonly orderBy?: Readonly<Record<string, 'ASC' | 'DESC' | null>> | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** How rows of one type are filtered and sorted. */
export interface Listing {
  readonly filterType: string;
  readonly filters: Readonly<Record<string, (value: never) => Condition<Row>>>;
  readonly orderType: string;
  /** The property by which each field of the order sorts. */
  readonly columns: Readonly<Record<string, string>>;
  readonly fallback: Order<Row>;
}

export function listQuery(
  { filterType, filters, orderType, columns, fallback }: Listing,
  { filter, orderBy: sorting, first, after }: ListArgs,
  { scopeOf }: { readonly scopeOf: ScopeOf },
): ListQuery<Row> {
  const chosen = filterBy<Row, Record<string, never>>(scopeOf, filterType, filter, filters);
  const sorted = orderBy<Row>(scopeOf, orderType, sorting, columns, fallback);
  return {
    where: chosen.where,
    scopes: [...chosen.scopes, ...sorted.scopes],
    order: sorted.order,
    first,
    after,
  };
}

const valuesMax = 100;

/** How a condition reads its value and compares it with the property. */
export interface ComparedColumn {
  readonly property: string;
  /** The longest text of the column. */
  readonly lengthMax: number;
  readonly isEnum: boolean;
  /** Set where others write the column, so that a text in it may be any. */
  readonly foreign: Column<unknown> | undefined;
  /** The property of an amount's currency. */
  readonly currency?: string;
}

/** The condition that is made from a field. Values were coerced to the field's type already. */
export function conditionOf(
  field: Pick<FieldDeclaration, 'type'>,
  by: FilterKind,
  path: string,
  column: ComparedColumn,
): (value: never) => Condition<Row> {
  const { property } = column;
  const stored = (value: unknown): unknown => storedValue(value, path, column);
  const ordered = (value: unknown): unknown => (column.foreign === undefined ? value : stored(value));
  switch (by) {
    case 'EQUALS':
      return (value: unknown) => eq(property, stored(value));
    case 'ONE_OF':
      return (values: readonly unknown[]) => isIn(property, few(values, path).map(stored));
    case 'STARTS_WITH':
      return (value: string) => {
        return column.foreign === undefined
          ? startsWith(property, oneLine(value, column.lengthMax, path))
          : { kind: 'prefix', column: property, value: anyText(value, column.lengthMax, path) };
      };
    case 'FROM':
      return (time: string) => compare(property, '>=', ordered(time));
    case 'BEFORE':
      return (time: string) => compare(property, '<', ordered(time));
    case 'AT_LEAST':
    case 'AT_MOST': {
      const op = by === 'AT_LEAST' ? '>=' : '<=';
      const { currency } = column;
      if (currency === undefined || field.type !== 'Money')
        return (value: unknown) => compare(property, op, ordered(value));
      return (money: Money) =>
        all(eq<Row>(currency, money.currency), compare(property, op, minorOf(money, path)));
    }
  }
}

function few(values: readonly unknown[], path: string): readonly unknown[] {
  if (values.length > valuesMax) {
    throw badInput(`\`${path}\` may have at most ${String(valuesMax)} values.`, path);
  }
  return values;
}

/** A value as the column holds it. */
export function storedValue(value: unknown, path: string, column: ComparedColumn): unknown {
  if (column.foreign !== undefined) return comparedValue(column.foreign, value, path);
  if (typeof value !== 'string') return value;
  if (column.isEnum) return toStored(value);
  return oneLine(value, column.lengthMax, path);
}

/** Uses a range, because LIKE ignores case on only one of the databases. */
const startsWith = (property: string, prefix: string): Condition<Row> =>
  all(compare(property, '>=', prefix), compare(property, '<', `${prefix}\u{10ffff}`));

import { badInput } from '../../core/errors.js';
import { minorOf, type Money } from '../../core/money.js';
import { oneLine } from '../../core/checked-text.js';
import { all, compare, eq, isIn, type Condition } from '../../store/sql/condition.js';
import type { Order } from '../../store/sql/connection.js';
import { filterBy, orderBy, type ScopeOf } from '../../store/bounded/filter.js';
import type { ListQuery } from '../../store/bounded/page.js';
import { toStored } from './enums.js';

/** The arguments of every field that returns a page. */
export interface ListArgs<Filter> extends PageArgs {
  readonly filter?: Filter | null;
  readonly orderBy?: Readonly<Record<string, 'ASC' | 'DESC' | null>> | null;
}
export interface PageArgs {
  readonly first?: number | null;
  readonly after?: string | null;
}

/** How rows of one type are filtered and sorted. */
export interface Listing<Row, Filter extends object> {
  readonly filterType: string;
  readonly filters: Parameters<typeof filterBy<Row, Filter>>[3];
  readonly orderType: string;
  readonly columns: Readonly<Record<string, keyof Row & string>>;
  readonly fallback: Order<Row>;
}

export function listQuery<Row, Filter extends object>(
  listing: Listing<Row, Filter>,
  args: ListArgs<Filter>,
  operation: { readonly scopeOf: ScopeOf },
): ListQuery<Row> {
  const { scopeOf } = operation;
  const filter = filterBy<Row, Filter>(scopeOf, listing.filterType, args.filter, listing.filters);
  const sorted = orderBy<Row>(scopeOf, listing.orderType, args.orderBy, listing.columns, listing.fallback);
  return {
    where: filter.where,
    scopes: [...filter.scopes, ...sorted.scopes],
    order: sorted.order,
    first: args.first,
    after: args.after,
  };
}

const valuesMax = 100;

function few(values: readonly string[], path: string): readonly string[] {
  if (values.length > valuesMax) {
    throw badInput(`\`${path}\` may have at most ${String(valuesMax)} values.`, path);
  }
  return values;
}

/** Whether the column has one of these texts. A text longer than the column is refused. */
export const isOneOf =
  <Row>(column: keyof Row & string, lengthMax: number, path: string) =>
  (values: readonly string[]): Condition<Row> =>
    isIn(
      column,
      few(values, path).map((value) => oneLine(value, lengthMax, path)),
    );

/** Whether the column has one of these enum values. */
export const isEnumOf =
  <Row>(column: keyof Row & string, path: string) =>
  (values: readonly string[]): Condition<Row> =>
    isIn(column, few(values, path).map(toStored));

export const atOrAfter =
  <Row>(column: keyof Row & string) =>
  (time: string): Condition<Row> =>
    compare(column, '>=', time);

export const before =
  <Row>(column: keyof Row & string) =>
  (time: string): Condition<Row> =>
    compare(column, '<', time);

/** Uses a range, because LIKE ignores case on only one of the databases. */
export const startsWith =
  <Row>(column: keyof Row & string, lengthMax: number, path: string) =>
  (value: string): Condition<Row> => {
    const prefix = oneLine(value, lengthMax, path);
    return all(compare(column, '>=', prefix), compare(column, '<', `${prefix}\u{10ffff}`));
  };

/** Amounts compare within one currency only. */
export const amountBound =
  <Row extends { currency: string }>(column: keyof Row & string, op: '>=' | '<=', path: string) =>
  (money: Money): Condition<Row> =>
    all(eq<Row>('currency', money.currency), compare(column, op, minorOf(money, path)));

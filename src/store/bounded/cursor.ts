import { badInput } from '../../core/errors.js';
import { sha256 } from '../../core/digest.js';
import type { TextSeal } from '../../core/text-seal.js';
import { all, any, compare, eq, isNull, not, type Condition } from '../sql/condition.js';
import type { Order } from '../sql/connection.js';
import type { Table } from '../tables/table.js';

/** Makes an order total: it ends at the first unique column, or else the columns of the key are appended. */
export function totalOrder<Row extends { id: string }>(
  table: Table<Row>,
  order: readonly Order<Row>[],
): Order<Row>[] {
  const telling = order.findIndex(({ column }) => table.columns[column].isUnique === true);
  // With columns after a unique one, the database would sort instead of following the index.
  if (telling >= 0) return order.slice(0, telling + 1);
  const direction = order[0]?.direction ?? 'asc';
  const key = (table.key?.columns ?? ['id']) as readonly (keyof Row & string)[];
  const missing = key.filter((one) => !order.some(({ column }) => column === one));
  // No index holds the key of a view: it may have texts that the collation takes for equal.
  const alike =
    table.isView === true ? key.filter((column) => table.columns[column].isCollated === true) : [];
  return [
    ...order,
    ...missing.map((column) => ({ column, direction })),
    ...alike.map((column) => ({ column, direction, byBytes: true as const })),
  ];
}

/** Makes and reads the cursors of one list for one caller. They are invalid anywhere else. */
export class Cursors {
  private context: string | undefined;

  constructor(
    private readonly seal: TextSeal,
    /**
     * Identifies the list; JSON-safe. Its digest is computed on first use, because most answers need no
     * cursor.
     */
    private readonly list: readonly unknown[],
  ) {}

  cursor(values: readonly unknown[]): string {
    return this.seal.seal(this.contextText, JSON.stringify(values));
  }

  /** The values in a cursor. Throws `BAD_USER_INPUT` for any other text. */
  values(cursor: string): unknown[] {
    const text = this.seal.open(this.contextText, cursor);
    if (text !== undefined) return JSON.parse(text) as unknown[];
    throw badInput('This cursor does not belong to this list. Start again without `after`.', 'after');
  }

  private get contextText(): string {
    return (this.context ??= sha256(JSON.stringify(this.list)));
  }
}

/** The cursor of a row in an order. */
export const cursorOf = <Row>(cursors: Cursors, order: readonly Order<Row>[], row: Row): string =>
  cursors.cursor(order.map((by) => row[by.column]));

/**
 * The rows after a cursor. NULL is sorted before every value. SQLite goes through an index from its begin for alternatives
 * alone: the first column's limit lets it begin at the cursor.
 */
export function afterCursor<Row>(
  table: Table<Row>,
  cursors: Cursors,
  order: readonly Order<Row>[],
  cursor: string,
): Condition<Row> {
  const values = cursors.values(cursor);
  const at = order.map((by, index) => ({ value: values[index], ...by }));
  const after = any(
    ...at.map((by, index) =>
      all<Row>(
        ...at.slice(0, index).map((before) => sortedAlike<Row>(before, before.value)),
        beyond<Row>(by, by.value, table.columns[by.column].nullable),
      ),
    ),
  );
  const [first, ...others] = at;
  if (first === undefined || others.length === 0 || first.value === null) return after;
  if (first.direction === 'asc') return all(compare(first.column, '>=', first.value), after);
  return table.columns[first.column].nullable ? after : all(compare(first.column, '<=', first.value), after);
}

/** Rows that the order does not tell from the cursor's. */
const sortedAlike = <Row>({ column, byBytes }: Order<Row>, value: unknown): Condition<Row> =>
  value === null || byBytes === true
    ? eq(column, value)
    : { kind: 'compare', column, op: '=', value, asSorted: true };

function beyond<Row>(by: Order<Row>, value: unknown, isNullable: boolean): Condition<Row> {
  const { column, direction } = by;
  if (value === null) return direction === 'asc' ? not(isNull(column)) : any();
  if (by.byBytes === true)
    return { kind: 'compare', column, op: direction === 'asc' ? '>' : '<', value, byBytes: true };
  if (direction === 'asc') return compare(column, '>', value);
  return isNullable ? any(compare(column, '<', value), isNull(column)) : compare(column, '<', value);
}

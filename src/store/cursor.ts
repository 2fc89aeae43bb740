import { badInput } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { all, any, compare, eq, type Condition } from './condition.js';
import type { Order } from './connection.js';
import type { Column, Table } from './table.js';

/** A total order: what was asked for, up to a column that tells every two rows apart, or else the id. */
export function totalOrder<Row extends { id: string }>(
  table: Table<Row>,
  order: readonly Order<Row>[],
): Order<Row>[] {
  const telling = order.findIndex(({ column }) => table.columns[column].isUnique === true);
  // One column more than that, and the database would sort instead of following the index.
  if (telling >= 0) return order.slice(0, telling + 1);
  return [...order, { column: 'id', direction: order[0]?.direction ?? 'asc' }];
}

const shape = <Row>(order: readonly Order<Row>[]): string =>
  order.map((by) => `${by.direction === 'asc' ? '+' : '-'}${by.column}`).join('');

/** Where a row stands in an order, as an opaque text. It says nothing that the row itself does not. */
export const encodeCursor = <Row>(order: readonly Order<Row>[], row: Row): string =>
  Buffer.from(JSON.stringify([shape(order), ...order.map((by) => row[by.column])])).toString('base64url');

/** The rows after a cursor. A cursor of another order, or none of ours, is `BAD_USER_INPUT`. */
export function afterCursor<Row>(
  table: Table<Row>,
  order: readonly Order<Row>[],
  cursor: string,
): Condition<Row> {
  const values = parse(cursor);
  if (values?.[0] !== shape(order) || values.length !== order.length + 1) {
    throw badInput('This cursor does not belong to this list. Start again without `after`.', 'after');
  }
  const at = order.map((by, index) => {
    const value = values[index + 1];
    if (!fits(table.columns[by.column].kind, value))
      throw badInput('This cursor is damaged. Start again without `after`.', 'after');
    return { value, ...by };
  });
  return any(
    ...at.map((by, index) =>
      all<Row>(
        ...at.slice(0, index).map((before) => eq<Row>(before.column, before.value)),
        compare(by.column, by.direction === 'asc' ? '>' : '<', by.value),
      ),
    ),
  );
}

/** Whether a value could have come from a column of this kind; a cursor is made by us and may be forged. */
function fits(kind: Column<unknown>['kind'], value: unknown): boolean {
  switch (kind) {
    case 'int':
    case 'minor':
      return Number.isSafeInteger(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'id':
      return typeof value === 'string' && isId(value);
    case 'time':
      return typeof value === 'string' && isTime(value);
    case 'text':
    case 'longtext':
    case 'json':
      return typeof value === 'string' && value.isWellFormed();
  }
}

/** MySQL refuses a statement that compares with a day or an hour that there is not. */
function isTime(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text && /^[1-9]\d{3}-/.test(text);
}

function parse(cursor: string): unknown[] | undefined {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(values) ? values : undefined;
  } catch {
    return undefined;
  }
}

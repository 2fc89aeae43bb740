import { isId } from '../core/ids.js';
import { any, columnName, eq, quote, type Condition } from '../store/sql/condition.js';
import type { Table } from '../store/tables/table.js';
import type { StoredBoundary } from '../store/tables/identity.js';

export interface PageArgs {
  readonly first?: number | null;
  readonly after?: string | null;
}

export const byName = [{ column: 'name', direction: 'asc' }] as const;
export const newestFirst = [{ column: 'createdAt', direction: 'desc' }] as const;

/** Text that cannot be an id matches no row. Databases would compare it in different ways. */
export const idIs = <R>(column: keyof R & string, id: string): Condition<R> =>
  isId(id) ? eq<R>(column, id) : any<R>();

/** Rows that a table of pairs links to one id. */
export const linkedBy = <R, Link>(
  link: Table<Link>,
  mine: keyof Link & string,
  theirs: keyof Link & string,
  id: string,
): Condition<R> => ({
  kind: 'sql',
  sql: {
    text: `t.\`id\` IN (SELECT ${columnName(mine)} FROM ${quote(link.name)} WHERE ${columnName(theirs)} = ?)`,
    params: [id],
  },
});

/** Enum values are in capitals in the schema and in small letters in the tables. */
export const fromStored = (value: string): string => value.toUpperCase();
export const toStored = (value: string): string => value.toLowerCase();

export const dimensionsOf = (boundary: StoredBoundary) =>
  Object.entries(boundary)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([dimension, values]) => ({
      dimension,
      all: values === 'all',
      values: values === 'all' ? [] : values,
    }));

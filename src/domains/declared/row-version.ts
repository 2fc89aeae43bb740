import { reads, type Operation, type Resolver } from '../../delegation/resolver-context.js';
import type { AnyTable } from '../../store/tables/table.js';
import { integerRange } from '../../store/tables/written-values.js';
import type { Row } from './list-query.js';

/** Tells one state of a row from another, by a text that a caller sends back with a change. */
export interface RowVersion {
  /** The properties that it is made of. */
  readonly properties: readonly string[];
  of(row: Row, operation: Pick<Operation, 'digest'>): string;
  /** What a change sets beside its own values. */
  next(before: Row): Partial<Row>;
}

/** The number of changes, which the row itself has in a column of integers. */
export const countedVersion = (property: string, table: AnyTable): RowVersion => ({
  properties: [property],
  of: (row) => String(row[property]),
  next: (row) => ({ [property]: countedUp(row, property, table) }),
});

/** The next number of changes, which begins anew at the end of its column. One of 64 bits is a text. */
export function countedUp(row: Row, property: string, { columns }: AnyTable): number | string {
  const count = row[property];
  const last = BigInt(String(count));
  const column = columns[property];
  const isLast = column !== undefined && last >= integerRange(column).most;
  const next = isLast ? 0n : last + 1n;
  return typeof count === 'number' ? Number(next) : String(next);
}

/**
 * A digest of values of the row, for tables that count no changes. Only the server can compute it, so it tells nobody
 * whether a guess at a value is right.
 */
export const comparedVersion = (type: string, properties: readonly string[]): RowVersion => ({
  properties,
  of: (row, { digest }) =>
    digest(JSON.stringify(['version', type, row.id, properties.map((property) => row[property])])),
  next: () => ({}),
});

export const versionResolver = (version: RowVersion): Resolver =>
  reads<Row>(['id', ...version.properties], (row, _args, operation) => version.of(row, operation));

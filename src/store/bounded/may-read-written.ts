import type { Authority } from '../../authority/authority.js';
import { isInside, type DimensionValues } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import { isIn } from '../sql/condition.js';
import type { AnyTable, Table } from '../tables/table.js';
import type { BoundedReads } from './bounded-reads.js';
import type { RowType } from './row-type.js';

/** The maximum number of rows that are checked for the values written to them. */
const writtenMax = 100;

/** The rows to which values were written. */
export interface Written {
  readonly ids: readonly string[];
  readonly places: readonly DimensionValues[];
  /** Whether it was written on the caller's behalf and within the caller's rights. */
  readonly isOwn: boolean;
}

/**
 * Whether the caller may read, under this scope, values written to rows of a type: where the scope is held
 * without bounds, or where all these rows are inside its boundary, as they were then and as they are now.
 * The rows count as read.
 * @param rowType undefined for a type without rows
 */
export async function mayReadWritten(
  reads: BoundedReads,
  authority: Authority,
  rowType: RowType | undefined,
  scope: Scope,
  written: Written,
): Promise<boolean> {
  const scopes = [scope, ...(rowType === undefined ? [] : [rowType.scope])];
  if (!scopes.every((one) => authority.allows(one))) return false;
  const dimensions = [...(rowType?.dimensions.keys() ?? [])];
  const isEverywhere = (one: Scope): boolean =>
    authority
      .boundaries(one)
      .some((boundary) => dimensions.every((dimension) => boundary.get(dimension) === 'all'));
  if (rowType === undefined || scopes.every(isEverywhere)) return true;
  const { ids, places } = written;
  if (ids.length === 0) return written.isOwn;
  const isWithin = (values: DimensionValues): boolean =>
    scopes.every((one) => isInside(authority.boundaries(one), values));
  return ids.length <= writtenMax && places.every(isWithin) && reaches(reads, rowType.table, ids, scope);
}

async function reaches(
  reads: BoundedReads,
  table: AnyTable,
  ids: readonly string[],
  scope: Scope,
): Promise<boolean> {
  const where = isIn<{ id: string }>('id', ids);
  const query = { where, scopes: [scope], columns: new Set(['id']) };
  const rows = await reads.rows(table as unknown as Table<{ id: string }>, query);
  return rows.length === ids.length;
}

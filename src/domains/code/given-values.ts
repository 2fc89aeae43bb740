import type { Column } from '../../store/tables/column.js';
import { isWritable, writtenValue } from '../../store/tables/written-values.js';
import type { OwnTable } from './own-table.js';
import { knownColumn } from './own-conditions.js';
import { formed } from './value-form.js';

type Columns = Readonly<Record<string, unknown>>;

/**
 * Values that code gives, as their columns store them, the very same; those that are undefined are left out. Throws
 * `BAD_USER_INPUT` for one that a column cannot hold.
 */
export function givenValues(
  { table, engineWithoutTransactions: engine }: OwnTable,
  given: Columns,
): Record<string, unknown> {
  if (engine !== undefined)
    throw new Error(`${table.name} cannot be written: ${engine}, which keeps it, has no transactions.`);
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const column = table.columns[knownColumn(table, name)];
    if (column === undefined)
      throw new Error(`The id of ${table.type} is made of its key: give its columns.`);
    if (column.isGenerated === true)
      throw new Error(`The database computes ${name} of ${table.type}: it cannot be written.`);
    if (!isWritable(column))
      throw new Error(`${name} of ${table.type} is of a kind that cannot be written: ${column.kind}.`);
    if (value !== undefined) written[name] = stored(column, value, name.slice(1));
  }
  return written;
}

const stored = (column: Column<unknown>, value: unknown, path: string): unknown =>
  writtenValue(column, value === null ? null : formed(column, value, path), path);

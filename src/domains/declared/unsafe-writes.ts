import type { Fault } from '../../core/fault.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import { columnsOfSource, writtenBy, type TypeDeclaration } from './declaration.js';

/**
 * The changes of a type that would pass a boundary or a record: over a table without transactions, and those that
 * change rows of other tables with the row.
 */
export function unsafeWrites(type: TypeDeclaration, table: TableDescription): Fault[] {
  const { create, update, delete: remove } = type.writes;
  if ((create ?? update ?? remove) === undefined) return [];
  return [
    ...withoutTransactions(type, table),
    ...(update === undefined ? [] : followedChanges(type, table)),
    ...(remove === undefined ? [] : followedDeletion(type, table)),
  ];
}

function withoutTransactions(
  { name, place }: TypeDeclaration,
  { name: table, engineWithoutTransactions: engine }: TableDescription,
): Fault[] {
  if (engine === undefined) return [];
  const message =
    `${name} cannot be written: ${table} is kept by ${engine}, which has no transactions, so that a refused change ` +
    'would stay. Give the table an engine that has them, such as InnoDB, or leave the mutations out.';
  return [{ place, message }];
}

function followedChanges(type: TypeDeclaration, { referrers, name: table }: TableDescription): Fault[] {
  return writtenBy(type, 'UPDATE').flatMap(({ name, place, source }) => {
    const columns = columnsOfSource(source);
    return referrers
      .filter((one) => one.followsUpdate && one.columns.some((column) => columns.includes(column)))
      .map(({ table: other }) => ({
        place,
        message:
          `${type.name}.${name} cannot be changed: the database would change rows of ${other} with a row of ${table}, ` +
          'outside of every record.',
      }));
  });
}

function followedDeletion(
  { name, place }: TypeDeclaration,
  { referrers, name: table }: TableDescription,
): Fault[] {
  const following = referrers.filter(({ followsDelete }) => followsDelete);
  const others = [...new Set(following.map((one) => one.table))];
  if (others.length === 0) return [];
  const message =
    `${name} has @delete, and the database would delete or change rows of ${others.join(', ')} with a row of ` +
    `${table}, outside of every boundary and record: leave @delete out.`;
  return [{ place, message }];
}

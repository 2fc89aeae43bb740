/**
 * ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE, ER_VIEW_INVALID, the two for missing rights to a table and a column, the four for
 * collations that do not go together, and those of MariaDB and MySQL for writing a computed column.
 */
const codes: ReadonlySet<unknown> = new Set([
  ...[1054, 1146, 1356, 1142, 1143],
  ...[1253, 1267, 1270, 1271],
  ...[1906, 3105],
]);

const sqlite =
  /^(?:no such (?:column|table): |table .* has no column named |cannot (?:INSERT into|UPDATE) generated column )/;

/** Whether a statement failed because a table or a column is missing, has changed, or may not be read. */
export function isTableFault(error: unknown): boolean {
  const { driverError, message = '' } = error as { driverError?: { errno?: number }; message?: string };
  if (driverError === undefined) return false;
  return codes.has(driverError.errno) || sqlite.test(message);
}

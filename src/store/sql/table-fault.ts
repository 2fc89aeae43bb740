/** ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE, ER_VIEW_INVALID, and the two of missing rights to a table and a column. */
const codes: ReadonlySet<unknown> = new Set([1054, 1146, 1356, 1142, 1143]);

const sqlite = /^(?:no such (?:column|table): |table .* has no column named )/;

/** Whether a statement failed because a table or a column is not there, or may not be read. */
export function isTableFault(error: unknown): boolean {
  const { driverError, message = '' } = error as { driverError?: { errno?: number }; message?: string };
  if (driverError === undefined) return false;
  return codes.has(driverError.errno) || sqlite.test(message);
}

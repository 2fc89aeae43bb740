import { badInput, BehalfError, conflict } from '../../core/errors.js';
import { isDuplicate } from './database.js';

/** Numbers of MySQL's and MariaDB's errors, and codes of SQLite's, by what they mean for the caller. */
const meanings: readonly {
  readonly codes: readonly (number | string)[];
  readonly error: () => BehalfError;
}[] = [
  {
    codes: [1452, 1216, 1451, 1217, 'SQLITE_CONSTRAINT_FOREIGNKEY'],
    error: () => conflict('The row refers to one that is not there, or others refer to it.'),
  },
  {
    codes: [3819, 4025, 'SQLITE_CONSTRAINT_CHECK'],
    error: () => badInput('The values break a rule of the table.'),
  },
  {
    codes: [1048, 1364, 'SQLITE_CONSTRAINT_NOTNULL'],
    error: () => badInput('A value is missing that the table needs.'),
  },
  {
    codes: [1264, 1265, 1292, 1366, 1406, 1411, 3140, 'SQLITE_MISMATCH', 'SQLITE_CONSTRAINT_DATATYPE'],
    error: () => badInput('The table cannot hold one of the values as it is.'),
  },
  {
    codes: [1644, 'SQLITE_CONSTRAINT_TRIGGER'],
    error: () => conflict('A rule of the database refuses this change.'),
  },
];

/** What a caller is told when the database refuses a change to rows of a type. Other errors are as they were. */
export function writeFault(error: unknown, type: string): unknown {
  if (isDuplicate(error)) return conflict(`${type} with this number or name exists already.`);
  const driver = (error as { driverError?: { errno?: number; code?: string } }).driverError;
  const code = (driver?.code ?? '').startsWith('SQLITE_') ? driver?.code : driver?.errno;
  const meaning = meanings.find(({ codes }) => code !== undefined && codes.includes(code));
  if (meaning === undefined) return error;
  const { code: stable, message, details } = meaning.error();
  return new BehalfError(stable, message, details, { cause: error });
}

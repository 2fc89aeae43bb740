import { badInput, BehalfError, conflict } from '../../core/errors.js';
import { isLockConflict } from '../drivers/lock-conflicts.js';
import type { StatementFailed } from '../drivers/statements.js';
import { isDuplicate } from './database.js';

/** What a caller is told where a rule of the database left a change out. */
export const refusedByRule = (cause?: unknown): BehalfError =>
  new BehalfError('CONFLICT', 'A rule of the database refuses this change.', {}, { cause });

/**
 * Numbers of MySQL's and MariaDB's errors, classes of their states (SQLSTATE), and codes of SQLite's, by what they mean for the
 * caller.
 */
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
    codes: [1264, 1265, 1292, 1366, 1406, 1411, 3140, 'SQLITE_MISMATCH', 'SQLITE_CONSTRAINT_DATATYPE', '22'],
    error: () => badInput('The table cannot hold one of the values as it is.'),
  },
  {
    codes: [1526, 1644, 'SQLITE_CONSTRAINT_TRIGGER', '45', '02', '23'],
    error: refusedByRule,
  },
];

/** What a caller is told when the database refuses a change to rows of a type. Other errors are as they were. */
export function writeFault(error: unknown, type: string): unknown {
  if (isDuplicate(error)) return conflict(`${type} with this key, number or name exists already.`);
  const { driverError: driver } = error as Partial<Pick<StatementFailed, 'driverError'>>;
  if (driver === undefined || isLockConflict(error)) return error;
  const meaning = [driver.errno, driver.code, driver.sqlState?.slice(0, 2)].flatMap(
    (code) => meanings.find(({ codes }) => code !== undefined && codes.includes(code)) ?? [],
  )[0];
  if (meaning === undefined) return error;
  const { code: stable, message, details } = meaning.error();
  return new BehalfError(stable, message, details, { cause: error });
}

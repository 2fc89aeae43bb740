import { CommandError } from '../../core/command-error.js';
import { prefixed, tablePrefix } from '../tables/table.js';
import type { Connection } from './connection.js';

/** The tables by which the layout without prefix is known, and its first migration. */
const formerTables = ['authority_epoch', 'audit_records', 'migrations'];
const formerMigration = 'Identity1700000000001';

/**
 * Throws where a database has our tables under names without prefix, as no released version made them. Beside them,
 * migrations would make empty tables, and a server would start without its people and records.
 */
export async function refuseFormerLayout(read: Connection, tables: readonly string[]): Promise<void> {
  const names = new Set(tables);
  if (names.has(prefixed('migrations')) || !formerTables.every((name) => names.has(name))) return;
  // Somebody else's table of that name may have other columns.
  const ours = await read.query('SELECT 1 FROM migrations WHERE name = ?', [formerMigration]).catch(() => []);
  if (ours.length === 0) return;
  throw new CommandError(
    `This database has Behalf's tables under names without \`${tablePrefix}\`, as versions before the first release made ` +
      'them. They cannot be carried over, and nothing was changed. Set DATABASE_URL to a new database, run ' +
      '`behalf migrate` again, and bring your data in with `behalf import`. Keep the old database for its records.',
  );
}

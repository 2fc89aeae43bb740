import { existsSync } from 'node:fs';
import { migrations } from '../../../migrations/index.js';
import type { Config } from '../../config.js';
import type { DatabaseUrl } from '../../core/database-url.js';
import { Database } from '../../store/sql/database.js';
import type { StatementLimits } from '../../store/sql/open-sources.js';
import { whyUnreachable } from '../../store/drivers/mysql-options.js';
import { CommandError } from '../../core/command-error.js';

/**
 * Opens the database of the settings. Throws `CommandError` where it is missing, out of reach or behind on migrations.
 * With `there`, not where it is behind; with `any`, only where it is out of reach, as a missing SQLite file is made. `limits` are for a server: commands have no
 * time limits.
 */
export async function openDatabase(
  config: Config,
  accept: 'migrated' | 'there' | 'any' = 'migrated',
  limits?: StatementLimits,
): Promise<Database> {
  const target = config.database;
  if (accept !== 'any' && target.dialect === 'sqlite' && !existsSync(target.path)) {
    throw new CommandError(
      `There is no database at ${target.path}. Make it with \`behalf migrate\`, or correct DATABASE_URL.`,
    );
  }
  const unreachable = (error: unknown): never => {
    throw new CommandError(whyNotOpen(target, error), { cause: error });
  };
  const database = await Database.open(target, migrations, config.BEHALF_POOL_SIZE, limits).catch(
    unreachable,
  );
  if (accept !== 'migrated') return database;
  const pending = await database.pendingMigrations().catch(unreachable);
  if (pending.length === 0) return database;
  await database.close();
  throw new CommandError(
    `The database lacks ${String(pending.length)} of this version's migrations (${pending.join(', ')}). ` +
      'Run `behalf migrate`.',
  );
}

/** Leaves out the URL, which holds a password. */
function whyNotOpen(target: DatabaseUrl, error: unknown): string {
  if (target.dialect === 'mysql') return whyUnreachable(target, error);
  const { message = 'no reason given' } = error as { message?: string };
  return `The database ${target.path} cannot be opened: ${message}. Check the path and who may write there.`;
}

import { existsSync } from 'node:fs';
import { migrations } from '../../../migrations/index.js';
import type { Config } from '../../config.js';
import { parseDatabaseUrl, type DatabaseUrl } from '../../core/database-url.js';
import { Database, type StatementLimits } from '../../store/database.js';
import { CommandError } from '../terminal/errors.js';

/**
 * Opens the database of the settings. Throws `CommandError` where it is missing, out of reach or behind on
 * migrations; with `any` only where it is out of reach, and a missing SQLite file is made.
 * `limits` are for a server: commands have all the time they need.
 */
export async function openDatabase(
  config: Config,
  accept: 'migrated' | 'any' = 'migrated',
  limits?: StatementLimits,
): Promise<Database> {
  const target = parseDatabaseUrl(config.DATABASE_URL);
  if (target === undefined) throw new Error('DATABASE_URL was not checked.');
  if (accept === 'migrated' && target.dialect === 'sqlite' && !existsSync(target.path)) {
    throw new CommandError(
      `There is no database at ${target.path}. Make it with \`behalf migrate\`, or correct DATABASE_URL.`,
    );
  }
  const unreachable = (error: unknown): never => {
    throw new CommandError(whyUnreachable(target, error), { cause: error });
  };
  const database = await Database.open(target, migrations, config.BEHALF_POOL_SIZE, limits).catch(
    unreachable,
  );
  if (accept === 'any') return database;
  const pending = await database.pendingMigrations().catch(unreachable);
  if (pending.length === 0) return database;
  await database.close();
  throw new CommandError(
    `The database lacks ${String(pending.length)} of this version's migrations (${pending.join(', ')}). ` +
      'Run `behalf migrate`.',
  );
}

/** Never tells the URL, which holds a password. */
function whyUnreachable(target: DatabaseUrl, error: unknown): string {
  const fault = error as { code?: string; message?: string };
  if (target.dialect === 'sqlite') {
    return `The database ${target.path} cannot be opened: ${fault.message ?? 'no reason given'}. Check the path and who may write there.`;
  }
  const { host, pathname } = new URL(target.url);
  switch (fault.code) {
    case 'ER_BAD_DB_ERROR':
      return `There is no database ${pathname.slice(1)} at ${host}. Create it with the character set utf8mb4, then run \`behalf migrate\`.`;
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_DBACCESS_DENIED_ERROR':
      return `The database at ${host} refuses the user or the password of DATABASE_URL. Correct them, or grant the user the database ${pathname.slice(1)}.`;
    default:
      return `The database at ${host} does not answer (${fault.code ?? fault.message ?? 'no reason given'}). Start it, or correct DATABASE_URL.`;
  }
}

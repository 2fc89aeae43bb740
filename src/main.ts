import { existsSync } from 'node:fs';
import { migrations } from '../migrations/index.js';
import { createApp, type App } from './app.js';
import type { Config } from './config.js';
import { parseDatabaseUrl, type DatabaseUrl } from './core/database-url.js';
import { makeLogger } from './core/logger.js';
import { Database } from './store/database.js';

/** What keeps this program from starting, and what to do about it, in words for the operator. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Opens the database of the settings. Throws `StartError` where it is missing, out of reach or behind on
 * migrations; with `any` only where it is out of reach, and a missing SQLite file is made.
 */
export async function openDatabase(
  config: Config,
  accept: 'migrated' | 'any' = 'migrated',
): Promise<Database> {
  const target = parseDatabaseUrl(config.DATABASE_URL);
  if (target === undefined) throw new Error('DATABASE_URL was not checked.');
  if (accept === 'migrated' && target.dialect === 'sqlite' && !existsSync(target.path)) {
    throw new StartError(
      `There is no database at ${target.path}. Make it with \`behalf migrate\`, or correct DATABASE_URL.`,
    );
  }
  const unreachable = (error: unknown): never => {
    throw new StartError(whyUnreachable(target, error), { cause: error });
  };
  const database = await Database.open(target, migrations, config.BEHALF_POOL_SIZE).catch(unreachable);
  if (accept === 'any') return database;
  const pending = await database.pendingMigrations().catch(unreachable);
  if (pending.length === 0) return database;
  await database.close();
  throw new StartError(
    `The database lacks ${String(pending.length)} of this version's migrations (${pending.join(', ')}). ` +
      'Run `behalf migrate`.',
  );
}

/** Serves until a signal asks for the end, then answers what is under way; a second signal ends at once. */
export async function serve(config: Config, onListening: (url: string) => void): Promise<void> {
  // Here its faults are told in one sentence each.
  await (await openDatabase(config)).close();
  const logger = makeLogger(config.BEHALF_LOG_LEVEL);
  const app = await createApp(config, { logger });
  onListening(await listen(app, config));
  const signal = await firstSignal();
  logger.info({ signal }, 'answering what is under way, then ending');
  endAtSecondSignal(signal);
  await app.close();
}

async function listen(app: App, config: Config): Promise<string> {
  try {
    return await app.listen();
  } catch (error) {
    await app.close();
    const at = `${config.HOST}:${String(config.PORT)}`;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new StartError(`Something listens on ${at} already. End it, or set PORT.`, { cause: error });
    }
    if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND') {
      throw new StartError(`Nobody may listen on ${at} here (${code}). Correct HOST and PORT.`, {
        cause: error,
      });
    }
    throw error;
  }
}

const endings = ['SIGTERM', 'SIGINT'] as const;

const firstSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const ending of endings) process.once(ending, resolve);
  });

/** Ctrl-C under npm reaches a process twice, from the terminal and from npm: that is one wish. */
const sameWishMs = 300;

function endAtSecondSignal(first: NodeJS.Signals): void {
  const since = Date.now();
  for (const ending of endings) {
    process.on(ending, (signal) => {
      if (signal !== first || Date.now() - since > sameWishMs) process.exit(1);
    });
  }
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

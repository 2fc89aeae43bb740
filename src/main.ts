import { createApp } from './app.js';
import type { Config } from './config.js';
import type { Database } from './store/sql/database.js';
import { makeLogger } from './core/logger.js';

/**
 * Serves until a signal asks for the end, then answers the requests in flight; a second signal ends at once. Where a
 * request took too long and was cut off, the process ends with 1.
 * @param database open and migrated; default: the database of the settings
 */
export async function serve(
  config: Config,
  onListening: (url: string) => void,
  database?: Database,
): Promise<void> {
  const logger = makeLogger(config.BEHALF_LOG_LEVEL);
  const app = await createApp(config, { logger, ...(database !== undefined && { database }) }).catch(
    async (error: unknown) => {
      await database?.close();
      throw error;
    },
  );
  // Before listening: a caller of `onListening` may send a signal at once.
  const asked = firstSignal();
  try {
    onListening(await app.listen());
  } catch (error) {
    await app.close();
    throw error;
  }
  const signal = await asked;
  logger.info({ signal }, 'answering what is under way, then ending');
  endAtSecondSignal(signal);
  // A request that was cut off may still hold the process open.
  if ((await app.close()) > 0) process.exit(1);
}

const endings = ['SIGTERM', 'SIGINT'] as const;

const firstSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const ending of endings) process.once(ending, resolve);
  });

/** Under npm, Ctrl-C reaches a process twice, from the terminal and from npm. Both count as one. */
const sameWishMs = 300;

function endAtSecondSignal(first: NodeJS.Signals): void {
  const since = Date.now();
  for (const ending of endings) {
    process.on(ending, (signal) => {
      if (signal !== first || Date.now() - since > sameWishMs) process.exit(1);
    });
  }
}

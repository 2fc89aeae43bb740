import type { AddressInfo } from 'node:net';
import { setInterval } from 'node:timers/promises';
import { migrations } from '../migrations/index.js';
import { systemClock, type Clock } from './core/clock.js';
import { parseDatabaseUrl } from './core/database-url.js';
import { makeIds, type Ids } from './core/ids.js';
import { makeLogger, type Logger } from './core/logger.js';
import type { Config } from './config.js';
import { administration } from './admin/index.js';
import { AuthRecords } from './delegation/auth-records.js';
import { Authorities } from './delegation/authorities.js';
import { EpochReader } from './delegation/epoch.js';
import { Grants } from './delegation/grants.js';
import type { Domain } from './delegation/operation.js';
import { Operations } from './delegation/operations.js';
import { Releases } from './delegation/release.js';
import { domains } from './domains/index.js';
import { ApolloServers } from './graphql/apollo.js';
import { readCoverage } from './graphql/coverage.js';
import { Executor } from './graphql/executor.js';
import { Guard } from './graphql/guard.js';
import { unrefusable } from './graphql/nullable.js';
import { executableSchema } from './graphql/schema.js';
import { readSdl } from './graphql/sdl.js';
import { shielded } from './graphql/shield.js';
import { viewerResolvers } from './graphql/viewer.js';
import { makeAddressOf } from './http/address.js';
import { makeAuthenticate } from './http/authenticate.js';
import { Rejections } from './http/rejections.js';
import { makeServer } from './http/server.js';
import { createOAuth, type OAuth } from './oauth/server.js';
import { commandLineClient, defaultLimits } from './oauth/ports.js';
import { Database } from './store/database.js';
import { RowTypes } from './store/row-types.js';

/** What tests replace: time, ids, the log, and which parts are installed. */
export interface AppParts {
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly logger?: Logger;
  readonly sdl?: string;
  readonly domains?: readonly Domain[];
}

export interface App {
  readonly database: Database;
  readonly oauth: OAuth;
  /** Listens where the settings say; returns the URL. */
  listen(): Promise<string>;
  /** Answers what is under way, then closes everything. */
  close(): Promise<void>;
}

/** Builds every part by hand. Throws for a schema that is not covered and a database that is not migrated. */
export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const clock = parts.clock ?? systemClock;
  const ids = parts.ids ?? makeIds(clock);
  const logger = parts.logger ?? makeLogger(config.BEHALF_LOG_LEVEL);
  const sdl = parts.sdl ?? readSdl();
  // What the SDL says is needed to build the resolvers, and the resolvers to build the schema.
  const coverage = readCoverage(executableSchema(sdl, []));
  const installed = parts.domains ?? [
    administration(coverage),
    ...domains({ smallestCell: config.BEHALF_SMALLEST_CELL }),
  ];
  const plain = executableSchema(sdl, [viewerResolvers, ...installed.map((domain) => domain.resolvers)]);
  const faults = unrefusable(plain, coverage);
  if (faults.length > 0) throw new Error(`The schema cannot tell every refusal:\n- ${faults.join('\n- ')}`);
  const rowTypes = new RowTypes(
    coverage.rows,
    installed.flatMap((domain) => domain.tables),
  );
  const guard = new Guard(coverage);
  const schema = shielded(plain, guard);
  const peopleOnly = new Set(
    [...coverage.definitions.values()].filter((scope) => scope.peopleOnly).map((scope) => scope.name),
  );

  const addressOf = makeAddressOf(config.BEHALF_TRUSTED_PROXIES);
  const database = await openDatabase(config);
  const authorities = new Authorities(database.read, new EpochReader(database.read), clock, peopleOnly);
  const releases = new Releases(database, clock);
  const recorder = new AuthRecords(database, releases, clock, ids);
  const oauth = createOAuth({
    database,
    clock,
    logger,
    recorder,
    addressOf,
    delegations: new Grants(database, authorities, clock, ids, coverage, recorder),
    settings: {
      issuer: config.publicUrl,
      scopes: [...coverage.definitions.keys()],
      accessTokenTtlSeconds: config.BEHALF_ACCESS_TOKEN_SECONDS,
      refreshTokenTtlSeconds: config.BEHALF_SIGN_IN_SECONDS,
      cookieKeys: config.cookieKeys,
      clients: [commandLineClient],
      limits: defaultLimits,
    },
  });
  const scopeOf = (coordinate: string): string => {
    const scope = coverage.scopes.get(coordinate);
    if (scope === undefined) throw new Error(`${coordinate} has no scope.`);
    return scope;
  };
  const operations = new Operations(database, rowTypes, clock, ids, scopeOf, config.BEHALF_PAGE_SIZE_MAX);
  const executor = new Executor(database, operations, releases, guard, {
    cost: config.BEHALF_OPERATION_COST_MAX,
    pageSize: config.BEHALF_PAGE_SIZE_MAX,
  });
  const apollo = new ApolloServers(schema, coverage, executor, releases, logger);
  const rejections = new Rejections(releases, clock, ids);
  const rowsMax = config.BEHALF_ROWS_PER_OPERATION_MAX;
  const authenticate = makeAuthenticate({
    oauth,
    authorities,
    connection: database.read,
    clock,
    ids,
    rowsMax,
    addressOf,
  });
  const server = makeServer({
    authenticate,
    apollo,
    releases,
    rejections,
    recorder,
    ids,
    logger,
    publicUrl: config.publicUrl,
    oauth,
    database,
    addressOf,
  });

  const purging = new AbortController();
  return {
    database,
    oauth,
    async listen() {
      void purgeRegularly(oauth, logger, purging.signal);
      await server.listen({ host: config.HOST, port: config.PORT });
      const { address, port, family } = server.server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${String(port)}`;
    },
    async close() {
      purging.abort();
      await server.close();
      await apollo.stop();
      await rejections.flush().catch((error: unknown) => {
        logger.error({ err: error }, 'the last rejected requests could not be recorded');
      });
      await database.close();
    },
  };
}

/** Opens the database and makes sure that it has all that this program needs. */
async function openDatabase(config: Config): Promise<Database> {
  const target = parseDatabaseUrl(config.DATABASE_URL);
  if (target === undefined) throw new Error('DATABASE_URL was not checked.');
  const database = await Database.open(target, migrations, config.BEHALF_POOL_SIZE);
  const pending = await database.pendingMigrations();
  if (pending.length === 0) return database;
  await database.close();
  throw new Error(`The database lacks ${pending.join(', ')}: run \`behalf migrate\`.`);
}

const purgeEveryMs = 600_000;

/** What has expired is refused anyway; deleting it only keeps the table small. */
async function purgeRegularly(oauth: OAuth, logger: Logger, signal: AbortSignal): Promise<void> {
  const ticks = setInterval(purgeEveryMs, undefined, { signal, ref: false });
  try {
    for await (const _ of ticks) {
      await oauth.purgeExpired().catch((error: unknown) => {
        logger.warn({ err: error }, 'expired tokens could not be deleted');
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

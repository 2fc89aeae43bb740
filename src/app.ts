import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { migrations } from '../migrations/index.js';
import { Chores } from './core/chores.js';
import { systemClock, type Clock } from './core/clock.js';
import { keyedDigest } from './core/digest.js';
import { makeIds, type Ids } from './core/ids.js';
import { makeLogger, type Logger } from './core/logger.js';
import { Metrics } from './core/metrics.js';
import { Seal } from './core/seal.js';
import { version } from './core/version.js';
import { statementLimits, type Config } from './config.js';
import { administration } from './admin/index.js';
import { Indexer } from './audit/indexer.js';
import { AuthRecords } from './delegation/auth-records.js';
import { Authorities } from './delegation/authorities.js';
import { dimensionFaults } from './delegation/boundary-values.js';
import { TrustedDocuments } from './delegation/documents.js';
import { EpochReader } from './delegation/epoch.js';
import { Grants } from './delegation/grants.js';
import type { Domain } from './delegation/operation.js';
import { Operations } from './delegation/operations.js';
import { Releases } from './delegation/release.js';
import { allTables } from './domains/all-tables.js';
import { domains } from './domains/index.js';
import { PassageRenewal } from './domains/knowledge/renewal.js';
import { Annotations } from './graphql/annotate.js';
import { ApolloServers } from './graphql/apollo.js';
import { Askings } from './graphql/asked.js';
import { CompiledOperations } from './graphql/compiled.js';
import { readCoverage } from './graphql/coverage.js';
import { DocumentReach, documentRules } from './graphql/document-check.js';
import { Executor, type Execution } from './graphql/executor.js';
import { Guard } from './graphql/guard.js';
import { KnownDocuments } from './graphql/known-documents.js';
import { Structures } from './graphql/structure.js';
import { unrefusable } from './graphql/nullable.js';
import { executableSchema } from './graphql/schema.js';
import { schemas } from './graphql/schema-resolvers.js';
import { readSdl } from './graphql/sdl.js';
import { ShortWay } from './graphql/short-way.js';
import { shielded } from './graphql/shield.js';
import { viewerResolvers } from './graphql/viewer.js';
import { Views } from './graphql/views.js';
import { makeAddressOf } from './http/address.js';
import { Admission } from './http/admission.js';
import { Authenticator } from './http/authenticate.js';
import { closeServer } from './http/close-server.js';
import { CrossOrigin } from './http/cross-origin.js';
import { InFlight } from './http/in-flight.js';
import { makeObserve } from './http/observe.js';
import { Readiness } from './http/readiness.js';
import { Rejections } from './http/rejections.js';
import { makeMetricsServer, makeServer } from './http/server.js';
import { startTracing } from './http/tracing.js';
import { createOAuth, type OAuth } from './oauth/server.js';
import type { AccessTokenFact } from './oauth/token-lookup.js';
import { commandLineClient, defaultLimits } from './oauth/ports.js';
import { Database } from './store/database.js';
import { RowTypes } from './store/row-types.js';
import { ServerKeys } from './store/server-keys.js';
import { startUpkeep, type UpkeepPauses } from './upkeep.js';

/** What tests replace: time, ids, the log, which parts are installed, and how queries run. */
export interface AppParts extends UpkeepPauses {
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly logger?: Logger;
  readonly sdl?: string;
  readonly domains?: readonly Domain[];
  /** Open and migrated; it is closed with the app. Default: the one of the settings. */
  readonly database?: Database;
  /** In place of `BEHALF_EXECUTION`, to hold the quick ways against `shielded`. */
  readonly execution?: Execution;
}

export interface App {
  readonly database: Database;
  readonly oauth: OAuth;
  /** Listens where the settings say; returns the URL. */
  listen(): Promise<string>;
  /**
   * Takes nothing new, answers what is under way, then closes everything. Returns how many requests were cut off
   * because they took longer than `BEHALF_SHUTDOWN_SECONDS`.
   */
  close(): Promise<number>;
}

/** Builds every part by hand. Throws for a schema that is not covered and a database that is not migrated. */
export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const clock = parts.clock ?? systemClock;
  const ids = parts.ids ?? makeIds(clock);
  const logger = parts.logger ?? makeLogger(config.BEHALF_LOG_LEVEL);
  const sdl = parts.sdl ?? readSdl();
  // What the SDL says is needed to build the resolvers, and the resolvers to build the schema.
  const bare = executableSchema(sdl, []);
  const coverage = readCoverage(bare);
  const reach = new DocumentReach(bare, coverage.scopes);
  const rules = documentRules(reach);
  const settings = { smallestCell: config.BEHALF_SMALLEST_CELL };
  const tables = parts.domains?.flatMap((domain) => domain.tables) ?? allTables(settings);
  const rowTypes = new RowTypes(coverage.rows, tables);
  const { definitions, dimensions, scopes } = coverage;
  const catalog = { definitions, dimensions, scopes, types: rowTypes };
  const unnamed = dimensionFaults(catalog);
  if (unnamed.length > 0) throw new Error(`Boundaries cannot be named:\n- ${unnamed.join('\n- ')}`);
  const tellable = new Annotations(new Views(bare, coverage));
  const installed = parts.domains ?? [
    administration(catalog, rules),
    schemas(catalog, tellable),
    ...domains(settings),
  ];
  const askings = new Askings(installed);
  const plain = executableSchema(
    sdl,
    [viewerResolvers, ...installed.map((domain) => domain.resolvers)],
    askings,
  );
  const faults = unrefusable(plain, coverage);
  if (faults.length > 0) throw new Error(`The schema cannot tell every refusal:\n- ${faults.join('\n- ')}`);
  const guard = new Guard(coverage);
  const schema = shielded(plain, guard);
  const peopleOnly = new Set(
    [...coverage.definitions.values()].filter((scope) => scope.peopleOnly).map((scope) => scope.name),
  );

  const addressOf = makeAddressOf(config.BEHALF_TRUSTED_PROXIES);
  const database = parts.database ?? (await openDatabase(config));
  const metrics = new Metrics(version());
  const epoch = new EpochReader(database.read, metrics.epochRead);
  const authorities = new Authorities<AccessTokenFact>(database.read, epoch, clock, peopleOnly);
  const releases = new Releases(database, clock, metrics.committed);
  const recorder = new AuthRecords(database, releases, clock, ids);
  const oauth = createOAuth({
    database,
    clock,
    logger,
    recorder,
    addressOf,
    delegations: new Grants(database, authorities, clock, ids, catalog, recorder),
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
  const keys = await ServerKeys.read(database.read);
  const digest = keyedDigest(keys.digests);
  const operations = new Operations(
    database,
    rowTypes,
    clock,
    ids,
    scopeOf,
    config.BEHALF_PAGE_SIZE_MAX,
    config.BEHALF_OPERATION_COST_MAX,
    new Seal(config.BEHALF_COOKIE_KEYS ?? [keys.cursors]),
    digest,
  );
  const compiled = new CompiledOperations();
  const pageSizeMax = config.BEHALF_PAGE_SIZE_MAX;
  const answerBytesMax = config.BEHALF_ANSWER_BYTES_MAX;
  const prepared = { plain, coverage, guard, askings, compiled, pageSizeMax, digest };
  const views = new Views(schema, coverage);
  const annotations = new Annotations(views);
  const executor = new Executor(
    database,
    operations,
    releases,
    prepared,
    annotations,
    config.BEHALF_OPERATION_COST_MAX,
    config.BEHALF_ANSWER_BYTES_MAX,
    parts.execution ?? config.BEHALF_EXECUTION,
  );
  const knownDocuments = new KnownDocuments(reach);
  const apollo = new ApolloServers(
    views,
    coverage,
    digest,
    executor,
    knownDocuments,
    releases,
    logger,
    answerBytesMax,
  );
  const structures = new Structures((source) => knownDocuments.has(source));
  const documents = new TrustedDocuments(database.read, rules);
  const rejections = new Rejections(releases, clock, ids, logger, () => {
    metrics.rejected('unauthenticated');
  });
  const refusedForLoad = new Rejections(releases, clock, ids, logger);
  const admission = new Admission(
    config.BEHALF_OPERATIONS_AT_ONCE,
    config.BEHALF_OPERATIONS_WAITING,
    (reason) => {
      metrics.rejected(reason);
    },
  );
  const tracing =
    config.BEHALF_OTLP_URL === undefined
      ? undefined
      : await startTracing(config.BEHALF_OTLP_URL, version(), logger);
  const chores = new Chores(logger);
  const readiness = new Readiness(
    database,
    () => releases.isFull,
    () => chores.isAnyFailing,
  );
  const inFlight = new InFlight();
  const indexer = new Indexer(database, logger);
  const renewal = new PassageRenewal(database, ids);
  metrics.watch({
    admission: () => admission.state,
    recordsWaiting: () => releases.size,
    recordsUnindexed: () => indexer.waiting,
    passagesOutdated: () => renewal.waiting,
    chores: () => chores.failures,
    pool: () => database.pool,
    caches: () => ({
      ...authorities.caches,
      ...apollo.caches,
      ...knownDocuments.caches,
      ...documents.caches,
      ...rowTypes.caches,
      ...database.caches,
      ...oauth.caches,
      marked_schemas: annotations.kept,
      marked_schemas_told: tellable.kept,
      checked_structures: structures.known,
      reaches: reach.reaches,
      introspection: executor.introspection.kept,
      compiled_fields: compiled.kept,
      spent_budgets: releases.budgets.known,
      unknown_callers: rejections.tallied,
      refused_for_load: refusedForLoad.tallied,
    }),
  });
  const authenticator = new Authenticator({
    oauth,
    authorities,
    connection: database.read,
    clock,
    ids,
    limits: { rows: config.BEHALF_ROWS_PER_OPERATION_MAX, seconds: config.BEHALF_OPERATION_SECONDS },
    observe: makeObserve(metrics, logger, tracing),
    addressOf,
  });
  const server = makeServer({
    authenticator,
    annotations,
    apollo,
    structures,
    shortWay: new ShortWay(schema, executor, knownDocuments, releases, logger, answerBytesMax),
    documents,
    releases,
    rejections,
    recorder,
    ids,
    logger,
    publicUrl: config.publicUrl,
    oauth,
    addressOf,
    admission,
    refusedForLoad,
    readiness,
    metrics,
    metricsAccess: config.BEHALF_METRICS_PORT !== undefined ? undefined : config.isLocal ? 'local' : 'nobody',
    inFlight,
    crossOrigin: new CrossOrigin(config.BEHALF_ALLOWED_ORIGINS),
    limits: {
      connections: config.BEHALF_CONNECTIONS_MAX,
      keepAliveSeconds: config.BEHALF_KEEP_ALIVE_SECONDS,
      headersSeconds: config.BEHALF_HEADERS_SECONDS,
      requestSeconds: config.BEHALF_REQUEST_SECONDS,
    },
  });
  const metricsServer =
    config.BEHALF_METRICS_PORT === undefined ? undefined : makeMetricsServer(metrics, readiness);

  let isUpkept = false;
  const rest = async (): Promise<void> => {
    await chores.stop();
    await apollo.stop();
    await Promise.all([rejections.flush(), refusedForLoad.flush()]).catch((error: unknown) => {
      logger.error({ err: error }, 'the last rejected requests could not be recorded');
    });
    await tracing?.close();
    await metricsServer?.close();
    await database.close();
  };
  const end = async (): Promise<number> => {
    readiness.drain();
    const cut = await closeServer(server, inFlight, {
      drainSeconds: config.BEHALF_DRAIN_SECONDS,
      shutdownSeconds: config.BEHALF_SHUTDOWN_SECONDS,
    });
    if (cut > 0) logger.warn({ requests: cut }, 'requests were cut off: they took too long');
    // What was cut off may still hold a connection, and nobody waits for it any more.
    await (cut > 0 ? Promise.race([rest(), setTimeout(restMs)]) : rest());
    return cut;
  };
  let ended: Promise<number> | undefined;
  return {
    database,
    oauth,
    async listen() {
      const tallies = [rejections, refusedForLoad];
      if (!isUpkept) startUpkeep(chores, { database, clock, oauth, indexer, renewal, tallies }, parts);
      isUpkept = true;
      if (config.BEHALF_METRICS_PORT !== undefined) {
        const host = config.BEHALF_METRICS_HOST ?? '127.0.0.1';
        await metricsServer?.listen({ host, port: config.BEHALF_METRICS_PORT });
      }
      await server.listen({ host: config.HOST, port: config.PORT });
      const { address, port, family } = server.server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${String(port)}`;
    },
    close: () => (ended ??= end()),
  };
}

/** For the last records and traces where something was cut off. */
const restMs = 2_000;

/** Opens the database and makes sure that it has all that this program needs. */
async function openDatabase(config: Config): Promise<Database> {
  const { database: target, BEHALF_POOL_SIZE: poolSize } = config;
  const database = await Database.open(target, migrations, poolSize, statementLimits(config));
  const pending = await database.pendingMigrations();
  if (pending.length === 0) return database;
  await database.close();
  throw new Error(`The database lacks ${pending.join(', ')}: run \`behalf migrate\`.`);
}

import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { migrations } from '../migrations/index.js';
import { indexConsumer } from './audit/outbox/index-consumer.js';
import { Outbox } from './audit/outbox/outbox.js';
import { composeAuthority } from './compose/authority.js';
import type { Basics } from './compose/basics.js';
import { composeCompany } from './compose/company.js';
import { composeGate } from './compose/gate.js';
import { composeSchema, type ComposedSchema, type SchemaSource } from './compose/schema.js';
import { startBackgroundJobs, type JobPauses } from './compose/background-jobs.js';
import { ConfigError, statementLimits, type Config } from './config.js';
import { AddressRanges } from './core/address-ranges.js';
import { BackgroundJobs } from './core/background-jobs.js';
import { systemClock, type Clock } from './core/clock.js';
import { makeIds, type Ids } from './core/ids.js';
import { makeLogger, type Logger } from './core/logger.js';
import { Metrics } from './core/metrics.js';
import { TableWatch } from './domains/declared/table-watch.js';
import { PassageRenewal } from './domains/knowledge/passage-renewal.js';
import type { Execution } from './graphql/execute/executor.js';
import { accountClient } from './oauth/contract/dependencies.js';
import { OwnProgram } from './oauth/own-program.js';
import type { OAuth } from './oauth/server.js';
import { SealedKeys } from './oauth/signing/signing-keys.js';
import type { OperationGate } from './operation/gate.js';
import { version } from './core/version.js';
import { startTracing } from './operation/tracing.js';
import { closeServer } from './server/close-server.js';
import { CrossOrigin } from './server/cross-origin.js';
import { InFlight } from './server/in-flight.js';
import { Readiness } from './server/readiness.js';
import { makeMetricsServer, makeServer } from './server/server.js';
import { Database } from './store/sql/database.js';
import { AccountCookies } from './transports/account/cookies.js';
import { readExplorerFiles } from './transports/explorer/files.js';
import { makeAddressOf } from './transports/http/address.js';
import { makeCertificateOf, type CertificateHeader } from './transports/http/client-certificate.js';

/** The parts that tests replace: time, ids, the log, the installed domains, and how queries run. */
export interface AppParts extends JobPauses, SchemaSource {
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly logger?: Logger;
  /** In place of `sdl` and `domains`: composed already, for these settings. */
  readonly schema?: ComposedSchema;
  /** Open and migrated; closed with the app. Default: the database of the settings. */
  readonly database?: Database;
  /** In place of `BEHALF_EXECUTION`, to compare the fast ways with `shielded`. */
  readonly execution?: Execution;
}

export interface App {
  readonly database: Database;
  readonly oauth: OAuth;
  /** The one way to run an operation, for every transport. */
  readonly gate: OperationGate;
  /** All scopes of the schema. No public document lists them. */
  readonly scopes: readonly string[];
  /** Listens on the address in the settings; returns the URL. */
  listen(): Promise<string>;
  /**
   * Takes no new requests, answers those in flight, then closes everything. Returns how many requests were cut off
   * because they took longer than `BEHALF_SHUTDOWN_SECONDS`.
   */
  close(): Promise<number>;
}

/**
 * Builds every part by hand. Throws for a schema with uncovered coordinates and for a database that is not migrated.
 */
export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const { BEHALF_COMPANY: company } = config;
  const shipped = parts.schema ?? (company === undefined ? composeSchema(config, parts) : undefined);
  const basics = await basicsOf(config, parts);
  const schema = shipped ?? (await companySchema(company ?? '', config, basics.database, parts));
  const { database, clock, ids, logger, metrics, addressOf, certificateOf } = basics;
  const authority = composeAuthority(basics, schema);
  const { oauth, commitGate, signingKeys } = authority;
  await signingKeys?.ensure().catch(async (error: unknown) => {
    if (parts.database === undefined) await database.close();
    throw error instanceof SealedKeys ? new ConfigError([error.message]) : error;
  });
  const { BEHALF_OTLP_URL: traces } = config;
  const tracing = traces === undefined ? undefined : await startTracing(traces, version(), logger);
  const composed = await composeGate(basics, schema, authority, {
    tracing,
    execution: parts.execution ?? config.BEHALF_EXECUTION,
  });
  const { gate, tallies } = composed;

  const jobs = new BackgroundJobs(logger);
  const watch = watchOf(basics, schema);
  const outbox = new Outbox(database, [indexConsumer], logger);
  const renewal = new PassageRenewal(database, ids);
  const readiness = new Readiness(
    database,
    () => commitGate.isFull,
    () => jobs.isAnyFailing,
  );
  metrics.watch({
    admission: () => composed.admission.state,
    caches: composed.caches,
    recordsWaiting: () => commitGate.size,
    recordsUnindexed: () => outbox.waiting(indexConsumer.name),
    passagesOutdated: () => renewal.waiting,
    chores: () => jobs.failures,
    pool: () => database.pool,
  });
  const inFlight = new InFlight();
  const server = makeServer({
    gate,
    toolsWatch: composed.toolsWatch,
    account: {
      gate,
      program: new OwnProgram(oauth, accountClient(config.publicUrl)),
      cookies: new AccountCookies(config.cookieKeys, config.publicUrl.startsWith('https:')),
      clock,
      logger,
      publicUrl: config.publicUrl,
      addressOf,
      scopes: schema.policy.definitions,
      changing: schema.catalog.changing,
      hasExplorer: config.explorer,
      customerScopes: scopesOf(schema, ['Query.customer', 'Customer.id', 'Customer.number', 'Customer.name']),
    },
    explorer: config.explorer ? readExplorerFiles() : undefined,
    publicUrl: config.publicUrl,
    oauth,
    version: version(),
    isLocal: config.isLocal,
    addressOf,
    certificateOf,
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
    await jobs.stop();
    await composed.stop();
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
    // A request that was cut off may still hold a connection, so this does not wait for it without end.
    await (cut > 0 ? Promise.race([rest(), setTimeout(restMs)]) : rest());
    return cut;
  };
  let ended: Promise<number> | undefined;
  return {
    database,
    oauth,
    gate,
    scopes: [...schema.policy.definitions.keys()],
    async listen() {
      if (!isUpkept)
        startBackgroundJobs(jobs, { database, clock, oauth, outbox, renewal, tallies, watch }, parts);
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

/** The scopes of coordinates; undefined where the schema lacks one of them. */
function scopesOf({ policy }: ComposedSchema, coordinates: readonly string[]): readonly string[] | undefined {
  const scopes = coordinates.flatMap((coordinate) => policy.scopes.get(coordinate) ?? []);
  return scopes.length === coordinates.length ? scopes : undefined;
}

/** Time for the last records and traces where a request was cut off. */
const restMs = 2_000;

/** A database that was opened here is closed where its tables do not fit. */
async function companySchema(
  folder: string,
  config: Config,
  database: Database,
  { database: given }: AppParts,
): Promise<ComposedSchema> {
  try {
    return await composeCompany(folder, config, database);
  } catch (error) {
    if (given === undefined) await database.close();
    throw error;
  }
}

/** Looks at a company's tables now and then, and at once where a statement meets one that is not as expected. */
function watchOf(
  { database, logger }: Basics,
  { company, rowTypes }: ComposedSchema,
): TableWatch | undefined {
  if (company === undefined) return undefined;
  const { changes } = rowTypes;
  const watch = new TableWatch({ ...company, database, changes, logger });
  changes.watch(() => {
    watch.look().catch((error: unknown) => {
      logger.warn({ err: error }, 'the tables could not be looked at');
    });
  });
  return watch;
}

async function basicsOf(config: Config, parts: AppParts): Promise<Basics> {
  const clock = parts.clock ?? systemClock;
  return {
    config,
    clock,
    ids: parts.ids ?? makeIds(clock),
    logger: parts.logger ?? makeLogger(config.BEHALF_LOG_LEVEL),
    metrics: new Metrics(version()),
    database: parts.database ?? (await openDatabase(config)),
    addressOf: makeAddressOf(config.BEHALF_TRUSTED_PROXIES),
    certificateOf: makeCertificateOf(certificateHeaderOf(config), clock),
  };
}

function certificateHeaderOf({
  BEHALF_CLIENT_CERTIFICATE_HEADER: name,
  BEHALF_CLIENT_CERTIFICATE_PROXIES: proxies,
}: Config): CertificateHeader | undefined {
  return name === undefined || proxies === undefined
    ? undefined
    : { name, proxies: new AddressRanges(proxies) };
}

/** Opens the database; throws where it lacks a migration of this program. */
async function openDatabase(config: Config): Promise<Database> {
  const { database: target, BEHALF_POOL_SIZE: poolSize } = config;
  const database = await Database.open(target, migrations, poolSize, statementLimits(config));
  const pending = await database.pendingMigrations();
  if (pending.length === 0) return database;
  await database.close();
  throw new Error(`The database lacks ${pending.join(', ')}: run \`behalf migrate\`.`);
}

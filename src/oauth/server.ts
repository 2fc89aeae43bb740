import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CacheState } from '../core/lru.js';
import type { GuardedPath } from '../core/guarded-paths.js';
import type { Connection } from '../store/sql/connection.js';
import { purgeBackchannelRequests } from './backchannel/waiting-requests.js';
import { ClientDocuments } from './clients/client-documents.js';
import { ClientRegistration } from './clients/registration.js';
import { forgetClients, purgeClientRequests } from './clients/unknown-clients.js';
import type { OAuthDependencies } from './contract/dependencies.js';
import { paths } from './contract/paths.js';
import { defaultResource } from './contract/resources.js';
import { makeCheckDpop, type CheckDpop } from './dpop.js';
import { Endpoints } from './endpoints.js';
import { ForeignTokens } from './foreign-tokens/foreign-tokens.js';
import { IssuerKeys } from './foreign-tokens/issuer-keys.js';
import { purgeSignIns } from './library/kept-sign-ins.js';
import { libraryMetadata } from './library/library-internals.js';
import { purgeExpired, type PayloadStore } from './library/payload-adapter.js';
import { findAccessToken, type AccessTokenFact } from './library/token-lookup.js';
import { authorizationServerMetadata, protectedResourceMetadata } from './metadata.js';
import { makeProvider } from './provider.js';
import { makeSignInEndpoints } from './sign-in-endpoints.js';
import { Throttles } from './throttling/throttles.js';
import { WorkloadClients } from './workloads/workload-clients.js';
import { WorkloadKeys } from './workloads/workload-keys.js';

export interface OAuth {
  /**
   * Answers everything below `/oauth` and the metadata document (RFC 8414). Takes the raw request, before any body
   * parser.
   */
  handle(request: IncomingMessage, response: ServerResponse): void;
  authorizationServerMetadata(): Readonly<Record<string, unknown>>;
  /** RFC 9728. */
  protectedResourceMetadata(path: GuardedPath): Record<string, unknown>;
  /** One read. Undefined for a token that is unknown, expired or revoked. */
  findAccessToken(connection: Connection, token: string): Promise<AccessTokenFact | undefined>;
  readonly checkDpop: CheckDpop;
  readonly caches: Readonly<Record<string, CacheState>>;
  /** Deletes expired rows, in bounded transactions until the signal. Returns how many. */
  purgeExpired(signal?: AbortSignal): Promise<number>;
}

/** The issuer must be an origin, so that its documents are where clients look for them. */
function checkSettings({ settings }: OAuthDependencies): void {
  if (!URL.canParse(settings.issuer) || new URL(settings.issuer).origin !== settings.issuer) {
    throw new TypeError(
      'The issuer must be an origin such as https://behalf.example.com, without path or slash.',
    );
  }
  if (settings.cookieKeys.length === 0 || settings.cookieKeys.some((key) => key.length < 32)) {
    throw new TypeError('Cookie keys must be given and have at least 32 characters each.');
  }
}

/** Builds the authorization server. Throws for an unsafe setting. */
export function createOAuth(dependencies: OAuthDependencies): OAuth {
  checkSettings(dependencies);
  const { settings, database, clock, delegations, signingKeys } = dependencies;
  const store: PayloadStore = { database, clock, epochBump: (tx) => delegations.epochBump(tx) };
  const throttles = new Throttles(dependencies);
  const issuers = foreignIssuers(dependencies);
  const documents = settings.clientDocuments ? new ClientDocuments(dependencies) : undefined;
  const registration = settings.clientRegistration
    ? new ClientRegistration(dependencies, throttles.refusals)
    : undefined;
  const provider = makeProvider(dependencies, store, throttles, issuers, documents);
  const signIns = makeSignInEndpoints(dependencies, store, provider, throttles);
  const offered = libraryMetadata(provider);
  const metadata = authorizationServerMetadata(settings, offered, signingKeys !== undefined);
  const { begun } = throttles;
  const library = provider.callback();
  const endpoints = new Endpoints({ ...signIns, dependencies, library, registration, metadata, begun });
  return {
    handle: (request, response) => {
      endpoints.handle(request, response);
    },
    authorizationServerMetadata: () => metadata,
    protectedResourceMetadata: (path) => protectedResourceMetadata(settings, path),
    findAccessToken: (connection, token) => findAccessToken(connection, token, clock.now()),
    checkDpop: makeCheckDpop(store, originsOf(settings)),
    caches: {
      ...signIns.caches,
      ...documents?.caches,
      ...(registration === undefined ? {} : { clients_registered: registration.lines }),
      ...throttles.caches,
      ...issuers.caches,
    },
    purgeExpired: (signal) => purge(dependencies, store, signal),
  };
}

/** The issuers whose tokens and assertions are taken here. */
function foreignIssuers({ settings, database, clock, delegations, identities, outgoing }: OAuthDependencies) {
  const { issuer, allowHttp } = settings;
  const issuerKeys = new IssuerKeys(clock, allowHttp);
  const workloadKeys = new WorkloadKeys(clock, outgoing, allowHttp);
  return {
    foreignTokens: new ForeignTokens({
      ...{ database, clock, delegations, identities },
      ...{ keys: issuerKeys, issuer, resource: defaultResource(issuer) },
    }),
    workloads: new WorkloadClients({
      ...{ database, clock, issuer, keys: workloadKeys },
      audiences: [issuer, `${issuer}${paths.token}`],
    }),
    caches: {
      token_issuers: issuerKeys.addresses.lines,
      token_issuer_keys: issuerKeys.keys.lines,
      workload_issuers: workloadKeys.addresses.lines,
      workload_issuer_keys: workloadKeys.sets,
    },
  };
}

/** The origins that a DPoP proof may name. */
const originsOf = ({ issuer, mutualTls }: OAuthDependencies['settings']): readonly string[] =>
  mutualTls?.url === undefined ? [issuer] : [issuer, new URL(mutualTls.url).origin];

async function purge(
  dependencies: OAuthDependencies,
  store: PayloadStore,
  signal: AbortSignal | undefined,
): Promise<number> {
  return (
    (await purgeExpired(store, signal)) +
    (await purgeSignIns(store, signal)) +
    (await purgeBackchannelRequests(store, signal)) +
    (await forgetClients(dependencies, signal)) +
    (await purgeClientRequests(store, signal))
  );
}

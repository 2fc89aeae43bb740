import type { IncomingMessage, ServerResponse } from 'node:http';
import { isUtf8Target } from '../core/utf8.js';
import type { CacheState } from '../core/lru.js';
import { clientKeyOf } from '../core/client-address.js';
import type { Connection } from '../store/sql/connection.js';
import { purgeSignIns } from './library/kept-sign-ins.js';
import { purgeExpired, type PayloadStore } from './library/payload-adapter.js';
import { purgeBackchannelRequests } from './backchannel/waiting-requests.js';
import { KnownBrowsers } from './throttling/known-browsers.js';
import { makeCheckDpop, type CheckDpop } from './dpop.js';
import { BackchannelLogout } from './identity-providers/backchannel-logout.js';
import { ProviderCallback } from './identity-providers/callback.js';
import { ForeignTokens } from './foreign-tokens/foreign-tokens.js';
import { ClientRegistration } from './clients/registration.js';
import { ClientDocuments } from './clients/client-documents.js';
import { forgetClients, purgeClientRequests } from './clients/unknown-clients.js';
import { IssuerKeys } from './foreign-tokens/issuer-keys.js';
import { KnownProviders } from './identity-providers/known-providers.js';
import { MessageEndpoint } from './identity-providers/message-endpoint.js';
import { ProviderSignIn } from './identity-providers/provider-sign-in.js';
import { SecurityEvents } from './identity-providers/security-events.js';
import { SignInRequests } from './identity-providers/sign-in-requests.js';
import { PasswordGuesses } from './throttling/password-guesses.js';
import { ChangePassword } from './interactions/change-password.js';
import { Consent } from './interactions/consent.js';
import { Passkey } from './interactions/passkey.js';
import { PasskeySignIn } from './interactions/passkey-sign-in.js';
import { Interactions } from './interactions/handler.js';
import { SignIn } from './interactions/sign-in.js';
import { authorizationServerMetadata, protectedResourceMetadata } from './metadata.js';
import { sendPage } from './pages/page.js';
import { passkeyScript } from './pages/passkey-script.js';
import { signedInPage, tooManyBegunPage } from './pages/sign-in-pages.js';
import { isProviderPath, methodsAt, paths } from './contract/paths.js';
import { PasswordChecks } from './throttling/password-checks.js';
import type { OAuthDependencies } from './contract/dependencies.js';
import type { GuardedPath } from '../core/guarded-paths.js';
import { defaultResource } from './contract/resources.js';
import { refuse, sendJson, sendScript } from './answers.js';
import { makeProvider } from './provider.js';
import { Resources } from './resources.js';
import { RequestLimits } from './throttling/request-limits.js';
import { UserCodes } from './device/user-codes.js';
import { Polls } from './throttling/polls.js';
import { RefusalRecords } from './throttling/refusal-records.js';
import { SlowDown } from './throttling/slow-down.js';
import { libraryMetadata } from './library/library-internals.js';
import { findAccessToken, type AccessTokenFact } from './library/token-lookup.js';
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

const provenPaths: ReadonlySet<string> = new Set([paths.token, paths.pushedAuthorizationRequest]);

/** Links and proofs use the issuer from the settings, never the host of a request. */
function pinHost(request: IncomingMessage, issuer: URL): void {
  request.headers.host = issuer.host;
  request.headers['x-forwarded-proto'] = issuer.protocol.replace(':', '');
  delete request.headers['x-forwarded-host'];
}

/** Requests on which a person decides later. */
const stored: ReadonlySet<string> = new Set([
  paths.pushedAuthorizationRequest,
  paths.deviceAuthorization,
  paths.backchannelAuthentication,
]);

/** Builds the authorization server. Throws for an unsafe setting. */
export function createOAuth(dependencies: OAuthDependencies): OAuth {
  checkSettings(dependencies);
  const {
    settings,
    database,
    clock,
    logger,
    recorder,
    identities,
    passkeys,
    delegations,
    addressOf,
    outgoing,
    signingKeys,
  } = dependencies;
  const store: PayloadStore = { database, clock, epochBump: (tx) => delegations.epochBump(tx) };
  const refused = new SlowDown(clock, settings.limits.refusedPerAddress);
  const requestsRefused = new SlowDown(clock, settings.limits.refusedPerAddress);
  const requestLimits = new RequestLimits(clock, settings.limits, addressOf);
  const { issuer } = settings;
  const issuerKeys = new IssuerKeys(clock, settings.allowHttp);
  const foreignTokens = new ForeignTokens({
    ...{ database, clock, delegations, identities },
    ...{ keys: issuerKeys, issuer, resource: defaultResource(issuer) },
  });
  const workloadKeys = new WorkloadKeys(clock, outgoing, settings.allowHttp);
  const workloads = new WorkloadClients({
    ...{ database, clock, issuer, keys: workloadKeys },
    audiences: [issuer, `${issuer}${paths.token}`],
  });
  const documents = settings.clientDocuments ? new ClientDocuments(dependencies) : undefined;
  const userCodes = new UserCodes({ clock, issuer, recorder, addressOf, limits: settings.limits });
  const polls = new Polls(clock);
  const provider = makeProvider(
    dependencies,
    store,
    {
      ...{ refused, limits: requestLimits, userCodes, polls },
      refusals: new RefusalRecords(requestsRefused, recorder),
    },
    foreignTokens,
    workloads,
    documents,
  );
  const answer = provider.callback();
  const begun = new SlowDown(clock, settings.limits.begunPerAddress);
  const browsers = new KnownBrowsers(clock, settings.cookieKeys, settings.issuer.startsWith('https:'));
  const guesses = new PasswordGuesses(clock, browsers, settings.limits);
  const checks = new PasswordChecks();
  const providers = new KnownProviders(database, clock, settings.allowHttp);
  const requests = new SignInRequests(database, clock);
  const refusals = new RefusalRecords(refused, recorder);
  const registration = settings.clientRegistration
    ? new ClientRegistration(dependencies, refusals)
    : undefined;
  const callback = new ProviderCallback({ providers, requests, refusals, logger, addressOf });
  const messages = { store, providers, identities, recorder, refusals, logger, addressOf };
  const logout = new MessageEndpoint(messages, new BackchannelLogout(messages));
  const signals = new MessageEndpoint(messages, new SecurityEvents(messages));
  const byProvider = new ProviderSignIn({
    ...{ issuer, database, recorder, refusals, identities, providers, requests },
  });
  const passwordUsers = settings.passwordUsers === undefined ? undefined : new Set(settings.passwordUsers);
  const usingPasskeys = { database, recorder, refusals, passkeys, passwordUsers };
  const byPasskey = new PasskeySignIn(usingPasskeys);
  const steps = {
    login: new SignIn({
      ...{ database, recorder, guesses, checks, begun },
      ...{ providers, byProvider, byPasskey, passwordUsers },
    }),
    passkey: new Passkey({ ...usingPasskeys, clock, byPasskey }),
    change_password: new ChangePassword({ store, recorder, checks }),
    consent: new Consent({
      ...{ database, clock, delegations, recorder },
      resources: new Resources(database.read, issuer, settings.scopes),
    }),
  };
  const interactions = new Interactions({
    provider,
    database,
    clock,
    logger,
    issuer: settings.issuer,
    addressOf,
    recorder,
    steps,
    refuseAnswer: (request) => callback.refuse(request),
  });
  const issuerUrl = new URL(settings.issuer);
  const mtlsUrl = settings.mutualTls?.url === undefined ? undefined : new URL(settings.mutualTls.url);
  const metadata = authorizationServerMetadata(
    settings,
    libraryMetadata(provider),
    signingKeys !== undefined,
  );

  /** Such requests are stored, too. */
  const take = (request: IncomingMessage, response: ServerResponse, path: string): void => {
    const party = `${path} ${clientKeyOf(addressOf(request))}`;
    const waitSeconds = begun.waitSeconds(party, party);
    if (waitSeconds > 0) {
      response.setHeader('retry-after', String(waitSeconds));
      refuse(response, 429, 'slow_down', 'too many requests were begun at this address');
      return;
    }
    begun.count(party, party);
    void answer(request, response);
  };

  /** Every started sign-in is stored, so an address may start only so many. */
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    const party = clientKeyOf(addressOf(request));
    const waitSeconds = begun.waitSeconds(party, party);
    if (waitSeconds > 0) {
      sendPage(response, tooManyBegunPage(waitSeconds));
      return;
    }
    begun.count(party, party);
    void answer(request, response);
  };

  /** A DPoP proof names the origin for mutual TLS where the request came to that (RFC 8705 section 5, RFC 9449 section 4.3). */
  const originOf = ({ headers }: IncomingMessage, path: string): URL =>
    headers.dpop !== undefined && headers.host === mtlsUrl?.host && provenPaths.has(path)
      ? (mtlsUrl ?? issuerUrl)
      : issuerUrl;
  const sendKeys = async (response: ServerResponse): Promise<void> => {
    if (signingKeys === undefined) {
      refuse(response, 404, 'not_found', 'this server signs nothing');
      return;
    }
    try {
      sendJson(response, 200, await signingKeys.published(), { 'cache-control': 'max-age=300' });
    } catch (error) {
      logger.error({ err: error }, 'the public keys cannot be read');
      refuse(response, 503, 'temporarily_unavailable', 'the keys cannot be read now; try again later');
    }
  };

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const [path = '', query = ''] = request.url?.split(/\?(.*)/s) ?? [];
    pinHost(request, originOf(request, path));
    // Reads and drops the rest of a body that was too long; otherwise the connection's next request would hang.
    response.once('finish', () => request.resume());
    const isOff = path === paths.registration && registration === undefined;
    const allowed = isOff ? [] : methodsAt(path);
    if (allowed.length === 0) refuse(response, 404, 'not_found', 'there is nothing at this address');
    else if (!allowed.includes(request.method ?? '')) {
      response.setHeader('allow', allowed.join(', '));
      refuse(response, 405, 'method_not_allowed', `this address takes ${allowed.join(' and ')}`);
    } else if (!isUtf8Target(query)) refuse(response, 400, 'invalid_request', 'the query is not UTF-8');
    else if (path.startsWith(`${paths.interaction}/`)) void interactions.handle(request, response);
    else if (path.startsWith(`${paths.callback}/`)) void callback.handle(request, response);
    else if (path === paths.backchannelLogout) void logout.handle(request, response);
    else if (path === paths.securityEvents) void signals.handle(request, response);
    else if (path === paths.registration) void registration?.handle(request, response);
    else if (path === paths.authorize) begin(request, response);
    else if (stored.has(path)) take(request, response, path);
    else if (isProviderPath(path)) void answer(request, response);
    else if (path === paths.metadata) {
      sendJson(response, 200, metadata, { 'cache-control': 'max-age=300' });
    } else if (path === paths.jwks) void sendKeys(response);
    else if (path === paths.passkeyScript) sendScript(response, passkeyScript);
    else sendPage(response, signedInPage);
  };

  return {
    handle,
    authorizationServerMetadata: () => metadata,
    protectedResourceMetadata: (path) => protectedResourceMetadata(settings, path),
    findAccessToken: (connection, token) => findAccessToken(connection, token, clock.now()),
    checkDpop: makeCheckDpop(store, mtlsUrl === undefined ? [issuer] : [issuer, mtlsUrl.origin]),
    caches: {
      ...guesses.caches,
      ...documents?.caches,
      ...(registration === undefined ? {} : { clients_registered: registration.lines }),
      sign_ins_begun: begun.lines,
      token_requests_refused: refused.lines,
      authorization_requests_refused: requestsRefused.lines,
      token_requests: requestLimits.tokens.lines,
      introspections: requestLimits.introspections.lines,
      user_codes_by_address: userCodes.perAddress.lines,
      user_codes_together: userCodes.together.lines,
      device_polls: polls.due,
      identity_providers: providers.kept.lines,
      identity_provider_keys: providers.keys.lines,
      token_issuers: issuerKeys.addresses.lines,
      token_issuer_keys: issuerKeys.keys.lines,
      workload_issuers: workloadKeys.addresses.lines,
      workload_issuer_keys: workloadKeys.sets,
    },
    purgeExpired: async (signal) =>
      (await purgeExpired(store, signal)) +
      (await purgeSignIns(store, signal)) +
      (await purgeBackchannelRequests(store, signal)) +
      (await forgetClients(dependencies, signal)) +
      (await purgeClientRequests(store, signal)),
  };
}

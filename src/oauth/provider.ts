import type { KoaContextWithOIDC, TokenEndpointGrantContext } from 'oidc-provider';
import { Provider } from './library/oidc-provider.js';
import { KnownClients, type ClientDocuments } from './clients/client-documents.js';
import type { PayloadStore } from './library/payload-adapter.js';
import { AgentClients, jwtBearer, tokenExchange } from './library/agent-clients.js';
import { makeConfiguration } from './configuration.js';
import {
  clientCredentials,
  clientCredentialsParameters,
  makeClientCredentials,
} from './grants/client-credentials.js';
import { authorizationCode, makeAuthorizationCode } from './grants/authorization-code.js';
import { byBackchannel, byDeviceCode, makeDecidedElsewhere } from './grants/device-code.js';
import { formOfPerson } from './device/user-codes.js';
import { requireResource } from './grants/refresh-of-people.js';
import { makeRefreshToken, refreshToken } from './grants/refresh-token.js';
import type { ForeignTokens } from './foreign-tokens/foreign-tokens.js';
import { jwtBearerParameters, makeJwtBearer } from './grants/jwt-bearer.js';
import { makeTokenExchange, tokenExchangeParameters } from './grants/token-exchange.js';
import { adaptedRequest, takesAuthorizationRequest } from './middleware/authorization-request.js';
import { makeFailures } from './middleware/failures.js';
import { makeIntrospection } from './middleware/introspection.js';
import { FormError, readForm } from './step/form.js';
import {
  actingClientOf,
  giveBody,
  keepGenerations,
  makeClientsReadOnce,
  replaceChecks,
} from './library/library-internals.js';
import type { RequestLimits } from './throttling/request-limits.js';
import type { ActingClient, OAuthDependencies } from './contract/dependencies.js';
import { ownResources } from '../core/guarded-paths.js';
import { makeRecording, noteWorkload } from './middleware/recording.js';
import { makeSignedIntrospection } from './middleware/signed-introspection.js';
import { makeRefreshGrace } from './middleware/refresh-grace.js';
import { makeRefusedRequests } from './middleware/refused-requests.js';
import type { Throttles } from './throttling/throttles.js';
import type { Translated, WorkloadClients } from './workloads/workload-clients.js';

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

const secureHeaders: Middleware = async (ctx, next) => {
  ctx.set('x-content-type-options', 'nosniff');
  ctx.set('referrer-policy', 'no-referrer');
  await next();
};

type Adapted = (path: string, text: string) => Promise<string>;

const requestsInQueries =
  (adapted: Adapted): Middleware =>
  async (ctx, next) => {
    if (ctx.method === 'GET' && takesAuthorizationRequest(ctx.path))
      ctx.querystring = await adapted(ctx.path, ctx.querystring);
    await next();
  };

/**
 * The library would put U+FFFD where a body is not UTF-8, and store the result. It gets the form with an assertion of the
 * agent in place of that of its workload.
 */
const makeForms =
  (workloads: WorkloadClients, adapted: Adapted): Middleware =>
  async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.req.headers['content-type'] === undefined) return next();
    let translated: Translated;
    try {
      translated = await workloads.translate(await readForm(ctx.req));
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      ctx.status = error.status;
      if (error.status === 415) ctx.set('accept-encoding', 'identity');
      ctx.body = { error: 'invalid_request', error_description: error.message };
      return;
    }
    const { form } = translated;
    const isRequest = takesAuthorizationRequest(ctx.path);
    giveBody(
      ctx.req,
      isRequest ? Buffer.from(await adapted(ctx.path, form.toString())) : formOfPerson(ctx.path, form),
    );
    if (translated.detail !== undefined) noteWorkload(ctx, translated.detail);
    await next();
    explain(ctx, translated);
  };

/** Says why a workload's assertion was refused; the library says only that it was. */
function explain(ctx: KoaContextWithOIDC, { refusal }: Translated): void {
  const { body, status } = ctx;
  if (status !== 401 || typeof body !== 'object' || body === null || refusal === undefined) return;
  ctx.body = { ...body, error_description: refusal };
}

type GrantOfAgents = (ctx: TokenEndpointGrantContext, client: ActingClient) => Promise<void>;

/**
 * The library's handlers of these grants are for people's programs; agents have this project's. An answer never comes as a
 * page with a script (`form_post`). Every grant counts for the limit of its client.
 */
const withGrantsOfAgents = (grants: Readonly<Record<string, GrantOfAgents>>, limits: RequestLimits) =>
  class extends Provider {
    override registerGrantType<Params extends object>(
      name: string,
      handler: (ctx: TokenEndpointGrantContext<Params>) => void | Promise<void>,
      ...rest: [parameters?: string | readonly string[], twice?: string | readonly string[]]
    ): void {
      const handle = grants[name];
      const either = async (ctx: TokenEndpointGrantContext<Params>): Promise<void> => {
        const client = actingClientOf(ctx.oidc.client);
        if (client !== undefined && handle !== undefined) return handle(ctx, client);
        if (name === refreshToken) await requireResource(ctx);
        return handler(ctx);
      };
      const limited = async (ctx: TokenEndpointGrantContext<Params>): Promise<void> => {
        limits.takeToken(ctx);
        await either(ctx);
      };
      super.registerGrantType(name, limited, ...rest);
    }

    override registerResponseMode(...mode: Parameters<Provider['registerResponseMode']>): void {
      if (mode[0] !== 'form_post') super.registerResponseMode(...mode);
    }
  };

/** The library, with this project's grants, clients and records around it. */
export function makeProvider(
  dependencies: OAuthDependencies,
  store: PayloadStore,
  throttles: Throttles,
  {
    foreignTokens,
    workloads,
  }: { readonly foreignTokens: ForeignTokens; readonly workloads: WorkloadClients },
  documents: ClientDocuments | undefined,
): Provider {
  const { settings, database, clock, logger, delegations, recorder, addressOf, certificateOf } = dependencies;
  const { signingKeys } = dependencies;
  const clients = new AgentClients(
    database,
    clock,
    workloads.jwks,
    ownResources(settings.issuer),
    (registered) => new KnownClients(registered, documents),
  );
  const issuing = { clock, database, settings, certificateOf };
  const GrantsOfAgents = withGrantsOfAgents(
    {
      [authorizationCode]: makeAuthorizationCode(delegations, issuing),
      [refreshToken]: makeRefreshToken(delegations, issuing),
      [byDeviceCode.grantType]: makeDecidedElsewhere(byDeviceCode, delegations, issuing, throttles.polls),
      [byBackchannel.grantType]: makeDecidedElsewhere(byBackchannel, delegations, issuing, throttles.polls),
    },
    throttles.limits,
  );
  const provider = new GrantsOfAgents(settings.issuer, makeConfiguration(dependencies, clients, store));
  replaceChecks(provider, clients, store, settings);
  keepGenerations(provider);

  const twice = ['resource'];
  provider.registerGrantType(
    clientCredentials,
    makeClientCredentials(delegations, issuing),
    clientCredentialsParameters,
    twice,
  );
  provider.registerGrantType(
    tokenExchange,
    makeTokenExchange(delegations, foreignTokens, issuing),
    tokenExchangeParameters,
    twice,
  );
  provider.registerGrantType(jwtBearer, makeJwtBearer(foreignTokens, issuing), jwtBearerParameters, twice);

  const adapted: Adapted = (path, text) => adaptedRequest(path, text, settings, clients.registered);

  // The first middleware is the outermost: it records what is about to leave.
  provider.use(makeRecording({ recorder, logger, refused: throttles.refused, addressOf }));
  provider.use(makeRefusedRequests(provider, { refusals: throttles.requestRefusals, logger, addressOf }));
  provider.use(secureHeaders);
  provider.use(makeFailures(provider, store, logger));
  provider.use(throttles.userCodes.middleware);
  provider.use(makeForms(workloads, adapted));
  provider.use(makeRefreshGrace(provider, store, dependencies));
  if (signingKeys !== undefined) provider.use(makeSignedIntrospection(signingKeys, settings.issuer));
  provider.use(makeIntrospection(delegations, throttles.limits, makeClientsReadOnce(provider)));
  provider.use(requestsInQueries(adapted));

  // The host and scheme are pinned before a request gets here: see `server.ts`.
  provider.proxy = true;
  return provider;
}

import type { KoaContextWithOIDC } from 'oidc-provider';
import { Provider } from './library/oidc-provider.js';
import type { PayloadStore } from './library/payload-adapter.js';
import { AgentClients, tokenExchange } from './library/agent-clients.js';
import { makeConfiguration } from './configuration.js';
import {
  clientCredentials,
  clientCredentialsParameters,
  makeClientCredentials,
} from './grants/client-credentials.js';
import { makeTokenExchange, tokenExchangeParameters } from './grants/token-exchange.js';
import { makeIntrospection } from './middleware/introspection.js';
import { FormError, readForm } from './step/form.js';
import { giveBody, onFailure, replaceChecks } from './library/library-internals.js';
import { paths } from './contract/paths.js';
import type { SlowDown } from './throttling/slow-down.js';
import type { OAuthDependencies } from './contract/dependencies.js';
import { makeRecording } from './middleware/recording.js';
import { makeRefreshGrace } from './middleware/refresh-grace.js';

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

const secureHeaders: Middleware = async (ctx, next) => {
  ctx.set('x-content-type-options', 'nosniff');
  ctx.set('referrer-policy', 'no-referrer');
  await next();
};

/** RFC 6749 section 3.3: without `scope`, the default applies: all scopes that the person holds. */
const defaultScope =
  (scopes: readonly string[]): Middleware =>
  async (ctx, next) => {
    if (ctx.path === paths.authorize && ctx.query.scope === undefined) {
      ctx.query = { ...ctx.query, scope: scopes.join(' ') };
    }
    await next();
  };

/** The library would put U+FFFD where a body is not UTF-8, and store the result. */
const formsAlone: Middleware = async (ctx, next) => {
  if (ctx.method !== 'POST' || ctx.req.headers['content-type'] === undefined) return next();
  try {
    giveBody(ctx.req, await readForm(ctx.req));
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    ctx.status = error.status;
    if (error.status === 415) ctx.set('accept-encoding', 'identity');
    ctx.body = { error: 'invalid_request', error_description: error.message };
    return;
  }
  await next();
};

/** The library, with this project's grants, clients and records around it. */
export function makeProvider(
  dependencies: OAuthDependencies,
  store: PayloadStore,
  refused: SlowDown,
): Provider {
  const { settings, database, clock, logger, delegations, recorder, addressOf } = dependencies;
  const clients = new AgentClients(database, clock);
  const provider = new Provider(settings.issuer, makeConfiguration(dependencies, clients, store));
  replaceChecks(provider, clients, store);

  const issuing = { clock, settings };
  const twice = ['resource'];
  provider.registerGrantType(
    clientCredentials,
    makeClientCredentials(delegations, issuing),
    clientCredentialsParameters,
    twice,
  );
  provider.registerGrantType(
    tokenExchange,
    makeTokenExchange(delegations, issuing),
    tokenExchangeParameters,
    twice,
  );

  // The first middleware is the outermost: it records what is about to leave.
  provider.use(makeRecording({ recorder, logger, refused, addressOf }));
  provider.use(secureHeaders);
  provider.use(formsAlone);
  provider.use(makeRefreshGrace(provider, store));
  provider.use(makeIntrospection(database, delegations));
  provider.use(defaultScope(settings.scopes));

  // The host and scheme are pinned before a request gets here: see `server.ts`.
  provider.proxy = true;
  onFailure(provider, (error) => {
    logger.error({ err: error }, 'the authorization server failed');
  });
  return provider;
}

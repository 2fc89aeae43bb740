import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { CacheState } from '../core/lru.js';
import type { OAuthDependencies } from './contract/dependencies.js';
import { BackchannelLogout } from './identity-providers/backchannel-logout.js';
import { ProviderCallback } from './identity-providers/callback.js';
import { KnownProviders } from './identity-providers/known-providers.js';
import { MessageEndpoint } from './identity-providers/message-endpoint.js';
import { ProviderSignIn } from './identity-providers/provider-sign-in.js';
import { SecurityEvents } from './identity-providers/security-events.js';
import { SignInRequests } from './identity-providers/sign-in-requests.js';
import { ChangePassword } from './interactions/change-password.js';
import { Consent } from './interactions/consent.js';
import { Interactions } from './interactions/handler.js';
import { Passkey } from './interactions/passkey.js';
import { PasskeySignIn } from './interactions/passkey-sign-in.js';
import { SignIn } from './interactions/sign-in.js';
import type { PayloadStore } from './library/payload-adapter.js';
import { Resources } from './resources.js';
import { KnownBrowsers } from './throttling/known-browsers.js';
import { PasswordChecks } from './throttling/password-checks.js';
import { PasswordGuesses } from './throttling/password-guesses.js';
import type { Throttles } from './throttling/throttles.js';

interface Endpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** The endpoints at which people sign in, and at which their identity providers say that a sign-in has ended. */
export interface SignInEndpoints {
  readonly interactions: Endpoint;
  readonly callback: Endpoint;
  readonly logout: Endpoint;
  readonly signals: Endpoint;
}

export function makeSignInEndpoints(
  dependencies: OAuthDependencies,
  store: PayloadStore,
  provider: Provider,
  throttles: Pick<Throttles, 'begun' | 'refusals'>,
): SignInEndpoints & { readonly caches: Readonly<Record<string, CacheState>> } {
  const { settings, database, clock, logger, recorder, identities, addressOf } = dependencies;
  const { refusals } = throttles;
  const providers = new KnownProviders(database, clock, settings.allowHttp);
  const requests = new SignInRequests(database, clock);
  const callback = new ProviderCallback({ providers, requests, refusals, logger, addressOf });
  const messages = { store, providers, identities, recorder, refusals, logger, addressOf };
  const guesses = guessesOf(dependencies);
  const steps = stepsOf(dependencies, store, { ...throttles, guesses, providers, requests });
  const { issuer } = settings;
  const refuseAnswer = (request: IncomingMessage) => callback.refuse(request);
  return {
    callback,
    interactions: new Interactions({
      ...{ provider, database, clock, logger, issuer, addressOf, recorder, steps, refuseAnswer },
    }),
    logout: new MessageEndpoint(messages, new BackchannelLogout(messages)),
    signals: new MessageEndpoint(messages, new SecurityEvents(messages)),
    caches: {
      ...guesses.caches,
      identity_providers: providers.kept.lines,
      identity_provider_keys: providers.keys.lines,
    },
  };
}

function guessesOf({ clock, settings }: OAuthDependencies): PasswordGuesses {
  const browsers = new KnownBrowsers(clock, settings.cookieKeys, settings.issuer.startsWith('https:'));
  return new PasswordGuesses(clock, browsers, settings.limits);
}

interface StepParts extends Pick<Throttles, 'begun' | 'refusals'> {
  readonly guesses: PasswordGuesses;
  readonly providers: KnownProviders;
  readonly requests: SignInRequests;
}

/** The steps of a sign-in, by the prompts of the interaction policy. */
function stepsOf(
  dependencies: OAuthDependencies,
  store: PayloadStore,
  { begun, refusals, guesses, providers, requests }: StepParts,
) {
  const { settings, database, clock, recorder, identities, passkeys, delegations } = dependencies;
  const { issuer, scopes } = settings;
  const checks = new PasswordChecks();
  const byProvider = new ProviderSignIn({
    ...{ issuer, database, recorder, refusals, identities, providers, requests },
  });
  const passwordUsers = settings.passwordUsers === undefined ? undefined : new Set(settings.passwordUsers);
  const usingPasskeys = { database, recorder, refusals, passkeys, passwordUsers };
  const byPasskey = new PasskeySignIn(usingPasskeys);
  return {
    login: new SignIn({
      ...{ database, recorder, guesses, checks, begun },
      ...{ providers, byProvider, byPasskey, passwordUsers },
    }),
    passkey: new Passkey({ ...usingPasskeys, clock, byPasskey }),
    change_password: new ChangePassword({ store, recorder, checks }),
    consent: new Consent({
      ...{ database, clock, delegations, recorder },
      resources: new Resources(database.read, issuer, scopes),
    }),
  };
}

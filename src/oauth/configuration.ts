import { generateKeyPairSync } from 'node:crypto';
import type { Adapter, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { clientSigningAlgorithms } from '../core/client-keys.js';
import { all, eq } from '../store/sql/condition.js';
import type { Database } from '../store/sql/database.js';
import { users, type UserRow } from '../store/tables/identity.js';
import { needsPasskey } from '../delegation/role-loader.js';
import { BackchannelRequests } from './backchannel/backchannel-requests.js';
import { Notifications } from './backchannel/notifications.js';
import { deviceFlow } from './device/device-flow.js';
import { newGrant } from './grants-of-sign-ins.js';
import { DeviceCodeAdapter } from './library/device-code-adapter.js';
import { notKept } from './library/not-kept.js';
import { InteractionAdapter } from './library/interaction-adapter.js';
import { PayloadAdapter, type PayloadStore } from './library/payload-adapter.js';
import { PushedRequestAdapter } from './library/pushed-request-adapter.js';
import { dpopAlgorithms } from './dpop.js';
import { certificateMethods, mutualTls } from './mutual-tls/feature.js';
import { detailTypes } from './library/authorization-details.js';
import { publicClientMetadata, type AgentClients } from './library/agent-clients.js';
import { agentGenerationMember, agentIdMember, agentNameMember } from './library/client-metadata.js';
import { notificationEndpointMember, resourcesMember, scopesMember } from './library/registered-clients.js';
import { introspectionPolicy } from './library/introspection-policy.js';
import { makeResourceInfo } from './library/resource-info.js';
import { resourceMember, serverMember } from './library/resource-server-clients.js';
import { signInMembers } from './library/token-lookup.js';
import { acrValuesParameter, makePolicy } from './interactions/interaction-policy.js';
import { paths } from './contract/paths.js';
import type { OAuthDependencies } from './contract/dependencies.js';
import { defaultResource } from './contract/resources.js';
import { Resources, serverNoted } from './resources.js';
import { renderErrorPage } from './pages/error-page.js';

/**
 * Client authentication: people's programs have none; agents use a secret, sent either way (RFC 6749 section 2.3.1), a key,
 * or a certificate.
 */
export const confidentialMethods = [
  ...['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  ...certificateMethods,
] as const;
export const clientAuthMethods = ['none', ...confidentialMethods] as const;

const signInSeconds = 600;

const activeUser = (database: Database, userId: string): Promise<UserRow | undefined> =>
  database.read.one(users, all(eq<UserRow>('id', userId), eq<UserRow>('status', 'active')));

/**
 * The library requires a key for ID tokens. It issues none, so this key signs nothing; what this server signs, it signs with
 * its `SigningKeys`.
 */
const unusedKeys = (): NonNullable<Configuration['jwks']> => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keys: [{ ...(privateKey.export({ format: 'jwk' }) as { kty: string }), alg: 'ES256', use: 'sig' }],
  };
};

const features = (
  dependencies: OAuthDependencies,
  resources: Resources,
  backchannel: BackchannelRequests,
): Configuration['features'] => {
  const { settings } = dependencies;
  const own = defaultResource(settings.issuer);
  const isOwn = (ctx: KoaContextWithOIDC, token: { clientId?: string | undefined }): boolean =>
    ctx.oidc.client?.clientId === token.clientId;
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    ciba: backchannel.feature,
    deviceFlow: deviceFlow({ ...dependencies, decided: (ctx, code) => backchannel.decided(ctx, code) }),
    dPoP: { enabled: true },
    mTLS: mutualTls(dependencies),
    introspection: { enabled: true, allowedPolicy: introspectionPolicy },
    revocation: { enabled: true, allowedPolicy: (ctx, _client, token) => isOwn(ctx, token) },
    resourceIndicators: {
      enabled: true,
      // Of several that were granted, a token request that names none is for this server.
      defaultResource: (_ctx, _client, granted) =>
        granted === undefined || granted.includes(own) ? own : [...granted],
      useGrantedResource: () => true,
      getResourceServerInfo: makeResourceInfo(dependencies, resources),
    },
    richAuthorizationRequests: {
      enabled: true,
      types: detailTypes,
      // A consent is stored as a consent; the person's own token does not depend on it.
      authorizationDetailsForGrantSource: () => undefined,
      authorizationDetailsForAccessToken: () => undefined,
      authorizationDetailsForIntrospection: (_ctx, token) => token.rar,
    },
  };
};

/** How the person signed in, and for which registered server the token is: it comes by a code or a refresh token. */
function membersOfSignIn(ctx: KoaContextWithOIDC, audience: unknown): Record<string, unknown> | undefined {
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
  const { authTime, acr } = AuthorizationCode ?? RefreshToken ?? {};
  const server = serverNoted(ctx, audience);
  const members = authTime === undefined ? undefined : signInMembers(authTime, acr);
  return server === undefined ? members : { ...members, [serverMember]: server.id };
}

/** The library's settings: OAuth 2.1 only, opaque tokens, PKCE always, rotating refresh tokens. */
export function makeConfiguration(
  dependencies: OAuthDependencies,
  clients: AgentClients,
  store: PayloadStore,
): Configuration {
  const { settings, database, delegations, outgoing, logger } = dependencies;
  const notifications = new Notifications({ outgoing, logger, keys: settings.cookieKeys });
  const backchannel = new BackchannelRequests({ ...dependencies, notifications });
  const resources = new Resources(database.read, settings.issuer, settings.scopes);
  const adapters = new Map<string, Adapter>([
    ['Client', clients],
    ['BackchannelAuthenticationRequest', notKept],
    ['DeviceCode', new DeviceCodeAdapter(store, delegations)],
    ['Interaction', new InteractionAdapter(store, delegations)],
    ['PushedAuthorizationRequest', new PushedRequestAdapter('PushedAuthorizationRequest', store)],
  ]);
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true } as const;
  return {
    adapter: (model) => adapters.get(model) ?? new PayloadAdapter(model, store),
    clients: settings.clients.map(publicClientMetadata),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientAuthMethods: [...clientAuthMethods],
    clientBasedCORS: () => false,
    clockTolerance: 5,
    cookies: {
      keys: [...settings.cookieKeys],
      names: { session: 'behalf_session', interaction: 'behalf_interaction', resume: 'behalf_resume' },
      long: { ...cookie, path: '/oauth' },
      short: cookie,
    },
    enabledJWA: {
      clientAuthSigningAlgValues: [...clientSigningAlgorithms],
      dPoPSigningAlgValues: [...dpopAlgorithms],
    },
    expiresWithSession: () => false,
    extraClientMetadata: {
      properties: [
        ...[agentIdMember, agentNameMember, agentGenerationMember, scopesMember, resourcesMember],
        ...[resourceMember, notificationEndpointMember],
      ],
    },
    extraParams: [acrValuesParameter],
    // Keeps a token's extra members, which the library would drop.
    extraTokenClaims: (ctx, token) => token.extra ?? membersOfSignIn(ctx, token.aud),
    features: features(dependencies, resources, backchannel),
    findAccount: async (ctx, userId) => {
      const user = await activeUser(database, userId);
      if (backchannel.isNobody(ctx, userId)) return { accountId: userId, claims: () => ({ sub: userId }) };
      return user === undefined ? undefined : { accountId: user.id, claims: () => ({ sub: user.id }) };
    },
    interactions: {
      policy: makePolicy(
        async (userId) => (await activeUser(database, userId))?.mustChangePassword === true,
        (userId) => needsPasskey(database.read, userId),
      ),
      url: (_ctx, interaction) => `${paths.interaction}/${interaction.uid}`,
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    jwks: unusedKeys(),
    loadExistingGrant: newGrant(dependencies),
    pkce: { required: () => true },
    renderError: renderErrorPage,
    responseTypes: ['code'],
    rotateRefreshToken: () => true,
    routes: {
      authorization: paths.authorize,
      pushed_authorization_request: paths.pushedAuthorizationRequest,
      device_authorization: paths.deviceAuthorization,
      code_verification: paths.device,
      backchannel_authentication: paths.backchannelAuthentication,
      token: paths.token,
      revocation: paths.revocation,
      introspection: paths.introspection,
    },
    scopes: [],
    ttl: {
      AccessToken: settings.accessTokenTtlSeconds,
      AuthorizationCode: 60,
      BackchannelAuthenticationRequest: 600,
      DeviceCode: 600,
      Grant: settings.refreshTokenTtlSeconds,
      Interaction: signInSeconds,
      RefreshToken: settings.refreshTokenTtlSeconds,
      Session: signInSeconds,
    },
  };
}

import { generateKeyPairSync } from 'node:crypto';
import type { Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { clientSigningAlgorithms } from '../core/client-keys.js';
import type { Clock } from '../core/clock.js';
import { all, eq } from '../store/sql/condition.js';
import type { Database } from '../store/sql/database.js';
import { users, type UserRow } from '../store/tables/identity.js';
import { needsPasskey } from '../delegation/role-loader.js';
import { keepSignIn, type NewSignIn } from './library/kept-sign-ins.js';
import { deviceFlow } from './device/device-flow.js';
import { PayloadAdapter, type PayloadStore } from './library/payload-adapter.js';
import { dpopAlgorithms } from './dpop.js';
import { certificateMethods, mutualTls } from './mutual-tls/feature.js';
import { detailTypes } from './library/authorization-details.js';
import { newDelegationGrant } from './library/library-internals.js';
import { publicClientMetadata, type AgentClients } from './library/agent-clients.js';
import { agentGenerationMember, agentIdMember, agentNameMember } from './library/client-metadata.js';
import { resourcesMember, scopesMember } from './library/registered-clients.js';
import { introspectionPolicy } from './library/introspection-policy.js';
import { makeResourceInfo } from './library/resource-info.js';
import { resourceMember, serverMember } from './library/resource-server-clients.js';
import { signInMembers } from './library/token-lookup.js';
import { acrValuesParameter, decisionsOf, makePolicy } from './interactions/interaction-policy.js';
import { paths } from './contract/paths.js';
import type { OAuthDependencies } from './contract/dependencies.js';
import { defaultResource } from './contract/resources.js';
import { Resources, serverNoted } from './resources.js';
import { renderErrorPage } from './pages/error-page.js';
import { isLoginCurrent, type Login } from './step/current-sign-in.js';
import { userAgentOf } from './middleware/recording.js';

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

/**
 * One grant for each sign-in, so that ending one sign-in leaves the person's others. Undefined where the sign-in has
 * ended.
 */
const newGrant =
  (dependencies: OAuthDependencies) =>
  async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { account, client, provider, entities } = ctx.oidc;
    const { login, consent } = decisionsOf(ctx);
    if (account === undefined || client === undefined || login === undefined) return undefined;
    const earlier = entities.Interaction?.grantId;
    const begun = earlier === undefined ? undefined : await provider.Grant.find(earlier);
    if (begun?.accountId === account.accountId && begun.clientId === client.clientId)
      return consent?.delegationId === undefined
        ? begun
        : grantOfDelegation(
            ctx,
            begun,
            secondsUntil(consent.expiresAt, dependencies.clock),
            consent.delegationId,
          );
    const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    for (const [identifier, { scopes }] of Object.entries(ctx.oidc.resourceServers ?? {}))
      grant.addResourceScope(
        identifier,
        [...ctx.oidc.requestParamScopes].filter((name) => scopes.has(name)).join(' '),
      );
    await grant.save();
    // Checked after saving: a transaction that ends the person's sign-ins either finds the grant or is seen here.
    const isKept = await dependencies.database.transaction(async (tx) => {
      const { provider: by } = login;
      if (by !== undefined && (await dependencies.identities.hasEnded(tx, by))) return false;
      if (!(await isLoginCurrent(tx, login))) return false;
      await keepSignIn(tx, dependencies, signInOf(ctx, dependencies, grant, login));
      return true;
    });
    if (isKept) return grant;
    await grant.destroy();
    return undefined;
  };

const secondsUntil = (iso = '', clock: Clock): number =>
  Math.max(1, Math.floor((Date.parse(iso) - clock.now()) / 1000));

/** The answer to an agent's request belongs to the delegation that came of it, and no longer to the sign-in. */
async function grantOfDelegation(
  { oidc: { provider } }: KoaContextWithOIDC,
  begun: Grant,
  expiresIn: number,
  jti: string,
): Promise<Grant> {
  const { accountId = '', clientId = '' } = begun;
  const grant = newDelegationGrant(provider, { jti, accountId, clientId, expiresIn });
  await grant.save();
  await begun.destroy();
  return grant;
}

function signInOf(
  { req, oidc: { client } }: KoaContextWithOIDC,
  { settings, addressOf }: OAuthDependencies,
  { jti: grantId }: Grant,
  { accountId: userId, provider, byPasskey }: Login,
): NewSignIn {
  const clientId = client?.clientId ?? '';
  return {
    ...{ userId, grantId, clientId },
    program: (client?.clientName ?? clientId).slice(0, 200),
    method: byPasskey === true ? 'passkey' : provider === undefined ? 'password' : 'provider',
    providerId: provider?.providerId ?? null,
    provider: provider?.label ?? null,
    providerSession: provider?.session ?? null,
    address: addressOf(req).slice(0, 60),
    userAgent: userAgentOf(req) ?? null,
    lifeSeconds: settings.refreshTokenTtlSeconds,
  };
}

const features = (dependencies: OAuthDependencies, resources: Resources): Configuration['features'] => {
  const { settings } = dependencies;
  const own = defaultResource(settings.issuer);
  const isOwn = (ctx: KoaContextWithOIDC, token: { clientId?: string | undefined }): boolean =>
    ctx.oidc.client?.clientId === token.clientId;
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    deviceFlow: deviceFlow(dependencies),
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
  const { settings, database } = dependencies;
  const resources = new Resources(database.read, settings.issuer, settings.scopes);
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true } as const;
  return {
    adapter: (model) => (model === 'Client' ? clients : new PayloadAdapter(model, store)),
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
        resourceMember,
      ],
    },
    extraParams: [acrValuesParameter],
    // Keeps a token's extra members, which the library would drop.
    extraTokenClaims: (ctx, token) => token.extra ?? membersOfSignIn(ctx, token.aud),
    features: features(dependencies, resources),
    findAccount: async (_ctx, userId) => {
      const user = await activeUser(database, userId);
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
      token: paths.token,
      revocation: paths.revocation,
      introspection: paths.introspection,
    },
    scopes: [],
    ttl: {
      AccessToken: settings.accessTokenTtlSeconds,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: settings.refreshTokenTtlSeconds,
      Interaction: signInSeconds,
      RefreshToken: settings.refreshTokenTtlSeconds,
      Session: signInSeconds,
    },
  };
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type {
  AccessToken,
  AuthorizationDetail,
  Client,
  DeviceCode,
  Grant,
  KoaContextWithOIDC,
  Provider,
  RefreshToken,
  ResourceServerInstance,
} from 'oidc-provider';
import discovery from 'oidc-provider/lib/actions/discovery.js';
import { firstUse } from './first-use.js';
import type { PayloadStore } from './payload-adapter.js';
import type { AgentClients } from './agent-clients.js';
import { agentGenerationMember, agentIdMember, agentNameMember } from './client-metadata.js';
import { notificationEndpointMember, resourcesMember, scopesMember } from './registered-clients.js';
import type { ActingClient, OAuthSettings } from '../contract/dependencies.js';
import { SecretsRefused } from './oauth-errors.js';
import { resourceOfClient, serverMember } from './resource-server-clients.js';
import { generationMember, generationOf } from './token-lookup.js';

/** The one file that goes beyond the library's published types. */

interface Replaceable {
  readonly Client: {
    readonly prototype: { compareClientSecret(this: Client, actual: string): Promise<boolean> };
    find(clientId: string): Promise<Client | undefined>;
  };
  readonly ReplayDetection: {
    unique(issuer: string, jti: string, expiresAtSeconds: number): Promise<boolean>;
  };
}

/** The library reads a request's body itself, once. It gets the body that was read and checked before. */
export function giveBody(request: IncomingMessage, body: Buffer): void {
  Object.defineProperties(request, { readable: { value: true }, iterator: { value: () => [body] } });
  if (request.headers['content-length'] !== undefined)
    request.headers['content-length'] = String(body.length);
}

/** A request that came without a session leaves none. The library would fail to store a change to it. */
export function leaveNoSession({ oidc: { session } }: KoaContextWithOIDC): void {
  if (session !== undefined && !('exp' in session)) Object.assign(session, { touched: false });
}

/** The id of the client's agent; undefined for people's programs. */
export function agentIdOf(client: Client | undefined): string | undefined {
  const id: unknown = client?.[agentIdMember];
  return typeof id === 'string' ? id : undefined;
}

/** The client's agent, as read with the client; undefined for people's programs. */
export function actingClientOf(client: Client | undefined): ActingClient | undefined {
  const agentId = agentIdOf(client);
  const agentGeneration: unknown = client?.[agentGenerationMember];
  return agentId === undefined || typeof agentGeneration !== 'number'
    ? undefined
    : { agentId, agentGeneration };
}

/** The name of the client's agent; undefined for people's programs. */
export function agentNameOf(client: Client | undefined): string | undefined {
  const name: unknown = client?.[agentNameMember];
  return typeof name === 'string' ? name : undefined;
}

const textsAt = (client: Client | undefined, member: string): readonly string[] | undefined => {
  const texts: unknown = client?.[member];
  return Array.isArray(texts) ? texts.filter((text) => typeof text === 'string') : undefined;
};

/** The scopes that tokens of a client have at most. Undefined: it has no ceiling of its own. */
export const scopeCeilingOf = (client: Client | undefined): readonly string[] | undefined =>
  textsAt(client, scopesMember);

/** The resources that tokens of a client may be for. Undefined: all, for agents and for this server's own programs. */
export const resourceCeilingOf = (client: Client | undefined): readonly string[] | undefined =>
  textsAt(client, resourcesMember);

/** Where a client is told that a person has decided. Undefined: it polls. */
export function notificationEndpointOf(client: Client | undefined): string | undefined {
  const endpoint: unknown = client?.[notificationEndpointMember];
  return typeof endpoint === 'string' ? endpoint : undefined;
}

/**
 * Compares digests of secrets, of which several may be valid, unless the settings refuse them all, and makes a unique key
 * decide that a proof is used once.
 */
export function replaceChecks(
  provider: Provider,
  clients: AgentClients,
  store: PayloadStore,
  { staticSecrets }: Pick<OAuthSettings, 'staticSecrets'>,
): void {
  const target = provider as unknown as Replaceable;
  target.Client.prototype.compareClientSecret = async function compareClientSecret(actual) {
    if (!staticSecrets) throw new SecretsRefused();
    if (resourceOfClient(this) !== undefined) return clients.servers.hasSecret(this.clientId, actual);
    const agentId = agentIdOf(this);
    return agentId !== undefined && clients.hasSecret(agentId, actual);
  };
  target.ReplayDetection.unique = (issuer, jti, expiresAtSeconds) =>
    firstUse(store, issuer, jti, expiresAtSeconds);
}

/**
 * Returns what runs a piece of work with each client read once. Introspection looks up the client of a token again after
 * it was found, and takes it for granted that it is still there.
 */
export function makeClientsReadOnce(provider: Provider): <T>(work: () => Promise<T>) => Promise<T> {
  const { Client } = provider as unknown as Replaceable;
  const find = Client.find.bind(Client);
  const readBefore = new AsyncLocalStorage<Map<string, Promise<Client | undefined>>>();
  Client.find = (clientId) => {
    const before = readBefore.getStore();
    const found = before?.get(clientId) ?? find(clientId);
    before?.set(clientId, found);
    return found;
  };
  return (work) => readBefore.run(new Map(), work);
}

/** A grant with the delegation's id: revoking the delegation ends the grant's tokens. */
export function newDelegationGrant(
  provider: Provider,
  fields: { jti: string; accountId: string; clientId: string; expiresIn: number },
): Grant {
  return new provider.Grant(fields);
}

/** A device code with this value. It belongs to no grant yet. */
export function newDeviceCode(
  provider: Provider,
  fields: {
    jti: string;
    client: Client;
    userCode: string;
    expiresIn: number;
    params: Record<string, unknown>;
    deviceInfo: Record<string, unknown>;
  },
): DeviceCode {
  const properties: Partial<ConstructorParameters<typeof provider.DeviceCode>[0]> = fields;
  return new provider.DeviceCode(properties as ConstructorParameters<typeof provider.DeviceCode>[0]);
}

export function newAccessToken(
  provider: Provider,
  fields: {
    accountId: string;
    client: Client;
    grantId: string;
    gty: string;
    scope: string;
    expiresIn: number;
    resourceServer: ResourceServerInstance;
    rar: AuthorizationDetail[];
    generation: number;
    /** The registered server that the token is for. */
    serverId: string | undefined;
  },
): AccessToken {
  const { generation, serverId, ...rest } = fields;
  const extra = { [generationMember]: generation };
  return new provider.AccessToken({
    ...rest,
    extra: serverId === undefined ? extra : { ...extra, [serverMember]: serverId },
  });
}

/** Refresh tokens keep the generation of the chain's tokens, which the library would drop. */
export function keepGenerations(provider: Provider): void {
  const { IN_PAYLOAD } = provider.RefreshToken;
  Object.defineProperty(provider.RefreshToken, 'IN_PAYLOAD', { value: [...IN_PAYLOAD, generationMember] });
}

/** A refresh token of a delegation's grant. */
export function newRefreshToken(
  provider: Provider,
  fields: {
    accountId: string;
    client: Client;
    grantId: string;
    gty: string;
    scope: string;
    expiresIn: number;
    resource: string | string[];
    rar: AuthorizationDetail[];
    rotations: number;
    iiat: number | undefined;
    jkt?: string | undefined;
    'x5t#S256'?: string | undefined;
    generation: number;
  },
): RefreshToken {
  const { generation, ...rest } = fields;
  return new provider.RefreshToken({ ...rest, [generationMember]: generation });
}

/** The generation of an access token or refresh token under a delegation. */
export const generationOfToken = (token: AccessToken | RefreshToken): number =>
  generationOf('extra' in token ? token.extra : Object.fromEntries(Object.entries(token)));

/** The remaining life of an access token in seconds, for `expires_in`. */
export const secondsLeft = (token: AccessToken): number => token.remainingTTL;

/** The endpoint that answered; undefined where none did. */
export const routeOf = (ctx: KoaContextWithOIDC): string | undefined =>
  (ctx as { readonly oidc?: KoaContextWithOIDC['oidc'] }).oidc?.route;

/** The library's metadata document (RFC 8414): what it has switched on, whether this server offers it or not. */
export function libraryMetadata(provider: Provider): Readonly<Record<string, unknown>> {
  const { issuer } = provider;
  const ctx: Parameters<typeof discovery>[0] = {
    oidc: { provider, issuer, urlFor: (name) => provider.urlFor(name) },
  };
  discovery(ctx);
  return ctx.body ?? {};
}

interface Failure extends Error {
  readonly statusCode?: number;
}
interface Failing {
  on(
    event: 'server_error' | 'grant.error',
    listener: (ctx: KoaContextWithOIDC, error: Failure) => void,
  ): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/**
 * The server's failures: in an endpoint, with the request, whose answer is ready by then unless it is a page of the
 * authorization endpoint; and around the endpoints. Without a listener they go to the console.
 */
export function onFailure(
  provider: Provider,
  listener: (error: Error, ctx?: KoaContextWithOIDC) => void,
): void {
  const emitter = provider as unknown as Failing;
  emitter.on('server_error', (ctx, error) => {
    listener(error, ctx);
  });
  emitter.on('grant.error', (_ctx, error) => {
    if (error.statusCode !== undefined && error.statusCode >= 500) listener(error);
  });
  emitter.on('error', (error) => {
    listener(error);
  });
}

import type { IncomingMessage } from 'node:http';
import type {
  AccessToken,
  AuthorizationDetail,
  Client,
  Grant,
  KoaContextWithOIDC,
  Provider,
  ResourceServerInstance,
} from 'oidc-provider';
import { firstUse, type PayloadStore } from './adapter.js';
import { agentGenerationMember, agentIdMember, type AgentClients } from './clients.js';
import type { ActingClient } from './ports.js';
import { generationMember } from './token-lookup.js';

/** The one file that reaches past the library's published types. */

interface Replaceable {
  readonly Client: {
    readonly prototype: { compareClientSecret(this: Client, actual: string): Promise<boolean> };
  };
  readonly ReplayDetection: {
    unique(issuer: string, jti: string, expiresAtSeconds: number): Promise<boolean>;
  };
}

/** The library reads the body of a request by itself, once: it gets the one that was read and checked before. */
export function giveBody(request: IncomingMessage, body: Buffer): void {
  Object.defineProperties(request, { readable: { value: true }, iterator: { value: () => [body] } });
}

/** The id of the agent that a client is; undefined for people's programs. */
export function agentIdOf(client: Client | undefined): string | undefined {
  const id: unknown = client?.[agentIdMember];
  return typeof id === 'string' ? id : undefined;
}

/** The agent that a client is, as it was when it was looked up; undefined for people's programs. */
export function actingClientOf(client: Client | undefined): ActingClient | undefined {
  const agentId = agentIdOf(client);
  const agentGeneration: unknown = client?.[agentGenerationMember];
  return agentId === undefined || typeof agentGeneration !== 'number'
    ? undefined
    : { agentId, agentGeneration };
}

/** Secrets are kept as digests and several may be valid; a proof is used once, decided by a unique key. */
export function replaceChecks(provider: Provider, clients: AgentClients, store: PayloadStore): void {
  const target = provider as unknown as Replaceable;
  target.Client.prototype.compareClientSecret = async function compareClientSecret(actual) {
    const agentId = agentIdOf(this);
    return agentId !== undefined && clients.hasSecret(agentId, actual);
  };
  target.ReplayDetection.unique = (issuer, jti, expiresAtSeconds) =>
    firstUse(store, issuer, jti, expiresAtSeconds);
}

/** A grant whose id is the delegation's: revoking the one ends the tokens of the other. */
export function newDelegationGrant(
  provider: Provider,
  fields: { jti: string; accountId: string; clientId: string; expiresIn: number },
): Grant {
  return new provider.Grant(fields);
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
  },
): AccessToken {
  const { generation, ...rest } = fields;
  return new provider.AccessToken({ ...rest, extra: { [generationMember]: generation } });
}

/** What remains of an access token's life, in seconds, as told in `expires_in`. */
export const secondsLeft = (token: AccessToken): number => token.remainingTTL;

/** The endpoint that answered; undefined where none did. */
export const routeOf = (ctx: KoaContextWithOIDC): string | undefined =>
  (ctx as { readonly oidc?: KoaContextWithOIDC['oidc'] }).oidc?.route;

interface Failure extends Error {
  readonly statusCode?: number;
}
interface Failing {
  on(event: 'server_error' | 'grant.error', listener: (ctx: unknown, error: Failure) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/** Our own failures, from the endpoints and from around them. Without a listener they go to the console. */
export function onFailure(provider: Provider, listener: (error: Error) => void): void {
  const emitter = provider as unknown as Failing;
  emitter.on('server_error', (_ctx, error) => {
    listener(error);
  });
  emitter.on('grant.error', (_ctx, error) => {
    if (error.statusCode !== undefined && error.statusCode >= 500) listener(error);
  });
  emitter.on('error', listener);
}

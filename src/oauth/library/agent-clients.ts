import type { Adapter, AdapterPayload, ClientMetadata } from 'oidc-provider';
import { isoTime, type Clock } from '../../core/clock.js';
import { all, any, compare, eq, isNull } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { agents, agentSecrets, type AgentRow, type AgentSecretRow } from '../../store/tables/identity.js';
import { consentType, delegationType } from './authorization-details.js';
import { backchannelGrant, deviceCodeGrant } from './device-codes.js';
import { RegisteredClients } from './registered-clients.js';
import type { KnownClients } from '../clients/client-documents.js';
import { matchesClientSecret } from '../../core/client-secrets.js';
import {
  actingMembers,
  asLibrary,
  bindingMetadata,
  certificateMetadata,
  unusedSecret,
} from './client-metadata.js';
import { ResourceServerClients } from './resource-server-clients.js';
import type { PublicClient } from '../contract/dependencies.js';
import { workloadAuthMethod } from '../workloads/workload-clients.js';
import { clientIdLengthMax } from '../../core/client-ids.js';

export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export const publicClientMetadata = (client: PublicClient): ClientMetadata => ({
  client_id: client.clientId,
  client_name: client.name,
  application_type: client.native ? 'native' : 'web',
  token_endpoint_auth_method: 'none',
  redirect_uris: [...client.redirectUris],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  response_modes: ['query'],
  authorization_details_types: [consentType],
});

/**
 * The grants in which the agent's own proof is all there is, or by which it may ask whom it likes. A client without a proof
 * has none of them.
 */
const ownGrants = ['client_credentials', tokenExchange, jwtBearer, backchannelGrant];
/** The grants by which a person hands over a task, and the agent keeps its token fresh. */
const askingGrants = [deviceCodeGrant, 'refresh_token'];

const askingAt = (uris: readonly string[]): Partial<ClientMetadata> => ({
  redirect_uris: [...uris],
  response_types: ['code'],
  response_modes: ['query'],
});

type KeySet = NonNullable<ClientMetadata['jwks']>;

const byKeys = (jwks: KeySet): Partial<ClientMetadata> => ({
  token_endpoint_auth_method: 'private_key_jwt',
  jwks,
});

/** @param workloadKeys which sign in place of agents with workloads */
function authenticationOf(agent: AgentRow, workloadKeys: KeySet): Partial<ClientMetadata> {
  const { authMethod, jwks } = agent;
  switch (authMethod) {
    case 'private_key_jwt':
      return byKeys({ keys: (jwks?.keys ?? []).map(asLibrary) });
    case workloadAuthMethod:
      return byKeys(workloadKeys);
    default:
      return (
        certificateMetadata(agent) ?? {
          token_endpoint_auth_method: 'client_secret_basic',
          client_secret: unusedSecret,
        }
      );
  }
}

function agentMetadata(agent: AgentRow, workloadKeys: KeySet): ClientMetadata {
  const { redirectUris } = agent;
  return {
    client_id: agent.name,
    client_name: agent.displayName,
    redirect_uris: [],
    response_types: [],
    grant_types: [...ownGrants, ...askingGrants, ...(redirectUris === null ? [] : ['authorization_code'])],
    ...(redirectUris === null ? {} : askingAt(redirectUris)),
    authorization_details_types: [delegationType],
    backchannel_token_delivery_mode: 'poll',
    ...actingMembers(agent),
    ...authenticationOf(agent, workloadKeys),
    ...bindingMetadata(agent.tokenBinding),
  };
}

/**
 * Registered clients, agents with credentials of their own, and resource servers, as OAuth clients. They are read again for
 * each request, so a stopped one is unknown at once.
 */
export class AgentClients implements Adapter {
  readonly registered: RegisteredClients;
  readonly servers: ResourceServerClients;
  private readonly known: Pick<KnownClients, 'find'>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly workloadKeys: KeySet,
    /** The resources of this server itself. */
    ownResources: readonly string[],
    knownWith: (registered: RegisteredClients) => Pick<KnownClients, 'find'>,
  ) {
    this.servers = new ResourceServerClients(database.read);
    const grants = {
      confidential: [...ownGrants, ...askingGrants, 'authorization_code'],
      public: [...askingGrants, 'authorization_code'],
    };
    this.registered = new RegisteredClients(database.read, grants, ownResources);
    this.known = knownWith(this.registered);
  }

  async find(clientId: string): Promise<AdapterPayload | undefined> {
    if (clientId.length > clientIdLengthMax) return undefined;
    const registered = await this.known.find(clientId);
    if (registered !== undefined) return this.registered.metadata(registered);
    const server = await this.servers.find(clientId);
    if (server !== undefined) return server;
    const agent = await this.database.read.one(
      agents,
      all(eq<AgentRow>('name', clientId), eq<AgentRow>('status', 'active')),
    );
    // Without credentials it is no client itself: a registered one acts as it, within its own ceilings.
    return agent === undefined || agent.authMethod === 'none'
      ? undefined
      : agentMetadata(agent, this.workloadKeys);
  }

  /** RFC 6749 section 2.3.1, against every valid secret of the agent. */
  async hasSecret(agentId: string, secret: string): Promise<boolean> {
    const now = isoTime(this.clock.now());
    const valid = any<AgentSecretRow>(isNull('expiresAt'), compare('expiresAt', '>', now));
    const rows = await this.database.read.select(
      agentSecrets,
      all(eq<AgentSecretRow>('agentId', agentId), valid),
    );
    return matchesClientSecret(
      secret,
      rows.map((row) => row.secretHash),
    );
  }

  upsert(): Promise<void> {
    return Promise.reject(new Error('Agents are not registered through OAuth.'));
  }
  findByUid(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  consume(): Promise<void> {
    return Promise.resolve();
  }
  destroy(): Promise<void> {
    return Promise.resolve();
  }
  revokeByGrantId(): Promise<void> {
    return Promise.resolve();
  }
}

import type { ClientMetadata } from 'oidc-provider';
import { all, eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { clients, type ClientRow } from '../../store/tables/clients.js';
import { agents, type AgentRow } from '../../store/tables/identity.js';
import { delegationType } from './authorization-details.js';
import { actingMembers, asLibrary, bindingMetadata, certificateMetadata } from './client-metadata.js';

/** A member of client metadata: the scopes that tokens of the client have at most. */
export const scopesMember = 'behalf_scopes';
/** A member of client metadata: the resources that tokens of the client may be for. */
export const resourcesMember = 'behalf_resources';

/** A member of client metadata: where the client is told that a person has decided. */
export const notificationEndpointMember = 'behalf_notification_endpoint';

/** Grant types of clients that act as agents. */
interface ActingGrants {
  readonly public: readonly string[];
  readonly confidential: readonly string[];
}

/** A client with the resources that its tokens may be for. */
type Described = ClientRow & { readonly resources: readonly string[] };

/** Whether it is a program on the person's machine. Its loopback redirect URIs may have any port (RFC 8252 section 7.3). */
const isNative = (uris: readonly string[]): boolean => uris.some((uri) => !uri.startsWith('https:'));

const common = (client: Described): ClientMetadata => {
  const { clientId, name, redirectUris, scopes, resources, tokenBinding } = client;
  return {
    client_id: clientId,
    client_name: name,
    application_type: isNative(redirectUris) ? 'native' : 'web',
    redirect_uris: [...redirectUris],
    response_types: ['code'],
    response_modes: ['query'],
    ...authenticationOf(client),
    ...bindingMetadata(tokenBinding),
    ...(scopes === null ? {} : { [scopesMember]: [...scopes] }),
    [resourcesMember]: [...resources],
  };
};

function authenticationOf(client: ClientRow): Partial<ClientMetadata> {
  const { authMethod, jwks } = client;
  if (authMethod === 'none') return { token_endpoint_auth_method: 'none' };
  return (
    certificateMetadata(client) ?? {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: (jwks?.keys ?? []).map(asLibrary) },
    }
  );
}

const ownTool = (client: Described): ClientMetadata => ({
  ...common(client),
  grant_types: ['authorization_code', 'refresh_token'],
});

/**
 * OpenID CIBA section 4. The library insists on https, and sends nothing: see `Notifications`.
 */
const deliveryTo = (endpoint: string | null): Partial<ClientMetadata> =>
  endpoint === null
    ? { backchannel_token_delivery_mode: 'poll' }
    : {
        backchannel_token_delivery_mode: 'ping',
        backchannel_client_notification_endpoint: endpoint.replace(/^http:/, 'https:'),
        [notificationEndpointMember]: endpoint,
      };

/** Grants that rest on nothing but who the client is are for clients that prove it. */
const acting = (client: Described, grants: ActingGrants): ClientMetadata => ({
  ...common(client),
  grant_types: [...(client.authMethod === 'none' ? grants.public : grants.confidential)],
  authorization_details_types: [delegationType],
  ...deliveryTo(client.notificationEndpoint),
});

/** Reads the clients of the table `clients` as the library wants them. */
export class RegisteredClients {
  constructor(
    private readonly connection: Connection,
    private readonly grants: ActingGrants,
    /** The resources of a client that names none: those of this server itself. */
    private readonly usual: readonly string[],
  ) {}

  row(clientId: string): Promise<ClientRow | undefined> {
    return this.connection.one(clients, eq<ClientRow>('clientId', clientId));
  }

  /** Undefined for a client that may get no token. */
  async metadata(client: ClientRow): Promise<ClientMetadata | undefined> {
    if (client.status !== 'active') return undefined;
    const described = { ...client, resources: client.resources ?? this.usual };
    if (client.isOwnTool) return ownTool(described);
    const isActing = all<AgentRow>(eq('id', client.agentId ?? ''), eq('status', 'active'));
    const agent = await this.connection.one(agents, isActing);
    if (agent === undefined) return undefined;
    // The agent's generation moves with a ceiling. Read before a change and after it, the two would not belong together.
    const now = await this.row(client.clientId);
    if (now?.version !== client.version) return now === undefined ? undefined : this.metadata(now);
    return { ...acting(described, this.grants), ...actingMembers(agent) };
  }

  /** Whether the client is a person's own tool, and its ceiling. Undefined where it is none. */
  async ownTool(clientId: string): Promise<{ readonly scopes: readonly string[] | null } | undefined> {
    const row = await this.row(clientId);
    return row?.status === 'active' && row.isOwnTool ? { scopes: row.scopes } : undefined;
  }
}

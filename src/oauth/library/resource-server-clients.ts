import type { AdapterPayload, Client } from 'oidc-provider';
import { matchesClientSecret } from '../../core/client-secrets.js';
import { isId } from '../../core/ids.js';
import type { Connection } from '../../store/sql/connection.js';
import { resourceServers, type ResourceServerRow } from '../../store/tables/resource-servers.js';
import { asLibrary, unusedSecret } from './client-metadata.js';

/** A member of client metadata: the identifier of the resource. Absent for agents and programs. */
export const resourceMember = 'behalf_resource';
/** A member of the stored token that no answer shows: the id of the registered server that it is for. */
export const serverMember = 'behalf_resource_server';

/** Registered resource servers as clients: each introspects tokens of its own audience, and gets none. */
export class ResourceServerClients {
  constructor(private readonly connection: Connection) {}

  async find(clientId: string): Promise<AdapterPayload | undefined> {
    const row = await this.row(clientId);
    return row === undefined ? undefined : metadata(row);
  }

  async hasSecret(clientId: string, secret: string): Promise<boolean> {
    const { secretHash = null } = (await this.row(clientId)) ?? {};
    return matchesClientSecret(secret, secretHash === null ? [] : [secretHash]);
  }

  private async row(clientId: string): Promise<ResourceServerRow | undefined> {
    return isId(clientId) ? this.connection.byId(resourceServers, clientId) : undefined;
  }
}

const metadata = (row: ResourceServerRow): AdapterPayload => ({
  client_id: row.id,
  client_name: row.name,
  redirect_uris: [],
  grant_types: [],
  response_types: [],
  [resourceMember]: row.identifier,
  ...(row.jwks === null
    ? { token_endpoint_auth_method: 'client_secret_basic', client_secret: unusedSecret }
    : { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: row.jwks.keys.map(asLibrary) } }),
});

/** The identifier of the resource that a client serves; undefined for any other client. */
export function resourceOfClient(client: Client | undefined): string | undefined {
  const identifier: unknown = client?.[resourceMember];
  return typeof identifier === 'string' ? identifier : undefined;
}

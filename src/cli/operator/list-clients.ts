import { all, eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import {
  clientRequests,
  clients,
  type ClientRequestRow,
  type ClientRow,
} from '../../store/tables/clients.js';
import { agents, users } from '../../store/tables/identity.js';

export interface ListedClient {
  readonly clientId: string;
  readonly name: string;
  readonly registration: string;
  readonly status: string;
  /** The agent as which it acts. Null: a person's own tool, or not admitted. */
  readonly agent: string | null;
  readonly ownTool: boolean;
  readonly authMethod: string;
  readonly redirectUris: readonly string[];
  readonly scopes: readonly string[] | null;
  readonly resources: readonly string[] | null;
  /** Where it is told that a person has decided. Null: it polls. */
  readonly notificationEndpoint: string | null;
  /** The present description in its document, where that is not the admitted one. */
  readonly changedTo: ClientRow['changedTo'];
  /** Its public keys (RFC 7517). Null: it is public. */
  readonly publicKeys: ClientRow['jwks'];
  /** The name in its certificates. Null: it is not authenticated by those of an authority. */
  readonly certificateName: ClientRow['certificateName'];
  /** any, dpop, certificate: what its access tokens must be bound to. */
  readonly tokenBinding: string;
  /** Moves with every change. */
  readonly version: number;
  readonly createdAt: string;
  /** The people who asked for its admission, the last one first. */
  readonly requests: readonly { readonly person: string; readonly at: string }[];
  readonly expiresAt: string | null;
}

/** How many requests are listed for one client. */
const requestsMax = 20;

/** Newest first; only the one with this client id, where one is given. */
export async function listClients(connection: Connection, clientId?: string): Promise<ListedClient[]> {
  const which = clientId === undefined ? all<ClientRow>() : eq<ClientRow>('clientId', clientId);
  const rows = await connection.select(clients, which, {
    order: [
      { column: 'createdAt', direction: 'desc' },
      { column: 'id', direction: 'desc' },
    ],
  });
  const listed: ListedClient[] = [];
  for (const row of rows) {
    const agent = row.agentId === null ? undefined : await connection.byId(agents, row.agentId);
    listed.push({
      ...{ clientId: row.clientId, name: row.name, registration: row.registration, status: row.status },
      ...{ agent: agent?.name ?? null, ownTool: row.isOwnTool, authMethod: row.authMethod },
      ...{ redirectUris: row.redirectUris, scopes: row.scopes, resources: row.resources },
      ...{ changedTo: row.changedTo, publicKeys: row.jwks, version: row.version },
      ...{ certificateName: row.certificateName, tokenBinding: row.tokenBinding },
      ...{ notificationEndpoint: row.notificationEndpoint },
      ...{ createdAt: row.createdAt, expiresAt: row.expiresAt },
      requests: await requestsFor(connection, row.clientId),
    });
  }
  return listed;
}

async function requestsFor(connection: Connection, clientId: string): Promise<ListedClient['requests']> {
  const rows = await connection.select(clientRequests, eq<ClientRequestRow>('clientId', clientId), {
    order: [{ column: 'createdAt', direction: 'desc' }],
    limit: requestsMax,
  });
  const listed = [];
  for (const { userId, createdAt } of rows) {
    const user = await connection.byId(users, userId);
    listed.push({ person: user?.name ?? userId, at: createdAt });
  }
  return listed;
}

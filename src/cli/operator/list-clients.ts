import { all, eq, isIn } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import {
  clientRequests,
  clients,
  type ClientRequestRow,
  type ClientRow,
} from '../../store/tables/clients.js';
import { agents, users } from '../../store/tables/identity.js';
import type { Table } from '../../store/tables/table.js';

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
  readonly expiresAt: string | null;
}

export interface ShownClient extends ListedClient {
  /** The people who asked for its admission, the last one first. */
  readonly requests: readonly { readonly person: string; readonly at: string }[];
}

/** How many requests are shown for one client. */
const requestsMax = 20;

/** Newest first. */
export async function listClients(connection: Connection): Promise<ListedClient[]> {
  const rows = await connection.select(clients, all<ClientRow>(), {
    order: [
      { column: 'createdAt', direction: 'desc' },
      { column: 'id', direction: 'desc' },
    ],
  });
  const agentIds = rows.map(({ agentId }) => agentId).filter((id) => id !== null);
  const names = await namesOf(connection, agents, agentIds);
  return rows.map((row) => listed(row, names));
}

/** Undefined where there is none with this client id. */
export async function clientShown(
  connection: Connection,
  clientId: string,
): Promise<ShownClient | undefined> {
  const row = await connection.one(clients, eq<ClientRow>('clientId', clientId));
  if (row === undefined) return undefined;
  const names = await namesOf(connection, agents, row.agentId === null ? [] : [row.agentId]);
  return { ...listed(row, names), requests: await requestsFor(connection, clientId) };
}

const listed = (row: ClientRow, names: ReadonlyMap<string, string>): ListedClient => ({
  ...{ clientId: row.clientId, name: row.name, registration: row.registration, status: row.status },
  ...{ agent: names.get(row.agentId ?? '') ?? null, ownTool: row.isOwnTool, authMethod: row.authMethod },
  ...{ redirectUris: row.redirectUris, scopes: row.scopes, resources: row.resources },
  ...{ changedTo: row.changedTo, publicKeys: row.jwks, version: row.version },
  ...{ certificateName: row.certificateName, tokenBinding: row.tokenBinding },
  ...{ notificationEndpoint: row.notificationEndpoint },
  ...{ createdAt: row.createdAt, expiresAt: row.expiresAt },
});

async function requestsFor(connection: Connection, clientId: string): Promise<ShownClient['requests']> {
  const rows = await connection.select(clientRequests, eq<ClientRequestRow>('clientId', clientId), {
    order: [{ column: 'createdAt', direction: 'desc' }],
    limit: requestsMax,
  });
  const names = await namesOf(
    connection,
    users,
    rows.map(({ userId }) => userId),
  );
  return rows.map(({ userId, createdAt }) => ({ person: names.get(userId) ?? userId, at: createdAt }));
}

/** How many names one statement reads. */
const namesAtOnce = 500;

async function namesOf<Row extends { id: string; name: string }>(
  connection: Connection,
  table: Table<Row>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (let at = 0; at < ids.length; at += namesAtOnce) {
    const some = isIn<Row>('id', ids.slice(at, at + namesAtOnce));
    const rows = await connection.selectColumns(table, ['id', 'name'], some);
    for (const { id, name } of rows) names.set(id, name);
  }
  return names;
}

import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import type { Table } from '../store/tables/table.js';
import { clients, type ClientRow } from '../store/tables/clients.js';
import { agents, roles, users, type AgentRow, type RoleRow, type UserRow } from '../store/tables/identity.js';
import { identityProviders, type IdentityProviderRow } from '../store/tables/identity-providers.js';
import { resourceServers, type ResourceServerRow } from '../store/tables/resource-servers.js';
import { tokenIssuers, type TokenIssuerRow } from '../store/tables/token-issuers.js';
import { CommandError } from '../core/command-error.js';

interface Named {
  readonly name: string;
}

/** A row by its name, locked until the transaction ends. */
async function named<Row extends Named>(
  tx: Connection,
  table: Table<Row>,
  name: string,
  otherwise: string,
): Promise<Row> {
  const row = await tx.one(table, eq<Row>('name', name), { lock: 'update' });
  if (row === undefined) throw new CommandError(otherwise);
  return row;
}

export const findUser = (tx: Connection, name: string): Promise<UserRow> =>
  named(tx, users, name, `There is no user ${name}. \`behalf user list\` shows who there is.`);

export const findAgent = (tx: Connection, name: string): Promise<AgentRow> =>
  named(tx, agents, name, `There is no agent ${name}. \`behalf agent list\` shows which there are.`);

export const findProvider = (tx: Connection, name: string): Promise<IdentityProviderRow> =>
  named(
    tx,
    identityProviders,
    name,
    `There is no provider ${name}. \`behalf provider list\` shows which there are.`,
  );

export const findIssuer = (tx: Connection, name: string): Promise<TokenIssuerRow> =>
  named(tx, tokenIssuers, name, `There is no issuer ${name}. \`behalf issuer list\` shows which there are.`);

export async function findClient(tx: Connection, clientId: string): Promise<ClientRow> {
  const client = await tx.one(clients, eq<ClientRow>('clientId', clientId), { lock: 'update' });
  if (client !== undefined) return client;
  throw new CommandError(`There is no client ${clientId}. \`behalf client list\` shows which there are.`);
}

export const findResourceServer = (tx: Connection, name: string): Promise<ResourceServerRow> =>
  named(
    tx,
    resourceServers,
    name,
    `There is no resource ${name}. \`behalf resource list\` shows which there are.`,
  );

export async function findRole(tx: Connection, name: string, holder: 'person' | 'agent'): Promise<RoleRow> {
  const held = await tx.select(roles, eq<RoleRow>('holder', holder), {
    order: [{ column: 'name', direction: 'asc' }],
  });
  const others = held.map((role) => role.name).join(', ') || 'none';
  const whose = holder === 'person' ? 'people' : 'agents';
  return named(tx, roles, name, `There is no role ${name}. For ${whose} there are: ${others}.`);
}

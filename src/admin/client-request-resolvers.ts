import DataLoader from 'dataloader';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { filterBy } from '../store/bounded/filter.js';
import { eq, isIn } from '../store/sql/condition.js';
import { clientRequests, clients, type ClientRequestRow, type ClientRow } from '../store/tables/clients.js';
import { users } from '../store/tables/identity.js';
import { oneLine } from '../core/checked-text.js';
import { clientIdLengthMax } from '../core/client-ids.js';
import { findWaitingClient, requestClient, requestStatus, waitingClient } from './client-requests.js';
import { idIs, newestFirst, type PageArgs } from './list-queries.js';
import { unitOfWork } from './unit-of-work.js';

interface RequestFilter {
  readonly personId?: string | null;
  readonly clientId?: string | null;
}
interface RequestsArgs extends PageArgs {
  readonly filter?: RequestFilter | null;
}
interface RequestArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}

const scope = 'clients:request';

function list(operation: Operation, { filter, first, after }: RequestsArgs) {
  const chosen = filterBy<ClientRequestRow, RequestFilter>(operation.scopeOf, 'ClientRequestFilter', filter, {
    personId: (id) => idIs('userId', id),
    clientId: (clientId) => eq('clientId', oneLine(clientId, clientIdLengthMax, 'filter.clientId')),
  });
  return operation.rows.list(clientRequests, { ...chosen, order: newestFirst, first, after });
}

const request = (_: unknown, { id, idempotencyKey }: RequestArgs, operation: Operation) =>
  operation.once(idempotencyKey, { requestClient: id }, { clientRequest: clientRequests }, async () => {
    const unit = unitOfWork(operation);
    const client = await waitingClient(unit.tx, id);
    const made = await requestClient(unit, operation.authority.chain.person.id, client);
    operation.rows.forget();
    return { clientRequest: await operation.rows.inside(clientRequests, made.id, scope) };
  });

/**
 * The client that was asked for, though the person may not read clients: its status is all that they learn. Requests of one
 * tick share a statement.
 */
async function requestedClient(
  operation: Operation,
  { clientId }: ClientRequestRow,
): Promise<ClientRow | null> {
  const loader = await operation.rows.shared('clients of requests', () =>
    Promise.resolve(new DataLoader((ids: readonly string[]) => clientsBy(operation, ids))),
  );
  return loader.load(clientId);
}

async function clientsBy(
  { connection, rows, trail }: Operation,
  clientIds: readonly string[],
): Promise<(ClientRow | null)[]> {
  rows.inTime();
  const found = await connection.select(clients, isIn<ClientRow>('clientId', clientIds));
  const byClientId = new Map(found.map((row) => [row.clientId, row]));
  const ids = found.map(({ id }) => id);
  if (ids.length > 0) trail.touched(clients.type, ids, 'read');
  if (ids.length < clientIds.length) trail.looked(clients.type, 'read', clientIds.length - ids.length);
  return clientIds.map((clientId) => byClientId.get(clientId) ?? null);
}

export const clientRequestResolvers: Resolvers = {
  Query: {
    clientRequests: (_: unknown, args: RequestsArgs, operation: Operation) => list(operation, args),
    waitingClient: async (_: unknown, { id }: { readonly id: string }, operation: Operation) => {
      operation.rows.inTime();
      const client = await findWaitingClient(operation.connection, id);
      if (client === undefined) {
        operation.trail.looked(clients.type, 'read', 1);
        return null;
      }
      operation.trail.touched(clients.type, [id], 'read');
      const { clientId, name, createdAt } = client;
      return { clientId, name, createdAt };
    },
  },
  Mutation: { requestClient: request },
  ClientRequest: {
    person: (row: ClientRequestRow, _: unknown, operation: Operation) =>
      operation.rows.get(users, row.userId),
    status: async (row: ClientRequestRow, _: unknown, operation: Operation) =>
      requestStatus(await requestedClient(operation, row)),
  },
};

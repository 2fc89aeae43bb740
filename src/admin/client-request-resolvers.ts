import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { filterBy } from '../store/bounded/filter.js';
import { eq } from '../store/sql/condition.js';
import { clientRequests, type ClientRequestRow } from '../store/tables/clients.js';
import { users } from '../store/tables/identity.js';
import { oneLine } from '../core/checked-text.js';
import { clientIdLengthMax } from '../core/client-ids.js';
import { requestClient, requestStatus, waitingClient } from './client-requests.js';
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
    const client = await waitingClient(unit.tx, id, 'update');
    const made = await requestClient(unit, operation.authority.chain.person.id, client);
    operation.rows.forget();
    return { clientRequest: await operation.rows.inside(clientRequests, made.id, scope) };
  });

export const clientRequestResolvers: Resolvers = {
  Query: {
    clientRequests: (_: unknown, args: RequestsArgs, operation: Operation) => list(operation, args),
    waitingClient: async (_: unknown, { id }: { readonly id: string }, operation: Operation) => {
      const { clientId, name, createdAt } = await waitingClient(operation.connection, id);
      return { clientId, name, createdAt };
    },
  },
  Mutation: { requestClient: request },
  ClientRequest: {
    person: (row: ClientRequestRow, _: unknown, operation: Operation) =>
      operation.rows.get(users, row.userId),
    status: (row: ClientRequestRow, _: unknown, operation: Operation) =>
      requestStatus(operation.connection, row),
  },
};

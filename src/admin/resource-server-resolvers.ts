import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import { resourceServers, type ResourceServerRow } from '../store/tables/resource-servers.js';
import { byName, type PageArgs } from './list-queries.js';
import { addResourceServer, removeResourceServer, type NewResourceServer } from './resource-servers.js';
import { unitOfWork } from './unit-of-work.js';

interface AddArgs {
  readonly input: NewResourceServer;
  readonly idempotencyKey: string;
}
interface RemoveArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}

const scope = 'resource_servers:manage';
const answer = { resourceServer: resourceServers };

/** Without the digest of its secret, since answers are stored for their idempotency key. */
const withoutSecret = (row: ResourceServerRow): ResourceServerRow => ({ ...row, secretHash: null });

const adding =
  (knownScopes: ReadonlySet<string>) =>
  async (_: unknown, { input, idempotencyKey }: AddArgs, operation: Operation) => {
    const { publicUrl, allowHttp, staticSecrets } = operation;
    let secret: string | null = null;
    const payload = await operation.once(idempotencyKey, { addResourceServer: input }, answer, async () => {
      const added = await addResourceServer(unitOfWork(operation), input, {
        ...{ publicUrl, allowHttp, staticSecrets, knownScopes },
      });
      secret = added.secret;
      operation.rows.forget();
      const row = await operation.rows.inside(resourceServers, added.row.id, scope);
      return { resourceServer: withoutSecret(row) };
    });
    return { ...payload, secret };
  };

const remove = (_: unknown, { id, idempotencyKey }: RemoveArgs, operation: Operation) =>
  operation.once(idempotencyKey, { removeResourceServer: id }, {}, async () => {
    const row = await operation.rows.inside(resourceServers, id, scope, true);
    await removeResourceServer(unitOfWork(operation), row);
    operation.rows.forget();
    return { id };
  });

export const resourceServerResolvers = ({ definitions }: Pick<Catalog, 'definitions'>): Resolvers => ({
  Query: {
    resourceServers: (_: unknown, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.list(resourceServers, { order: byName, first, after }),
  },
  Mutation: {
    addResourceServer: adding(new Set(definitions.keys())),
    removeResourceServer: remove,
  },
});

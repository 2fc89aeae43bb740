import { isoTime } from '../core/clock.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { all, compare, eq } from '../store/sql/condition.js';
import { backchannelRequests, type BackchannelRequestRow } from '../store/tables/backchannel-requests.js';
import { agents } from '../store/tables/identity.js';
import { newestFirst, type PageArgs } from './list-queries.js';

/** Nobody sees the requests of others, whatever else they may read. */
function list(operation: Operation, { first, after }: PageArgs) {
  const { authority, clock, rows } = operation;
  const where = all<BackchannelRequestRow>(
    eq('userId', authority.chain.person.id),
    compare('expiresAt', '>', isoTime(clock.now())),
  );
  return rows.list(backchannelRequests, { where, order: newestFirst, first, after, list: null });
}

export const backchannelResolvers: Resolvers = {
  Query: {
    backchannelRequests: (_: unknown, args: PageArgs, operation: Operation) => list(operation, args),
  },
  BackchannelRequest: {
    agent: (row: BackchannelRequestRow, _: unknown, operation: Operation) =>
      operation.rows.get(agents, row.agentId),
  },
};

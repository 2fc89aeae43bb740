import { among } from '../audit/record-index.js';
import { conflict, notFound } from '../core/errors.js';
import { oneLine } from '../core/checked-text.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import {
  completeDelegation,
  hasStatus,
  noteEnds,
  revokeDelegation,
  statusAt,
  type Ended,
  type EndContext,
} from '../delegation/end-delegation.js';
import { makeDelegation, type DelegationRequest } from '../delegation/create-delegation.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { eq } from '../store/sql/condition.js';
import { filterBy } from '../store/bounded/filter.js';
import { auditRecords, type AuditRecordRow } from '../store/tables/audit.js';
import { agents, delegations, roles, users, type DelegationRow } from '../store/tables/identity.js';
import type { Link } from '../store/bounded/children-by-parent.js';
import { boundaryInput, type DimensionInput } from './boundary-input.js';
import { dimensionsOf, fromStored, idIs, newestFirst, toStored, type PageArgs } from './list-queries.js';
import { shown, unitOfWork } from './unit-of-work.js';

const recordsOfDelegations: Link<AuditRecordRow> = {
  column: 'delegationId',
  among: (ids) => among('@delegation', ids),
};

interface DelegationFilter {
  readonly personId?: string | null;
  readonly agentId?: string | null;
  readonly status?: string | null;
  readonly task?: string | null;
  readonly standing?: boolean | null;
}
interface DelegationsArgs extends PageArgs {
  readonly filter?: DelegationFilter | null;
}
interface DelegateArgs {
  readonly input: Omit<DelegationRequest, 'boundary'> & { boundary?: readonly DimensionInput[] | null };
  readonly idempotencyKey: string;
}
interface OneArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}

const answer = { delegation: delegations };

function listDelegations(operation: Operation, { filter, first, after }: DelegationsArgs) {
  const chosen = filterBy<DelegationRow, DelegationFilter>(operation.scopeOf, 'DelegationFilter', filter, {
    personId: (id) => idIs('userId', id),
    agentId: (id) => idIs('agentId', id),
    status: (status) => hasStatus(toStored(status), operation.clock.now()),
    task: (task) => eq('task', oneLine(task, 200, 'filter.task')),
    standing: (standing) => eq('standing', standing),
  });
  // The condition on the status depends on the clock, so it differs from page to page.
  return operation.rows.list(delegations, {
    ...chosen,
    order: newestFirst,
    first,
    after,
    list: filter ?? null,
  });
}

const delegate =
  (catalog: Catalog) =>
  (_: unknown, { input, idempotencyKey }: DelegateArgs, operation: Operation) =>
    operation.once(idempotencyKey, { delegate: input }, answer, async () => {
      const { boundary: dimensions, ...rights } = input;
      const boundary = boundaryInput(dimensions ?? []);
      const { trail, ...unit } = unitOfWork(operation);
      const row = await makeDelegation({ ...unit, catalog }, operation.authority, { ...rights, boundary });
      trail.touched(delegations.type, [row.id], 'create');
      trail.changed({ type: delegations.type, id: row.id, before: null, after: shown(row) });
      return { delegation: await operation.rows.inside(delegations, row.id, 'delegations:create') };
    });

type End = (context: EndContext, id: string) => Promise<readonly Ended[]>;

/** Notes each ended delegation, sub-delegations included. */
export function noteEnded(operation: Operation, ended: readonly Ended[]): void {
  noteEnds(operation.trail, ended);
  operation.rows.forget();
}

const ending =
  (name: string, end: End) =>
  (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
    operation.once(idempotencyKey, { name, id }, answer, async () => {
      await operation.rows.inside(delegations, id, 'delegations:revoke');
      const { tx, clock } = unitOfWork(operation);
      noteEnded(operation, await end({ tx, clock, by: operation.authority.chain.person.id }, id));
      return { delegation: await operation.rows.inside(delegations, id, 'delegations:revoke') };
    });

function completeTask(_: unknown, { idempotencyKey }: { idempotencyKey: string }, operation: Operation) {
  const { task } = operation.authority;
  if (task === undefined) throw notFound('Delegation');
  return operation.once(idempotencyKey, { completeTask: task.delegationId }, {}, async () => {
    const { tx, clock } = unitOfWork(operation);
    const row = await tx.byId(delegations, task.delegationId);
    if (row?.standing === true) throw conflict('A standing delegation is ended by its person.');
    noteEnded(operation, await completeDelegation({ tx, clock, by: null }, task.delegationId));
    return { delegationId: task.delegationId, task: task.task };
  });
}

const limitsOf = (row: DelegationRow) => ({
  operations: row.operationsMax,
  operationsUsed: row.operationsUsed,
  operationsLeft: Math.max(0, row.operationsMax - row.operationsUsed),
  rows: row.rowsMax,
  rowsUsed: row.rowsUsed,
  rowsLeft: Math.max(0, row.rowsMax - row.rowsUsed),
  depthLeft: row.depthMax - row.depth,
});

export const delegationResolvers = (catalog: Catalog): Resolvers => ({
  Query: {
    delegation: (_: unknown, { id }: { id: string }, operation: Operation) =>
      operation.rows.get(delegations, id),
    delegations: (_: unknown, args: DelegationsArgs, operation: Operation) =>
      listDelegations(operation, args),
  },
  Mutation: {
    delegate: delegate(catalog),
    completeDelegation: ending('completeDelegation', completeDelegation),
    revokeDelegation: ending('revokeDelegation', revokeDelegation),
    completeTask,
  },
  Delegation: {
    person: (row: DelegationRow, _: unknown, operation: Operation) => operation.rows.get(users, row.userId),
    agent: (row: DelegationRow, _: unknown, operation: Operation) => operation.rows.get(agents, row.agentId),
    role: (row: DelegationRow, _: unknown, operation: Operation) => operation.rows.get(roles, row.roleId),
    parent: (row: DelegationRow, _: unknown, operation: Operation) =>
      operation.rows.get(delegations, row.parentId),
    endedBy: (row: DelegationRow, _: unknown, operation: Operation) => operation.rows.get(users, row.endedBy),
    boundary: (row: DelegationRow) => dimensionsOf(row.boundary),
    limits: limitsOf,
    status: (row: DelegationRow, _: unknown, operation: Operation) =>
      fromStored(statusAt(row, operation.clock.now())),
    children: (row: DelegationRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.children(delegations, 'parentId', row.id, { order: newestFirst, first, after }),
    records: (row: DelegationRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.linked(auditRecords, recordsOfDelegations, row.id, {
        order: [{ column: 'at', direction: 'desc' }],
        first,
        after,
      }),
  },
});

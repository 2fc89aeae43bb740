import type { AuditBody } from '../audit/record.js';
import { among, mayName, naming, underDelegation } from '../audit/record-index.js';
import type { Change, TouchedResources } from '../audit/trail.js';
import { badInput, errorCodes, type ErrorCode } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { oneLine } from '../core/checked-text.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { all, any, compare, eq, type Condition } from '../store/sql/condition.js';
import { filterBy } from '../store/bounded/filter.js';
import { auditDocuments, auditRecords, type AuditRecordRow } from '../store/tables/audit.js';
import { delegations } from '../store/tables/identity.js';
import { shownChanges, shownValues, type Scopes } from './record-values.js';
import { fromStored, linkedBy, toStored, type PageArgs } from './list-queries.js';

interface Filter {
  readonly since?: string | null;
  readonly until?: string | null;
  readonly personId?: string | null;
  readonly agentId?: string | null;
  readonly delegationId?: string | null;
  readonly task?: string | null;
  readonly outcome?: string | null;
  readonly kind?: string | null;
  readonly operationName?: string | null;
  readonly errorCode?: string | null;
  readonly unregistered?: string | null;
}
interface ResourceFilter {
  readonly type: string;
  readonly id: string;
  readonly orUnnamed?: boolean | null;
}
interface RecordsArgs extends PageArgs {
  readonly filter?: (Filter & { readonly resource?: ResourceFilter | null }) | null;
}

function touched({ type, id, orUnnamed }: ResourceFilter): Condition<AuditRecordRow> {
  const typeName = oneLine(type, 60, 'filter.resource.type');
  const named = naming(typeName, oneLine(id, 64, 'filter.resource.id'));
  return orUnnamed === true ? any(named, mayName(typeName)) : named;
}

/** Text that is no id matches no person or agent, and is no word of the index. */
const actedBy = (
  column: 'userId' | 'agentId',
  word: '@person' | '@agent',
  id: string,
): Condition<AuditRecordRow> => (isId(id) ? all(eq(column, id), among(word, [id])) : any());

function knownCode(code: string): ErrorCode {
  const known = errorCodes.find((one) => one === code);
  if (known !== undefined) return known;
  throw badInput(`There is no such error code. There are ${errorCodes.join(', ')}.`, 'filter.errorCode');
}

function listRecords(operation: Operation, { filter, first, after }: RecordsArgs) {
  const { resource, ...columns } = filter ?? {};
  const chosen = filterBy<AuditRecordRow, Filter>(operation.scopeOf, 'AuditRecordFilter', columns, {
    since: (time) => compare('at', '>=', time),
    until: (time) => compare('at', '<', time),
    personId: (id) => actedBy('userId', '@person', id),
    agentId: (id) => actedBy('agentId', '@agent', id),
    delegationId: (id) => (isId(id) ? underDelegation(id) : any()),
    task: (text) => {
      const task = oneLine(text, 200, 'filter.task');
      return all(eq('task', task), among('@task', [task]));
    },
    outcome: (outcome) => eq('outcome', toStored(outcome)),
    kind: (kind) => eq('kind', toStored(kind)),
    operationName: (name) => eq('operationName', oneLine(name, 200, 'filter.operationName')),
    errorCode: (code) => eq('errorCode', knownCode(code)),
    unregistered: (outcome) => linkedBy(auditDocuments, 'recordId', 'outcome', toStored(outcome)),
  });
  const touching = resource ?? undefined;
  return operation.rows.list(auditRecords, {
    where: all(chosen.where, ...inReach(operation), ...(touching === undefined ? [] : [touched(touching)])),
    scopes: [
      ...chosen.scopes,
      ...(touching === undefined ? [] : [operation.scopeOf('AuditResourceFilter.id')]),
    ],
    order: [{ column: 'at', direction: 'desc' }],
    first,
    after,
    list: filter ?? null,
  });
}

const peopleMax = 100;

/** Every statement has the boundary already; this finds the records quickly where the boundary names few people. */
function inReach({ authority, scopeOf }: Operation): Condition<AuditRecordRow>[] {
  const people = new Set<string>();
  for (const boundary of authority.boundaries(scopeOf('Query.auditRecords'))) {
    const named = boundary.get('person');
    if (named === 'all') return [];
    for (const id of named ?? []) people.add(id);
  }
  return people.size === 0 || people.size > peopleMax ? [] : [among('@person', [...people])];
}

const parsed = new WeakMap<AuditRecordRow, AuditBody>();

/** A record's body, parsed once for all its fields. */
function bodyOf(row: AuditRecordRow): AuditBody {
  const known = parsed.get(row);
  if (known !== undefined) return known;
  const body = JSON.parse(row.body) as AuditBody;
  parsed.set(row, body);
  return body;
}

const jsonOf = (value: Readonly<Record<string, unknown>> | null): string | null =>
  value === null ? null : JSON.stringify(value);

export const recordResolvers = (scopes: Scopes): Resolvers => ({
  Query: {
    auditRecord: (_: unknown, { id }: { id: string }, operation: Operation) =>
      operation.rows.get(auditRecords, id),
    auditRecords: (_: unknown, args: RecordsArgs, operation: Operation) => listRecords(operation, args),
  },
  AuditRecord: {
    kind: (row: AuditRecordRow) => fromStored(row.kind),
    outcome: (row: AuditRecordRow) => fromStored(row.outcome),
    chain: (row: AuditRecordRow) => bodyOf(row).chain,
    delegation: (row: AuditRecordRow, _: unknown, operation: Operation) =>
      operation.rows.get(delegations, row.delegationId),
    delegationIds: (row: AuditRecordRow) => bodyOf(row).delegation?.ids ?? [],
    purpose: (row: AuditRecordRow) => bodyOf(row).delegation?.purpose ?? null,
    tokenId: (row: AuditRecordRow) => bodyOf(row).tokenId,
    authorityVersion: (row: AuditRecordRow) => bodyOf(row).authority?.version ?? null,
    registeredAs: (row: AuditRecordRow) => bodyOf(row).operation?.registeredAs ?? null,
    unregistered: (row: AuditRecordRow) => {
      const use = bodyOf(row).operation?.unregistered;
      return use === undefined ? null : fromStored(use.outcome);
    },
    variables: (row: AuditRecordRow, _: unknown, operation: Operation) =>
      shownValues(operation, scopes, row, bodyOf(row), bodyOf(row).variables),
    arguments: (row: AuditRecordRow, _: unknown, operation: Operation) =>
      shownValues(operation, scopes, row, bodyOf(row), bodyOf(row).arguments ?? null),
    decisions: (row: AuditRecordRow) => bodyOf(row).decisions,
    resources: (row: AuditRecordRow) => bodyOf(row).resources,
    changes: (row: AuditRecordRow, _: unknown, operation: Operation) =>
      shownChanges(operation, scopes, bodyOf(row)),
    errors: (row: AuditRecordRow) => bodyOf(row).errors,
    address: (row: AuditRecordRow) => bodyOf(row).source.address,
    userAgent: (row: AuditRecordRow) => bodyOf(row).source.userAgent,
    mcp: (row: AuditRecordRow) => bodyOf(row).mcp ?? null,
  },
  AuditChange: {
    before: (change: Change) => jsonOf(change.before),
    after: (change: Change) => jsonOf(change.after),
  },
  AuditResource: {
    looks: ({ looks }: TouchedResources) => looks ?? 0,
  },
});

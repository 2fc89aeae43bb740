import { parsePolicy } from '../authority/documents.js';
import { parseSignInPolicy } from '../authority/sign-in-policy.js';
import { oneLine } from '../core/checked-text.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { eq } from '../store/sql/condition.js';
import { filterBy } from '../store/bounded/filter.js';
import { agentRoles, agents, roles, userRoles, users, type RoleRow } from '../store/tables/identity.js';
import { boundaryInput, type DimensionInput } from './boundary-input.js';
import { byName, dimensionsOf, fromStored, toStored, type PageArgs } from './list-queries.js';
import type { NewLimits } from './role-definition.js';
import { createRole, updateRole } from './roles.js';
import { changing, requireVersion, unitOfWork } from './unit-of-work.js';

interface RoleFilter {
  readonly name?: string | null;
  readonly holder?: string | null;
}
interface RolesArgs extends PageArgs {
  readonly filter?: RoleFilter | null;
}
interface RoleInput {
  readonly name: string;
  readonly description: string;
  readonly businessTask: string;
  readonly holder: 'PERSON' | 'AGENT';
  readonly scopes: readonly string[];
  readonly approvalScopes?: readonly string[] | null;
  readonly boundary: readonly DimensionInput[];
  readonly limits?: NewLimits | null;
  readonly documents?: 'ANY' | 'LOGGED' | 'REGISTERED' | null;
  readonly signIn?: 'ANY' | 'PASSKEY' | null;
}
interface CreateArgs {
  readonly input: RoleInput;
  readonly idempotencyKey: string;
}
interface UpdateArgs {
  readonly id: string;
  readonly input: { readonly [K in keyof Omit<RoleInput, 'name' | 'holder'>]?: RoleInput[K] | null };
  readonly expectedVersion: number;
  readonly idempotencyKey: string;
}

const answer = { role: roles };
const scope = 'roles:manage';

function listRoles(operation: Operation, { filter, first, after }: RolesArgs) {
  const chosen = filterBy<RoleRow, RoleFilter>(operation.scopeOf, 'RoleFilter', filter, {
    name: (name) => eq('name', oneLine(name, 100, 'filter.name')),
    holder: (holder) => eq('holder', toStored(holder)),
  });
  return operation.rows.list(roles, { ...chosen, order: byName, first, after });
}

const policyOf = (given: RoleInput['documents']) =>
  given === null || given === undefined ? undefined : parsePolicy(toStored(given));

const signInOf = (given: RoleInput['signIn']) =>
  given === null || given === undefined ? undefined : parseSignInPolicy(toStored(given));

/** People have one limit only; the others belong to delegations. */
function shownLimits({ holder, limits }: RoleRow): NewLimits | null {
  if (holder === 'agent') return limits;
  return limits.operationCost === undefined ? null : { operationCost: limits.operationCost };
}

const mutations = (catalog: Catalog) => ({
  createRole: (_: unknown, { input, idempotencyKey }: CreateArgs, operation: Operation) =>
    operation.once(idempotencyKey, { createRole: input }, answer, async () => {
      const role = await createRole(unitOfWork(operation), catalog, operation.authority.chain.person.id, {
        ...input,
        holder: input.holder === 'AGENT' ? 'agent' : 'person',
        boundary: boundaryInput(input.boundary),
        documents: policyOf(input.documents),
        signIn: signInOf(input.signIn),
      });
      return { role: await operation.rows.inside(roles, role.id, scope) };
    }),
  updateRole: (_: unknown, args: UpdateArgs, operation: Operation) => {
    const { id, input, expectedVersion, idempotencyKey } = args;
    return operation.once(idempotencyKey, { updateRole: id, input, expectedVersion }, answer, async () => {
      const boundary = input.boundary ?? undefined;
      const changes = {
        ...input,
        boundary: boundary === undefined ? undefined : boundaryInput(boundary),
        documents: policyOf(input.documents),
        signIn: signInOf(input.signIn),
      };
      const role = await changing(operation, roles, id, scope, (before, unit) => {
        requireVersion('Role', before, expectedVersion);
        return updateRole(unit, catalog, operation.authority.chain.person.id, before, changes);
      });
      return { role };
    });
  },
});

export const roleResolvers = (catalog: Catalog): Resolvers => ({
  Query: {
    role: (_: unknown, { id }: { id: string }, operation: Operation) => operation.rows.get(roles, id),
    roles: (_: unknown, args: RolesArgs, operation: Operation) => listRoles(operation, args),
  },
  Mutation: mutations(catalog),
  Role: {
    holder: (row: RoleRow) => fromStored(row.holder),
    boundary: (row: RoleRow) => dimensionsOf(row.boundary),
    limits: shownLimits,
    documents: (row: RoleRow) => fromStored(row.documents),
    signIn: (row: RoleRow) => fromStored(row.signIn),
    users: (row: RoleRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.linked(users, { pairs: userRoles, mine: 'userId', theirs: 'roleId' }, row.id, {
        order: byName,
        first,
        after,
      }),
    agents: (row: RoleRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.linked(agents, { pairs: agentRoles, mine: 'agentId', theirs: 'roleId' }, row.id, {
        order: byName,
        first,
        after,
      }),
  },
});

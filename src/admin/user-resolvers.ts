import { oneLine } from '../core/checked-text.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { eq } from '../store/sql/condition.js';
import { filterBy } from '../store/bounded/filter.js';
import { grantableRoles, roles, userRoles, users, type UserRow } from '../store/tables/identity.js';
import { byName, fromStored, toStored, type PageArgs } from './list-queries.js';
import {
  createUser,
  disableUser,
  enableUser,
  endTokens,
  resetPassword,
  updateUser,
  withoutPassword,
  type NewUser,
  type UserChanges,
} from './users.js';
import { changing, requireVersion, unitOfWork, type UnitOfWork } from './unit-of-work.js';

interface UserFilter {
  readonly name?: string | null;
  readonly status?: string | null;
}
interface UsersArgs extends PageArgs {
  readonly filter?: UserFilter | null;
}
interface OneArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}
interface CreateArgs {
  readonly input: NewUser;
  readonly idempotencyKey: string;
}
interface UpdateArgs extends OneArgs {
  readonly input: UserChanges;
  readonly expectedVersion: number;
}

const answer = { user: users };
const scope = 'users:manage';

function listUsers(operation: Operation, { filter, first, after }: UsersArgs) {
  const chosen = filterBy<UserRow, UserFilter>(operation.scopeOf, 'UserFilter', filter, {
    name: (name) => eq('name', oneLine(name, 100, 'filter.name')),
    status: (status) => eq('status', toStored(status)),
  });
  return operation.rows.list(users, { ...chosen, order: byName, first, after });
}

/** A mutation of one account: locks it, changes it and reads it again, once for each key. */
const change =
  (name: string, work: (unit: UnitOfWork, before: UserRow, operation: Operation) => Promise<unknown>) =>
  (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
    operation.once(idempotencyKey, { name, id }, answer, async () => ({
      user: withoutPassword(
        await changing(operation, users, id, scope, (before, made) => work(made, before, operation)),
      ),
    }));

async function create(_: unknown, { input, idempotencyKey }: CreateArgs, operation: Operation) {
  // Beside the stored answer, which would keep the password for the idempotency key.
  let password: string | null = null;
  const payload = await operation.once(idempotencyKey, { createUser: input }, answer, async () => {
    const created = await createUser(unitOfWork(operation), input);
    password = created.password;
    return { user: withoutPassword(await operation.rows.inside(users, created.user.id, scope)) };
  });
  return { ...payload, password };
}

const update = (_: unknown, args: UpdateArgs, operation: Operation) => {
  const { id, input, expectedVersion, idempotencyKey } = args;
  return operation.once(idempotencyKey, { updateUser: id, input, expectedVersion }, answer, async () => ({
    user: withoutPassword(
      await changing(operation, users, id, scope, (before, unit) => {
        requireVersion('User', before, expectedVersion);
        return updateUser(unit, before, input);
      }),
    ),
  }));
};

async function reset(_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) {
  let password: string | null = null;
  const payload = await operation.once(idempotencyKey, { resetPassword: id }, answer, async () => ({
    user: withoutPassword(
      await changing(operation, users, id, scope, async (before, unit) => {
        password = await resetPassword(unit, operation.authority.chain.person.id, before);
      }),
    ),
  }));
  return { ...payload, password };
}

export const userResolvers: Resolvers = {
  Query: {
    user: (_: unknown, { id }: { id: string }, operation: Operation) => operation.rows.get(users, id),
    users: (_: unknown, args: UsersArgs, operation: Operation) => listUsers(operation, args),
  },
  Mutation: {
    createUser: create,
    updateUser: update,
    disableUser: change('disableUser', disableUser),
    enableUser: change('enableUser', (unit, before, { authority }) =>
      enableUser(unit, authority.chain.person.id, before),
    ),
    resetPassword: reset,
    revokeTokens: change('revokeTokens', (unit, before) => endTokens(unit, before)),
  },
  User: {
    status: (row: UserRow) => fromStored(row.status),
    roles: (row: UserRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.linked(roles, { pairs: userRoles, mine: 'roleId', theirs: 'userId' }, row.id, {
        order: byName,
        first,
        after,
      }),
    grantableRoles: (row: UserRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.linked(roles, { pairs: grantableRoles, mine: 'roleId', theirs: 'userId' }, row.id, {
        order: byName,
        first,
        after,
      }),
  },
};

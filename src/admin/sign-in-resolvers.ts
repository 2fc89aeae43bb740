import { refusalError } from '../authority/explain.js';
import { notFound } from '../core/errors.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { filterBy } from '../store/bounded/filter.js';
import { all } from '../store/sql/condition.js';
import { users } from '../store/tables/identity.js';
import { signIns, type SignInRow } from '../store/tables/sign-ins.js';
import { fromStored, idIs, newestFirst, type PageArgs } from './list-queries.js';
import { endSignIn, endSignInsExcept, isCurrent } from './sign-ins.js';
import { unitOfWork } from './unit-of-work.js';

interface SignInFilter {
  readonly personId?: string | null;
}
interface SignInsArgs extends PageArgs {
  readonly filter?: SignInFilter | null;
}
interface EndArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}

function list(operation: Operation, { filter, first, after }: SignInsArgs) {
  const chosen = filterBy<SignInRow, SignInFilter>(operation.scopeOf, 'SignInFilter', filter, {
    personId: (id) => idIs('userId', id),
  });
  return operation.rows.list(signIns, {
    ...chosen,
    where: all(chosen.where, isCurrent(operation.clock.now())),
    order: newestFirst,
    first,
    after,
    list: filter ?? null,
  });
}

/** Everybody ends their own sign-ins. Those of others need the scope that manages their accounts. */
function requireRight({ authority }: Operation, { userId }: SignInRow): void {
  if (userId === authority.chain.person.id) return;
  const decision = authority.decideAt('users:manage', new Map([['person', userId]]));
  if (!decision.allow) throw refusalError(authority, decision);
}

const end = (_: unknown, { id, idempotencyKey }: EndArgs, operation: Operation) =>
  operation.once(idempotencyKey, { endSignIn: id }, {}, async () => {
    const signIn = await operation.rows.inside(signIns, id, 'users:read');
    requireRight(operation, signIn);
    if (!(await endSignIn(unitOfWork(operation), signIn))) throw notFound(signIns.type);
    return { endedCount: 1 };
  });

const endOthers = (_: unknown, { idempotencyKey }: Omit<EndArgs, 'id'>, operation: Operation) =>
  operation.once(idempotencyKey, { endOtherSignIns: true }, {}, async () => {
    const { chain, grantId } = operation.authority;
    return { endedCount: await endSignInsExcept(unitOfWork(operation), chain.person.id, grantId) };
  });

export const signInResolvers: Resolvers = {
  Query: { signIns: (_: unknown, args: SignInsArgs, operation: Operation) => list(operation, args) },
  Mutation: { endSignIn: end, endOtherSignIns: endOthers },
  SignIn: {
    person: (row: SignInRow, _: unknown, operation: Operation) => operation.rows.get(users, row.userId),
    method: (row: SignInRow) => fromStored(row.method),
    isCurrent: (row: SignInRow, _: unknown, { authority }: Operation) => row.grantId === authority.grantId,
  },
};

import { visibleLine } from '../core/checked-text.js';
import { BehalfError, internal, notFound } from '../core/errors.js';
import { passkeyAcr } from '../authority/chain.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { eq } from '../store/sql/condition.js';
import { filterBy } from '../store/bounded/filter.js';
import { users, type UserRow } from '../store/tables/identity.js';
import { passkeys, type PasskeyRow } from '../store/tables/passkeys.js';
import { requireGrantableUser } from './credentials.js';
import { idIs, newestFirst, type PageArgs } from './list-queries.js';
import { Passkeys, tellRefusal } from './passkeys.js';
import { endSignInsExcept } from './sign-ins.js';
import { changing, store, unitOfWork, type UnitOfWork } from './unit-of-work.js';
import { PasskeyRefused } from './webauthn.js';

interface PasskeyFilter {
  readonly personId?: string | null;
}
interface PasskeysArgs extends PageArgs {
  readonly filter?: PasskeyFilter | null;
}
interface KeyArgs {
  readonly idempotencyKey: string;
}
interface AddArgs extends KeyArgs {
  readonly name: string;
  readonly response: string;
}
interface OneArgs extends KeyArgs {
  readonly id: string;
}
interface RenameArgs extends OneArgs {
  readonly name: string;
}

const answer = { passkey: passkeys };
const scope = 'passkeys:manage';

/** The person's own account, locked, and the grant of their sign-in. */
async function oneself(operation: Operation): Promise<{ user: UserRow; grantId: string }> {
  const { chain, grantId } = operation.authority;
  const user = await unitOfWork(operation).tx.one(users, eq<UserRow>('id', chain.person.id), {
    lock: 'update',
  });
  if (user === undefined || grantId === undefined) throw internal(new Error('An agent came to a passkey.'));
  return { user, grantId };
}

/** Otherwise a stolen password would be enough to put another passkey beside those of the person. */
function requirePasskey({ authority }: Operation): void {
  if (authority.signIn?.acr === passkeyAcr) return;
  throw new BehalfError('INSUFFICIENT_USER_AUTHENTICATION', 'This needs a sign-in with a passkey.', {
    acrValues: passkeyAcr,
    hint: 'Sign in with one of your passkeys. If you have lost them, an administrator can remove them.',
  });
}

/** A person without passkeys adds the first one in any sign-in. */
async function adding(operation: Operation): Promise<{ user: UserRow; grantId: string; service: Passkeys }> {
  const { clock, ids, publicUrl } = operation;
  const service = new Passkeys(clock, ids, publicUrl);
  const { user, grantId } = await oneself(operation);
  if (await service.hasAny(unitOfWork(operation).tx, user.id)) requirePasskey(operation);
  return { user, grantId, service };
}

const begin = (_: unknown, { idempotencyKey }: KeyArgs, operation: Operation) =>
  operation.once(idempotencyKey, { beginPasskey: true }, {}, async () => {
    const { user, grantId, service } = await adding(operation);
    return { options: await service.creationOptions(unitOfWork(operation).tx, user, grantId) };
  });

const add = (_: unknown, { name, response, idempotencyKey }: AddArgs, operation: Operation) =>
  operation.once(idempotencyKey, { addPasskey: { name, response } }, answer, async () => {
    const { user, grantId, service } = await adding(operation);
    const row = await service
      .add(unitOfWork(operation), user, grantId, { name, response })
      .catch((error: unknown) => {
        throw error instanceof PasskeyRefused ? tellRefusal(error) : error;
      });
    return { passkey: await operation.rows.inside(passkeys, row.id, scope) };
  });

const rename = (_: unknown, { id, name, idempotencyKey }: RenameArgs, operation: Operation) =>
  operation.once(idempotencyKey, { renamePasskey: { id, name } }, answer, async () => ({
    passkey: await changing(operation, passkeys, id, scope, async (before, unit) => {
      if (before.userId !== operation.authority.chain.person.id) throw notFound('Passkey');
      await store(unit, passkeys, before, { name: visibleLine(name, 100, 'name') });
    }),
  }));

const remove = (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
  operation.once(idempotencyKey, { removePasskey: id }, {}, async () => {
    const row = await operation.rows.inside(passkeys, id, scope, true);
    const unit = unitOfWork(operation);
    const { user, grantId } = await oneself(operation);
    if (row.userId === user.id) requirePasskey(operation);
    else {
      const other = await operation.rows.inside(users, row.userId, 'users:manage', true);
      await requireGrantableUser(unit.tx, user.id, other);
    }
    await removeRow(unit, row);
    // A thief of the passkey may be signed in with it.
    await endSignInsExcept(unit, row.userId, grantId);
    operation.rows.forget();
    return { id };
  });

async function removeRow({ tx, trail }: UnitOfWork, { id, userId, name }: PasskeyRow): Promise<void> {
  await tx.delete(passkeys, eq<PasskeyRow>('id', id));
  trail.touched(passkeys.type, [id], 'delete');
  trail.changed({ type: passkeys.type, id, before: { userId, name }, after: null });
}

export const passkeyResolvers: Resolvers = {
  Query: {
    passkeys: (_: unknown, { filter, first, after }: PasskeysArgs, operation: Operation) => {
      const chosen = filterBy<PasskeyRow, PasskeyFilter>(operation.scopeOf, 'PasskeyFilter', filter, {
        personId: (id) => idIs('userId', id),
      });
      return operation.rows.list(passkeys, { ...chosen, order: newestFirst, first, after });
    },
  },
  Mutation: { beginPasskey: begin, addPasskey: add, renamePasskey: rename, removePasskey: remove },
  Passkey: {
    person: (row: PasskeyRow, _: unknown, operation: Operation) => operation.rows.get(users, row.userId),
  },
};

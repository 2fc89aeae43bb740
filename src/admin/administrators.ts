import { gives } from '../authority/holding.js';
import { conflict } from '../core/errors.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { roles, userRoles, users, type RoleRow, type UserRow } from '../store/tables/identity.js';
import type { RowOf } from '../store/tables/table.js';

/**
 * `CONFLICT` where no active person with the right to assign roles would be left. Call it after `bumpEpoch`, which lets
 * one change of rights pass at a time: two administrators who remove one another cannot both succeed.
 */
export async function requireAdministrator(tx: Connection): Promise<void> {
  if (await isAdministrated(tx)) return;
  throw conflict('This would leave no active administrator. Make another one first.');
}

/** Whether no active administrator would be left without this role of the person. */
export async function isLastAdministrator(tx: Connection, held: Held): Promise<boolean> {
  const role = await tx.byId(roles, held.roleId);
  if (role === undefined || !gives(role, 'roles:assign')) return false;
  await bumpEpoch(tx);
  return !(await isAdministrated(tx, held));
}

type Held = Pick<RowOf<typeof userRoles>, 'userId' | 'roleId'>;

/** Whether an active person has the right to assign roles, where `without` is not counted. */
async function isAdministrated(tx: Connection, without?: Held): Promise<boolean> {
  const people = await tx.select(roles, eq<RoleRow>('holder', 'person'));
  const assigning = people.filter((role) => gives(role, 'roles:assign')).map((role) => role.id);
  const held = await tx.select(userRoles, isIn('roleId', assigning));
  const holders = await tx.select(
    users,
    isIn<UserRow>(
      'id',
      held
        .filter(({ userId, roleId }) => userId !== without?.userId || roleId !== without.roleId)
        .map((row) => row.userId),
    ),
  );
  return holders.some((user) => user.status === 'active');
}

import { gives } from '../authority/holding.js';
import { conflict } from '../core/errors.js';
import { eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { roles, userRoles, users, type RoleRow, type UserRow } from '../store/tables/identity.js';

/**
 * `CONFLICT` where no active person with the right to assign roles would be left. Call it after `bumpEpoch`, which lets
 * one change of rights pass at a time: two administrators who remove one another cannot both succeed.
 */
export async function requireAdministrator(tx: Connection): Promise<void> {
  const people = await tx.select(roles, eq<RoleRow>('holder', 'person'));
  const assigning = people.filter((role) => gives(role, 'roles:assign')).map((role) => role.id);
  const held = await tx.select(userRoles, isIn('roleId', assigning));
  const holders = await tx.select(
    users,
    isIn<UserRow>(
      'id',
      held.map((row) => row.userId),
    ),
  );
  if (!holders.some((user) => user.status === 'active')) {
    throw conflict('This would leave no active administrator. Make another one first.');
  }
}

import { isoTime } from '../core/clock.js';
import { eq } from '../store/sql/condition.js';
import { roles, type RoleRow, type UserRow } from '../store/tables/identity.js';
import { addGrantable, giveRole } from './assignments.js';
import { administratorRole, shippedRoles } from './shipped-roles.js';
import { createUser, type NewUser } from './users.js';
import { add, type UnitOfWork } from './unit-of-work.js';

/** Adds the shipped roles that are missing. An edited role, or another role of the same name, stays as it is. */
export async function ensureShippedRoles(unit: UnitOfWork): Promise<RoleRow[]> {
  const createdAt = isoTime(unit.clock.now());
  const all: RoleRow[] = [];
  for (const shipped of shippedRoles) {
    const known = await unit.tx.one(roles, eq<RoleRow>('name', shipped.name));
    const row = known ?? { ...shipped, id: unit.ids.next(), shipped: true, createdAt, version: 1 };
    if (known === undefined) await add(unit, roles, row, `There is a role ${shipped.name} already.`);
    all.push(row);
  }
  return all;
}

/**
 * Makes an administrator who may assign every shipped role, for the server's own terminal. No other way makes an
 * administrator without another one. The password must be changed at the first sign-in.
 */
export async function createFirstAdministrator(
  unit: UnitOfWork,
  input: NewUser,
): Promise<{ user: UserRow; password: string }> {
  const shipped = await ensureShippedRoles(unit);
  const created = await createUser(unit, input);
  const administrator = shipped.find((role) => role.name === administratorRole);
  if (administrator === undefined) throw new Error('The administrator role does not ship.');
  await giveRole(unit, created.user, administrator, null);
  await addGrantable(unit, created.user.id, shipped);
  return created;
}

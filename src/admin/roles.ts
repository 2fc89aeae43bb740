import { parsePolicy } from '../authority/documents.js';
import { parseSignInPolicy } from '../authority/sign-in-policy.js';
import { isoTime } from '../core/clock.js';
import { BehalfError } from '../core/errors.js';
import { readBoundary, requirePossible } from '../delegation/boundary-values.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { eq } from '../store/sql/condition.js';
import { grantableRoles, roles, userRoles, type RoleRow } from '../store/tables/identity.js';
import { requireAdministrator } from './administrators.js';
import { isWithinRoles } from './role-comparison.js';
import { requireDefinable, requireGrantable } from './grantable-roles.js';
import { definitionOf, fullBoundary, requireName, type NewLimits, type NewRole } from './role-definition.js';
import { add, store, type UnitOfWork } from './unit-of-work.js';

type RoleChanges = {
  readonly [K in keyof Omit<NewRole, 'name' | 'holder'>]?: NewRole[K] | null | undefined;
};

/** Adds the new role to its maker's grantable set. */
export async function createRole(
  unit: UnitOfWork,
  catalog: Catalog,
  administratorId: string,
  input: NewRole,
): Promise<RoleRow> {
  requireName(input.name);
  requirePossible(catalog, readBoundary(catalog, input.boundary));
  const role: RoleRow = {
    id: unit.ids.next(),
    name: input.name,
    holder: input.holder,
    ...definitionOf(catalog, input),
    shipped: false,
    createdAt: isoTime(unit.clock.now()),
    version: 1,
  };
  await requireDefinable(unit.tx, administratorId, role);
  await add(unit, roles, role, 'There is a role of this name already.');
  await unit.tx.insert(grantableRoles, [{ userId: administratorId, roleId: role.id }]);
  return role;
}

/** A holder of the role may only narrow it: anything else would be granting to oneself. */
export async function updateRole(
  unit: UnitOfWork,
  catalog: Catalog,
  administratorId: string,
  before: RoleRow,
  changes: RoleChanges,
): Promise<void> {
  await requireGrantable(unit.tx, administratorId, [before]);
  // A stored boundary that is impossible now may stay while other parts change.
  requirePossible(catalog, readBoundary(catalog, changes.boundary ?? {}));
  const limits = changes.limits ?? (before.holder === 'agent' ? before.limits : costAlone(before));
  const after = definitionOf(catalog, {
    name: before.name,
    holder: before.holder === 'agent' ? 'agent' : 'person',
    description: changes.description ?? before.description,
    businessTask: changes.businessTask ?? before.businessTask,
    scopes: changes.scopes ?? before.scopes,
    approvalScopes:
      changes.approvalScopes ??
      before.approvalScopes.filter((scope) => (changes.scopes ?? before.scopes).includes(scope)),
    boundary: changes.boundary ?? fullBoundary(catalog, before.boundary),
    limits,
    documents: changes.documents ?? parsePolicy(before.documents),
    signIn: changes.signIn ?? parseSignInPolicy(before.signIn),
  });
  const defined = { ...after, holder: before.holder };
  if (!isWithinRoles(defined, [before])) {
    await requireDefinable(unit.tx, administratorId, defined);
    await requireNotHeld(unit, administratorId, before);
  }
  await store(unit, roles, before, after);
  await bumpEpoch(unit.tx);
  await requireAdministrator(unit.tx);
}

const costAlone = ({ limits }: RoleRow): NewLimits => ({ operationCost: limits.operationCost });

async function requireNotHeld(unit: UnitOfWork, administratorId: string, role: RoleRow): Promise<void> {
  const held = await unit.tx.select(userRoles, eq('userId', administratorId));
  if (!held.some((row) => row.roleId === role.id)) return;
  throw new BehalfError('FORBIDDEN', 'You hold this role: you may narrow it, and nothing else.', {
    missingScopes: ['roles:manage'],
    layer: 'person',
    hint: 'Ask another administrator.',
  });
}

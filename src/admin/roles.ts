import { parsePolicy, type DocumentPolicy } from '../authority/documents.js';
import { sessionScope, type Scope } from '../authority/scope.js';
import { isoTime } from '../core/clock.js';
import { badInput, BehalfError } from '../core/errors.js';
import { oneLine, visibleLine } from '../core/checked-text.js';
import { storeBoundary } from '../authority/boundary.js';
import { readBoundary, requirePossible } from '../delegation/boundary-values.js';
import { isPeopleOnly, type Catalog } from '../delegation/schema-catalog.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { eq } from '../store/sql/condition.js';
import {
  grantableRoles,
  roles,
  userRoles,
  type RoleRow,
  type StoredBoundary,
  type StoredLimits,
  type StoredRoleLimits,
} from '../store/tables/identity.js';
import { requireAdministrator } from './administrators.js';
import { isWithinRoles } from './role-comparison.js';
import { requireDefinable, requireGrantable } from './grantable-roles.js';
import { add, store, type UnitOfWork } from './unit-of-work.js';

export interface NewRole {
  readonly name: string;
  readonly description: string;
  readonly businessTask: string;
  readonly holder: 'agent' | 'person';
  readonly scopes: readonly Scope[];
  readonly approvalScopes?: readonly Scope[] | null | undefined;
  /** Every dimension must be given. */
  readonly boundary: StoredBoundary;
  readonly limits?: NewLimits | null | undefined;
  /** Default: `any`. */
  readonly documents?: DocumentPolicy | null | undefined;
}

/** An agent's role needs all limits except `operationCost`; a person's role takes only that one. */
export type NewLimits = { readonly [K in keyof StoredRoleLimits]?: number | null | undefined };

export type RoleChanges = {
  readonly [K in keyof Omit<NewRole, 'name' | 'holder'>]?: NewRole[K] | null | undefined;
};

const noLimits: StoredLimits = { operations: 0, rows: 0, expirySeconds: 0, depth: 0 };

/** Adds the new role to its maker's grantable set. */
export async function createRole(
  unit: UnitOfWork,
  catalog: Catalog,
  administratorId: string,
  input: NewRole,
): Promise<RoleRow> {
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(input.name)) {
    throw badInput('A name has lower-case letters, digits and `-`, up to 100.', 'name');
  }
  requirePossible(catalog, readBoundary(catalog, input.boundary));
  const role: RoleRow = {
    id: unit.ids.next(),
    name: input.name,
    holder: input.holder,
    ...define(catalog, input),
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
  const after = define(catalog, {
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

type Definition = Pick<
  RoleRow,
  'description' | 'businessTask' | 'scopes' | 'approvalScopes' | 'boundary' | 'limits' | 'documents'
>;

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

function define(catalog: Catalog, input: NewRole): Definition {
  const scopes = [...new Set(input.scopes)].sort();
  const approvalScopes = [...new Set(input.approvalScopes ?? [])].sort();
  for (const scope of scopes) requireScope(catalog, scope, input.holder);
  const stray = approvalScopes.filter((scope) => !scopes.includes(scope));
  if (stray.length > 0)
    throw badInput('`approvalScopes` names a scope that the role lacks.', 'approvalScopes');
  const missing = [...catalog.dimensions.keys()].filter((dimension) => !(dimension in input.boundary));
  if (missing.length > 0) throw badInput(`\`boundary\` does not say ${missing.join(', ')}.`, 'boundary');
  return {
    description: visibleLine(input.description, 1000, 'description'),
    businessTask: visibleLine(input.businessTask, 500, 'businessTask'),
    scopes,
    approvalScopes,
    boundary: fullBoundary(catalog, storeBoundary(readBoundary(catalog, input.boundary))),
    limits: limitsOf(input),
    documents: input.documents ?? 'any',
  };
}

/** Writes missing dimensions out as empty: they allow nothing. */
const fullBoundary = (catalog: Catalog, boundary: StoredBoundary): StoredBoundary => ({
  ...Object.fromEntries([...catalog.dimensions.keys()].map((dimension) => [dimension, []])),
  ...boundary,
});

function requireScope(catalog: Catalog, scope: Scope, holder: NewRole['holder']): void {
  if (!catalog.definitions.has(scope) || scope === sessionScope) {
    throw badInput(`There is no scope ${oneLine(scope, 100, 'scopes')} to be granted.`, 'scopes');
  }
  if (holder === 'agent' && isPeopleOnly(catalog, scope)) {
    throw badInput(`${scope} is for people only: no agent's role may hold it.`, 'scopes');
  }
}

const bounds: Readonly<Record<keyof StoredRoleLimits, readonly [number, number]>> = {
  operations: [1, 1_000_000_000],
  rows: [1, 1_000_000_000],
  expirySeconds: [60, 31_622_400],
  depth: [0, 8],
  operationCost: [1, 100_000_000],
};

function limitsOf({ holder, limits }: NewRole): StoredRoleLimits {
  const { operationCost, ...counted } = limits ?? {};
  const cost = isGiven(operationCost) ? { operationCost: inBounds('operationCost', operationCost) } : {};
  if (holder === 'agent') return { ...countedOf(counted), ...cost };
  if (!Object.values(counted).some(isGiven)) return { ...noLimits, ...cost };
  throw badInput(
    "Only `operationCost` limits people: nothing counts what they do in person. The others belong to agents' roles.",
    'limits',
  );
}

function countedOf({ operations, rows, expirySeconds, depth }: NewLimits): StoredLimits {
  if (!isGiven(operations) || !isGiven(rows) || !isGiven(expirySeconds) || !isGiven(depth)) {
    throw badInput("An agent's role needs limits: operations, rows, expirySeconds and depth.", 'limits');
  }
  return {
    operations: inBounds('operations', operations),
    rows: inBounds('rows', rows),
    expirySeconds: inBounds('expirySeconds', expirySeconds),
    depth: inBounds('depth', depth),
  };
}

const isGiven = (value: number | null | undefined): value is number => value !== null && value !== undefined;

function inBounds(name: keyof StoredRoleLimits, value: number): number {
  const [min, max] = bounds[name];
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw badInput(`\`limits.${name}\` is between ${String(min)} and ${String(max)}.`, `limits.${name}`);
}

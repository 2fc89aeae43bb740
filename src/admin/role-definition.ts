import { storeBoundary } from '../authority/boundary.js';
import type { DocumentPolicy } from '../authority/documents.js';
import type { SignInPolicy } from '../authority/sign-in-policy.js';
import { sessionScope, type Scope } from '../authority/scope.js';
import { oneLine, visibleLine } from '../core/checked-text.js';
import { badInput, BehalfError } from '../core/errors.js';
import { readBoundary, requirePossible } from '../delegation/boundary-values.js';
import { isPeopleOnly, type Catalog } from '../delegation/schema-catalog.js';
import type { RoleRow, StoredBoundary, StoredLimits, StoredRoleLimits } from '../store/tables/identity.js';

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
  /** Default: `any`. Only people sign in. */
  readonly signIn?: SignInPolicy | null | undefined;
}

/** An agent's role needs all limits except `operationCost`; a person's role takes only that one. */
export type NewLimits = { readonly [K in keyof StoredRoleLimits]?: number | null | undefined };

/** The parts of a role that an administrator can change. */
export type Definition = Pick<
  RoleRow,
  | 'description'
  | 'businessTask'
  | 'scopes'
  | 'approvalScopes'
  | 'boundary'
  | 'limits'
  | 'documents'
  | 'signIn'
>;

/** Something wrong in a role's input, and where. */
interface DefinitionFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Everything because of which `createRole` would refuse an input, whoever made it. */
export function definitionFaults(catalog: Catalog, input: NewRole): DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const check = (path: DefinitionFault['path'], work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof BehalfError)) throw error;
      faults.push({ path, message: error.message });
    }
  };
  check(['name'], () => {
    requireName(input.name);
  });
  for (const name of ['description', 'businessTask'] as const) check([name], () => wordsOf(input, name));
  for (const [at, scope] of input.scopes.entries())
    check(['scopes', at], () => {
      requireScope(catalog, scope, input.holder);
    });
  for (const [at, scope] of (input.approvalScopes ?? []).entries())
    check(['approvalScopes', at], () => {
      requireHeld([scope], input.scopes);
    });
  check(['boundary'], () => {
    requireComplete(catalog, input.boundary);
  });
  for (const [dimension, values] of Object.entries(input.boundary))
    check(['boundary', dimension], () => {
      requirePossible(catalog, readBoundary(catalog, { [dimension]: values }));
    });
  check(['limits'], () => {
    requireLimits(input.holder, input.limits ?? {});
  });
  check(['signIn'], () => signInOf(input));
  for (const name of limitNames) {
    const value = input.limits?.[name];
    if (isGiven(value)) check(['limits', name], () => inBounds(name, value));
  }
  return faults;
}

/** The stored form of what an input says. Throws `BAD_USER_INPUT`. */
export function definitionOf(catalog: Catalog, input: NewRole): Definition {
  const scopes = [...new Set(input.scopes)].sort();
  const approvalScopes = [...new Set(input.approvalScopes ?? [])].sort();
  for (const scope of scopes) requireScope(catalog, scope, input.holder);
  requireHeld(approvalScopes, scopes);
  requireComplete(catalog, input.boundary);
  return {
    description: wordsOf(input, 'description'),
    businessTask: wordsOf(input, 'businessTask'),
    scopes,
    approvalScopes,
    boundary: fullBoundary(catalog, storeBoundary(readBoundary(catalog, input.boundary))),
    limits: limitsOf(input),
    documents: input.documents ?? 'any',
    signIn: signInOf(input),
  };
}

export function requireName(name: string): void {
  if (/^[a-z][a-z0-9-]{0,99}$/.test(name)) return;
  throw badInput('A name has lower-case letters, digits and `-`, up to 100.', 'name');
}

function signInOf({ holder, signIn }: NewRole): SignInPolicy {
  if (holder === 'agent' && signIn === 'passkey')
    throw badInput("`signIn` is for people's roles: agents do not sign in.", 'signIn');
  return signIn ?? 'any';
}

const noLimits: StoredLimits = { operations: 0, rows: 0, expirySeconds: 0, depth: 0 };

const lengthMax = { description: 1000, businessTask: 500 } as const;

const wordsOf = (input: NewRole, name: keyof typeof lengthMax): string =>
  visibleLine(input[name], lengthMax[name], name);

function requireHeld(approvalScopes: readonly Scope[], scopes: readonly Scope[]): void {
  if (approvalScopes.every((scope) => scopes.includes(scope))) return;
  throw badInput('`approvalScopes` names a scope that the role lacks.', 'approvalScopes');
}

function requireComplete(catalog: Catalog, boundary: StoredBoundary): void {
  const missing = [...catalog.dimensions.keys()].filter((dimension) => !(dimension in boundary));
  if (missing.length > 0) throw badInput(`\`boundary\` does not say ${missing.join(', ')}.`, 'boundary');
}

/** Writes missing dimensions out as empty: they allow nothing. */
export const fullBoundary = (catalog: Catalog, boundary: StoredBoundary): StoredBoundary => ({
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

const limitNames = Object.keys(bounds) as (keyof StoredRoleLimits)[];

function limitsOf({ holder, limits }: NewRole): StoredRoleLimits {
  requireLimits(holder, limits ?? {});
  const given = limitNames.flatMap((name) => {
    const value = limits?.[name];
    return isGiven(value) ? [[name, inBounds(name, value)] as const] : [];
  });
  return { ...noLimits, ...Object.fromEntries(given) };
}

/** Nothing counts what people do in person. */
function requireLimits(holder: NewRole['holder'], { operationCost: _, ...counted }: NewLimits): void {
  const { operations, rows, expirySeconds, depth } = counted;
  const given = [operations, rows, expirySeconds, depth].filter(isGiven).length;
  if (holder === 'agent' && given < 4)
    throw badInput("An agent's role needs limits: operations, rows, expirySeconds and depth.", 'limits');
  if (holder === 'person' && given > 0)
    throw badInput(
      "Only `operationCost` limits people: nothing counts what they do in person. The others belong to agents' roles.",
      'limits',
    );
}

const isGiven = (value: number | null | undefined): value is number => value !== null && value !== undefined;

function inBounds(name: keyof StoredRoleLimits, value: number): number {
  const [min, max] = bounds[name];
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw badInput(`\`limits.${name}\` is between ${String(min)} and ${String(max)}.`, `limits.${name}`);
}

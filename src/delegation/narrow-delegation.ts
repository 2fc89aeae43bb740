import type { Authority } from '../authority/authority.js';
import { storeBoundary, type Boundaries, type Boundary, type ValueSet } from '../authority/boundary.js';
import { restrict, type Rights } from '../authority/rights.js';
import { sessionScope, type Scope } from '../authority/scope.js';
import { areWithin } from '../authority/within.js';
import { badInput, BehalfError, type Layer } from '../core/errors.js';
import type { StoredBoundary, StoredLimits } from '../store/tables/identity.js';

/** One party that must itself hold everything that is delegated. */
export interface Ceiling {
  readonly layer: Layer;
  readonly rights: Rights;
}

interface RequestedNarrowing {
  /** Undefined: all scopes that the ceilings share. */
  readonly scopes: readonly Scope[] | undefined;
  /** Only the dimensions to narrow. The others get what the ceilings share. */
  readonly boundary: ReadonlyMap<string, ValueSet>;
}

export interface Narrowed {
  readonly scopes: Scope[];
  /** Has an entry for every dimension. */
  readonly boundary: StoredBoundary;
}

/** Each layer of a chain, and its token, as ceilings. A right that any of them lacks cannot be delegated. */
export const ceilingsOf = (authority: Authority): Ceiling[] => [
  ...authority.layers,
  { layer: 'token', rights: restrict(uncut(authority), authority.tokenScopes) },
];

const uncut = (authority: Authority): Rights => authority.layers[0]?.rights ?? new Map<Scope, Boundaries>();

/**
 * The requested rights, if every ceiling holds all of them. Otherwise throws `FORBIDDEN` with the scopes and
 * the layer. The result allows only rows and scopes that every ceiling allows.
 */
export function narrow(
  ceilings: readonly Ceiling[],
  requested: RequestedNarrowing,
  dimensions: Iterable<string>,
): Narrowed {
  const scopes = requested.scopes === undefined ? shared(ceilings) : [...new Set(requested.scopes)].sort();
  if (scopes.length === 0) throw badInput('There is no scope to hand over.', 'scopes');
  for (const ceiling of ceilings) {
    const missing = scopes.filter((scope) => scope === sessionScope || !ceiling.rights.has(scope));
    if (missing.length > 0) throw refused(ceiling.layer, missing);
  }
  const boundary = new Map<string, ValueSet>();
  const empty: StoredBoundary = {};
  for (const dimension of dimensions) {
    const set = requested.boundary.get(dimension) ?? sharedValues(ceilings, scopes, dimension);
    if (set === 'all' || set.size > 0) boundary.set(dimension, set);
    else empty[dimension] = [];
  }
  requireWithin(ceilings, scopes, boundary);
  return { scopes, boundary: { ...empty, ...storeBoundary(boundary) } };
}

function requireWithin(ceilings: readonly Ceiling[], scopes: readonly Scope[], boundary: Boundary): void {
  for (const { layer, rights } of ceilings) {
    const beyond = scopes.filter((scope) => !areWithin([boundary], rights.get(scope) ?? []));
    if (beyond.length > 0) throw tooWide(layer, beyond);
  }
}

function shared(ceilings: readonly Ceiling[]): Scope[] {
  const [first, ...others] = ceilings;
  return [...(first?.rights.keys() ?? [])]
    .filter((scope) => scope !== sessionScope && others.every((other) => other.rights.has(scope)))
    .sort();
}

/**
 * The values of one dimension that every ceiling allows for every scope. Where each scope has values but they
 * share none, the caller must choose.
 */
function sharedValues(ceilings: readonly Ceiling[], scopes: readonly Scope[], dimension: string): ValueSet {
  const sets = ceilings.flatMap(({ rights }) =>
    scopes.map((scope) => union((rights.get(scope) ?? []).map((boundary) => boundary.get(dimension)))),
  );
  const common = sets.reduce<ValueSet>(intersect, 'all');
  if (common !== 'all' && common.size === 0 && sets.every((set) => set === 'all' || set.size > 0)) {
    throw badInput(`These scopes share no value of \`${dimension}\`: say which you mean.`, 'boundary');
  }
  return common;
}

const union = (sets: readonly (ValueSet | undefined)[]): ValueSet =>
  sets.includes('all')
    ? 'all'
    : new Set(sets.flatMap((set) => (set === undefined || set === 'all' ? [] : [...set])));

const intersect = (a: ValueSet, b: ValueSet): ValueSet => {
  if (a === 'all') return b;
  return b === 'all' ? a : new Set([...a].filter((value) => b.has(value)));
};

const fault: Record<Layer, string> = {
  person: 'not held by the person who hands it over',
  agent: 'not included in the role of the agent',
  delegation: 'not included in what was handed over before',
  token: 'not included in the access token',
};

/** @param missingScopes at least one */
export const refused = (layer: Layer, missingScopes: readonly Scope[]): BehalfError =>
  new BehalfError('FORBIDDEN', `${missingScopes.join(', ')} cannot be handed over: ${fault[layer]}.`, {
    missingScopes,
    layer,
    hint: 'Ask for less, or have an administrator assign a role that includes it.',
  });

const tooWide = (layer: Layer, missingScopes: readonly Scope[]): BehalfError =>
  new BehalfError('FORBIDDEN', `${missingScopes.join(', ')} cannot be handed over this widely.`, {
    missingScopes,
    layer,
    hint: 'Narrow `boundary`, or hand over the scopes with different boundaries one by one.',
  });

type LimitName = keyof StoredLimits;

/**
 * The requested limits; where one is not requested, the least of the bounds. Throws `LIMIT_EXCEEDED` above
 * any bound.
 */
export function narrowLimits(
  bounds: readonly StoredLimits[],
  requested: Partial<Record<LimitName, number | undefined>>,
): StoredLimits {
  const one = (name: LimitName, least: number): number => {
    const max = Math.min(...bounds.map((bound) => bound[name]));
    const value = requested[name] ?? max;
    if (!Number.isSafeInteger(value) || (requested[name] !== undefined && value < least)) {
      const asked = requestName[name];
      throw badInput(`\`${asked}\` must be a whole number of at least ${String(least)}.`, asked);
    }
    if (value > max || max < least) {
      throw new BehalfError('LIMIT_EXCEEDED', `At most ${String(max)} can be handed over here.`, {
        limit: limitWord[name],
        hint: 'Ask for less; the bound is that of the role, or what the parent task has left.',
      });
    }
    return value;
  };
  return {
    operations: one('operations', 1),
    rows: one('rows', 1),
    expirySeconds: one('expirySeconds', 1),
    depth: one('depth', 0),
  };
}

/** The limit's name in a request for a delegation, as distinct from a role's. */
const requestName: Record<LimitName, string> = {
  operations: 'operations',
  rows: 'rows',
  expirySeconds: 'expiresInSeconds',
  depth: 'depth',
};

const limitWord: Record<LimitName, string> = {
  operations: 'operations',
  rows: 'rows',
  expirySeconds: 'expiry',
  depth: 'depth',
};

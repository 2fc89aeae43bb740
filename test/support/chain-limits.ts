import type { DelegationRow, RoleRow } from '../../src/store/tables/identity.js';

/** What one link of a chain, or one request, allows at most. */
export interface Limits extends Pick<
  DelegationRow,
  'scopes' | 'boundary' | 'expiresAt' | 'depthMax' | 'operationsMax' | 'rowsMax' | 'resources'
> {
  /** The name of the link in faults. */
  readonly of: string;
}

/** What a request asks for. */
export interface Wish {
  readonly scopes: readonly string[];
  readonly regions: readonly string[];
  /** How many further links may follow. */
  readonly depth: number;
  readonly seconds: number;
}

const unlimited = Number.MAX_SAFE_INTEGER;

export const limitsOfRow = (of: string, row: DelegationRow): Limits => ({ ...row, of });

/** The limits of a role, for a delegation that is made under it. */
export const limitsOfRole = ({ scopes, boundary, limits }: RoleRow, made: DelegationRow): Limits => ({
  of: 'the role',
  scopes,
  boundary,
  expiresAt: after(made.createdAt, limits.expirySeconds),
  depthMax: made.depth + limits.depth,
  operationsMax: limits.operations,
  rowsMax: limits.rows,
  resources: null,
});

/** The limits of a request, for the delegation that came of it. */
export const limitsOfWish = (wish: Wish, resource: string | undefined, made: DelegationRow): Limits => ({
  of: 'the request',
  scopes: wish.scopes,
  boundary: { ...made.boundary, region: wish.regions },
  expiresAt: after(made.createdAt, wish.seconds),
  depthMax: made.depth + wish.depth,
  operationsMax: unlimited,
  rowsMax: unlimited,
  resources: resource === undefined ? null : [resource],
});

const after = (time: string, seconds: number): string =>
  new Date(Date.parse(time) + seconds * 1000).toISOString();

type Values = readonly string[] | 'all' | null;

const isWithin = (inner: Values, outer: Values): boolean => {
  if (outer === null || outer === 'all') return true;
  return Array.isArray(inner) && inner.every((value) => outer.includes(value as string));
};

/** In which respects `inner` goes beyond `outer`. */
export function beyond(inner: Limits, outer: Limits): string[] {
  const numbers = ['depthMax', 'operationsMax', 'rowsMax'] as const;
  const found = [
    ...(isWithin(inner.scopes, outer.scopes) ? [] : ['scopes']),
    ...(isWithin(inner.resources, outer.resources) ? [] : ['resources']),
    ...(Date.parse(inner.expiresAt) <= Date.parse(outer.expiresAt) ? [] : ['expiry']),
    ...numbers.filter((name) => inner[name] > outer[name]),
    ...Object.keys({ ...inner.boundary, ...outer.boundary }).filter(
      // A dimension that is not there has no value.
      (dimension) => !isWithin(inner.boundary[dimension] ?? [], outer.boundary[dimension] ?? []),
    ),
  ];
  return found.map((respect) => `${respect} of ${inner.of} beyond ${outer.of}`);
}

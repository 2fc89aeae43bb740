import { canonicalJson } from '../core/digest.js';
import type { Definition } from '../admin/role-definition.js';

/** One part of a role or an operation, before and after an apply. */
export interface PartChange {
  /** Such as `scopes`, `boundary.region`, `limits.rows`, `source`. */
  readonly part: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The parts in which two definitions of a role differ. Parts of a boundary and of limits are told one by one. */
export function roleChanges(before: Definition, after: Definition): PartChange[] {
  return partNames.flatMap((part) =>
    part === 'boundary' || part === 'limits'
      ? memberChanges(part, before[part], after[part])
      : differing(part, before[part], after[part]),
  );
}

const partNames = [
  ...(['description', 'businessTask', 'scopes', 'approvalScopes'] as const),
  ...(['boundary', 'limits', 'documents', 'signIn'] as const),
] as const;

const memberChanges = (part: string, before: object, after: object): PartChange[] => {
  const [old, now] = [before, after].map((members) => new Map<string, unknown>(Object.entries(members)));
  const names = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]);
  return [...names].sort().flatMap((name) => differing(`${part}.${name}`, old?.get(name), now?.get(name)));
};

const differing = (part: string, before: unknown, after: unknown): PartChange[] =>
  canonicalJson([before ?? null]) === canonicalJson([after ?? null])
    ? []
    : [{ part, before: before ?? null, after: after ?? null }];

/** A change in one line. Of lists of names it tells what is new and gone. */
export function changeLine({ part, before, after }: PartChange): string {
  if (!Array.isArray(before) || !Array.isArray(after)) return `${part}: ${shown(before)} → ${shown(after)}`;
  const [old, now] = [new Set<unknown>(before), new Set<unknown>(after)];
  const signs = [
    ...after.filter((name) => !old.has(name)).map((name) => `+${String(name)}`),
    ...before.filter((name) => !now.has(name)).map((name) => `-${String(name)}`),
  ];
  return `${part}: ${signs.join(', ')}`;
}

const shown = (value: unknown): string => (value === null ? 'none' : JSON.stringify(value));

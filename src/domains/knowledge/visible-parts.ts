import { isInside, type Boundaries } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import type { Operation } from '../../delegation/resolver-context.js';
import type { PartOf } from '../../store/bounded/word-index.js';
import { classifications, collections } from './tables.js';
import { isCollectionKey } from './document-writes.js';

/**
 * The parts of the index that all of the scopes show to the caller: pairs of a collection and a
 * classification.
 */
export async function visibleParts(
  { authority, rows }: Operation,
  scopes: readonly [Scope, ...Scope[]],
  collection: string | null,
): Promise<PartOf[]> {
  const bounds = scopes.map((scope) => authority.boundaries(scope));
  const keys =
    collection === null
      ? (namedIn(authority.boundaries(scopes[0])) ?? (await rows.values(collections, 'key', scopes[0])))
      : [collection].filter(isCollectionKey);
  return keys.flatMap((key) =>
    classifications
      .filter((name) => bounds.every((boundaries) => isInside(boundaries, valuesOfPart(key, name))))
      .map((name) => [key, name]),
  );
}

const valuesOfPart = (collection: string, classification: string) =>
  new Map([
    ['collection', collection],
    ['classification', classification],
  ]);

/** The collections that boundaries name. Undefined where a boundary allows all. */
function namedIn(boundaries: Boundaries): string[] | undefined {
  const named = new Set<string>();
  for (const boundary of boundaries) {
    const keys = boundary.get('collection') ?? [];
    if (keys === 'all') return undefined;
    for (const key of keys) named.add(key);
  }
  return [...named];
}

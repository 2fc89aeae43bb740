import type { Authority } from '../authority/authority.js';
import type { ValueSet } from '../authority/boundary.js';
import type { Scope } from '../authority/scope.js';
import type { Connection } from '../store/sql/connection.js';
import { namesOf } from './boundary-names.js';
import type { Catalog } from './schema-catalog.js';
import type { OfferedDimension } from './token-grant.js';

/** How people call the values of a dimension. Another dimension is called by its own name. */
const nouns: Readonly<Record<string, readonly [one: string, several: string]>> = {
  collection: ['document collection', 'document collections'],
  person: ['person', 'people'],
};

/** The part of a scope that says what it is about: `customers` of `customers:read`. */
export const matterOf = (scope: Scope): string => scope.slice(0, scope.indexOf(':'));

/**
 * The dimensions by which what the scopes open is bounded: those of the types about the same matter. A scope about no
 * type is bounded by all dimensions.
 */
export function dimensionsOf(
  catalog: Pick<Catalog, 'types' | 'dimensions'>,
  scopes: readonly Scope[],
): Set<string> {
  const all = catalog.types.all;
  return new Set(
    scopes.flatMap((scope) => {
      const types = all.filter((type) => matterOf(type.scope) === matterOf(scope));
      return types.length === 0
        ? [...catalog.dimensions.keys()]
        : types.flatMap((type) => [...type.dimensions.keys()]);
    }),
  );
}

/** A boundary in a person's words, with the names that this person may read. */
export async function dimensionsInWords(
  context: { readonly tx: Connection; readonly catalog: Catalog },
  person: Authority,
  boundary: ReadonlyMap<string, ValueSet>,
  scopes: readonly Scope[],
): Promise<OfferedDimension[]> {
  const { catalog } = context;
  const apply = dimensionsOf(catalog, scopes);
  const inOrder = [...catalog.dimensions.keys()].filter((dimension) => apply.has(dimension));
  return Promise.all(
    inOrder.map(async (dimension) => {
      const set = boundary.get(dimension) ?? new Set<string>();
      const names =
        set === 'all' ? new Map<string, string>() : await namesOf(context, person, dimension, [...set]);
      return { dimension, sentence: sentenceOf(dimension, set, names) };
    }),
  );
}

function sentenceOf(dimension: string, set: ValueSet, names: ReadonlyMap<string, string>): string {
  const [one, several] = nounsOf(dimension);
  const values = set === 'all' ? [] : [...set].map((value) => names.get(value) ?? value).sort();
  if (dimension === 'classification') {
    if (set === 'all') return 'Documents with any marking, from public to restricted';
    return values.length === 0 ? 'No documents' : `Documents marked ${listed(values, 'or')}`;
  }
  if (set === 'all') return `All ${several}`;
  if (values.length === 0) return `No ${several}`;
  return `Only the ${values.length === 1 ? one : several} ${listed(values, 'and')}`;
}

function nounsOf(dimension: string): readonly [one: string, several: string] {
  const one = dimension.replaceAll('_', ' ');
  return nouns[dimension] ?? [one, severalOf(one)];
}

/** The regular plural of an English noun. */
function severalOf(one: string): string {
  if (/[^aeiou]y$/.test(one)) return `${one.slice(0, -1)}ies`;
  return /(?:s|x|ch|sh)$/.test(one) ? `${one}es` : `${one}s`;
}

/** `a`, `a and b`, or `a, b and c`. */
function listed(values: readonly string[], last: 'and' | 'or'): string {
  if (values.length < 2) return values.join('');
  return `${values.slice(0, -1).join(', ')} ${last} ${values.at(-1) ?? ''}`;
}

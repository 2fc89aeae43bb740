import type { ValueSet } from '../authority/boundary.js';
import type { Scope } from '../authority/scope.js';
import { listed, plural } from '../core/words.js';
import { isSearchable, namesOf, wordsMax, wordsOf, type NamesContext } from './boundary-names.js';
import type { Catalog } from './schema-catalog.js';
import type { Narrowing, NamedValue, OfferedDimension } from './token-grant.js';

/** Words for the values of a dimension. A dimension that is not here is called by its own name. */
const nouns: Readonly<Record<string, readonly [one: string, several: string]>> = {
  collection: ['document collection', 'document collections'],
  person: ['person', 'people'],
};

/** The matter of a scope: `customers` of `customers:read`. */
export const matterOf = (scope: Scope): string => scope.slice(0, scope.indexOf(':'));

/**
 * The dimensions that bound these scopes: those of the types whose own scope is about the same matter. A scope whose
 * matter has no type is bounded by all dimensions.
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

/** A boundary in plain words, with the names that this person may read. */
export function dimensionsInWords(
  context: NamesContext,
  boundary: ReadonlyMap<string, ValueSet>,
  scopes: readonly Scope[],
): Promise<OfferedDimension[]> {
  const { catalog } = context;
  const apply = dimensionsOf(catalog, scopes);
  const inOrder = [...catalog.dimensions.keys()].filter((dimension) => apply.has(dimension));
  return Promise.all(
    inOrder.map((dimension) => inWords(context, dimension, boundary.get(dimension) ?? new Set<string>())),
  );
}

async function inWords(context: NamesContext, dimension: string, set: ValueSet): Promise<OfferedDimension> {
  if (set === 'all') {
    const { narrowing, shown } = await ofAll(context, dimension);
    return { dimension, sentence: sentenceOf(dimension, set, []), narrowing, shown };
  }
  const named = await namesOf(context, dimension, [...set]);
  const labels = new Map(named.values.map(({ value, label }) => [value, label]));
  const values = [...set]
    .map((value) => ({ value, label: labels.get(value) ?? value }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
  const isChoice = values.length > 1 && values.length <= wordsMax;
  const narrowing: Narrowing = isChoice ? { kind: 'offered', values } : { kind: 'none' };
  return { dimension, sentence: sentenceOf(dimension, set, values), narrowing, shown: named.shown };
}

/** How all values of a dimension may be narrowed. */
async function ofAll(
  context: NamesContext,
  dimension: string,
): Promise<Pick<OfferedDimension, 'narrowing' | 'shown'>> {
  const source = context.catalog.dimensions.get(dimension)?.source;
  if (source?.kind === 'words') {
    const values = source.words.map((value) => ({ value, label: value }));
    return { narrowing: { kind: 'all', values }, shown: [] };
  }
  if (isSearchable(context, dimension)) return { narrowing: { kind: 'search' }, shown: [] };
  const words = await wordsOf(context, dimension);
  if (words === undefined || words.values.length === 0) return { narrowing: { kind: 'none' }, shown: [] };
  return { narrowing: { kind: 'all', values: words.values }, shown: words.shown };
}

function sentenceOf(dimension: string, set: ValueSet, named: readonly NamedValue[]): string {
  const [one, several] = nounsOf(dimension);
  const values = named.map(({ label }) => label);
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
  return nouns[dimension] ?? [one, plural(one)];
}

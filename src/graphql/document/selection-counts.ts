import {
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { requireWithin, type Count } from './structure-limits.js';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/**
 * Counts selections and pairs of selections with the same response name on one level, as validation compares them:
 * fragments written out, and the selections below equal names taken together. The number of pairs grows with the square
 * of the request's size, so it is limited before validation compares them. Fragments must not spread themselves.
 */
export function countRepeats(document: DocumentNode, fragments: Fragments, count: Count): void {
  const reached = new Set<string>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    const roots = fieldsOf([node.selectionSet], fragments, reached, count);
    requireWithin('rootFields', roots.size);
    countBelow(roots, fragments, reached, count);
  }
  // Validation compares unused fragments as well.
  for (const [name, { selectionSet }] of fragments) {
    if (reached.has(name)) continue;
    countBelow(fieldsOf([selectionSet], fragments, reached, count), fragments, reached, count);
  }
}

/** The number of selections in a document that is within the limits, fragments written out. */
export function selectionsIn(document: DocumentNode, fragments: Fragments): number {
  let selections = 0;
  countRepeats(document, fragments, (limit, by = 1) => {
    if (limit === 'selections') selections += by;
  });
  return selections;
}

/** The most selections in an operation, each fragment written out at every place that spreads it. */
export const selectionsMax = 10_000;

/** The number of selections, with each fragment written out at every place that spreads it. */
export function selectionsWrittenOut(document: DocumentNode, fragments: Fragments): number {
  const known = new Map<string, number>();
  const ofFragment = (name: string): number => {
    const count = known.get(name) ?? of(fragments.get(name)?.selectionSet);
    known.set(name, count);
    return count;
  };
  const of = (set: SelectionSetNode | undefined): number =>
    (set?.selections ?? []).reduce((sum, selection) => {
      const below =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(selection.name.value)
          : of(selection.selectionSet);
      return sum + 1 + below;
    }, 0);
  return document.definitions.reduce(
    (sum, node) => sum + (node.kind === Kind.OPERATION_DEFINITION ? of(node.selectionSet) : 0),
    0,
  );
}

type Fields = ReadonlyMap<string, readonly FieldNode[]>;

function countBelow(top: Fields, fragments: Fragments, reached: Set<string>, count: Count): void {
  const places = [top];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    for (const fields of place.values()) {
      count('repeats', (fields.length * (fields.length - 1)) / 2);
      const below = fields.flatMap(({ selectionSet }) => selectionSet ?? []);
      if (below.length > 0) places.push(fieldsOf(below, fragments, reached, count));
    }
  }
}

/** The fields of one level by response name. */
function fieldsOf(
  sets: readonly SelectionSetNode[],
  fragments: Fragments,
  reached: Set<string>,
  count: Count,
): Fields {
  const found = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  const pending = [...sets];
  for (let set = pending.pop(); set !== undefined; set = pending.pop()) {
    count('selections', set.selections.length);
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        const others = found.get(name);
        if (others === undefined) found.set(name, [selection]);
        else others.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        pending.push(selection.selectionSet);
      } else if (!spread.has(selection.name.value)) {
        const fragment = fragments.get(selection.name.value);
        spread.add(selection.name.value);
        reached.add(selection.name.value);
        if (fragment !== undefined) pending.push(fragment.selectionSet);
      }
    }
  }
  return found;
}

import {
  getLocation,
  Kind,
  visit,
  type DocumentNode,
  type FieldNode,
  type GraphQLFormattedError,
  type SelectionSetNode,
  type SourceLocation,
} from 'graphql';
import type { Trail } from '../../audit/trail.js';
import type { Denied } from '../rules/rule-map.js';
import type { Selected, Selection } from './selection.js';

/** A field that was refused before the operation ran, at one path of the answer. */
export interface Refused {
  readonly denied: Denied;
  readonly nodes: readonly FieldNode[];
  readonly path: readonly (string | number)[];
}

/** Stands in a selection that pruning left empty; its value is not shown. */
const placeholder = (set: SelectionSetNode): SelectionSetNode => ({
  ...set,
  selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }],
});

/**
 * The document without its denied fields. What is left is allowed, and runs as if the others had never been selected.
 */
export function withoutDenied(document: DocumentNode, denied: ReadonlyMap<Selected, Denied>): DocumentNode {
  const nodes = new Set([...denied.keys()].flatMap((selected) => selected.nodes));
  return visit(document, {
    Field: (node) => (nodes.has(node) ? null : undefined),
    SelectionSet: { leave: (set) => (set.selections.length === 0 ? placeholder(set) : undefined) },
  });
}

/**
 * Puts the denied fields back into an answer: null, with an error for each path, in the order of the answer. The trail
 * gets each refusal in that order too, as where rules stand before resolvers.
 */
export class Merge {
  readonly refused: Refused[] = [];
  private readonly above: ReadonlySet<Selected>;

  constructor(
    private readonly denied: ReadonlyMap<Selected, Denied>,
    private readonly selection: Selection,
    private readonly trail: Trail,
  ) {
    const above = new Set<Selected>();
    const isAbove = (selected: Selected): boolean => {
      const inside = selected.children.filter((child) => denied.has(child) || isAbove(child));
      if (inside.length > 0) above.add(selected);
      return inside.length > 0;
    };
    selection.fields.forEach(isAbove);
    this.above = above;
  }

  fill(data: unknown): unknown {
    return this.inside(data, this.selection.fields, []);
  }

  private inside(value: unknown, fields: readonly Selected[], path: readonly (string | number)[]): unknown {
    if (value === null || value === undefined) return null;
    if (Array.isArray(value)) return value.map((one, index) => this.inside(one, fields, [...path, index]));
    const given = value as Readonly<Record<string, unknown>>;
    const filled = this.selection.isOrdinary ? {} : (Object.create(null) as Record<string, unknown>);
    for (const selected of fields) {
      const { key } = selected;
      const denied = this.denied.get(selected);
      if (denied !== undefined) {
        if (this.refused.length === 0 || this.refused.at(-1)?.denied !== denied) {
          this.trail.refused(denied.decision);
        }
        this.refused.push({ denied, nodes: selected.nodes, path: [...path, key] });
        filled[key] = null;
      } else if (this.above.has(selected)) {
        filled[key] = this.inside(given[key], selected.children, [...path, key]);
      } else filled[key] = given[key];
    }
    return filled;
  }
}

/** The errors as the caller gets them. The parts that all paths of one denied field share are made once. */
export function refusedBodies(refused: readonly Refused[], operationId: string): GraphQLFormattedError[] {
  const shared = new Map<readonly FieldNode[], Omit<GraphQLFormattedError, 'path'>>();
  return refused.map(({ denied, nodes, path }) => {
    const known = shared.get(nodes) ?? {
      message: denied.error.message,
      locations: nodes.flatMap(locationOf),
      extensions: { code: denied.error.code, ...denied.error.details, operationId },
    };
    shared.set(nodes, known);
    return { message: known.message, locations: known.locations, path, extensions: known.extensions };
  });
}

const locationOf = ({ loc }: FieldNode): SourceLocation[] =>
  loc === undefined ? [] : [getLocation(loc.source, loc.start)];

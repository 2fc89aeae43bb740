import {
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** The fields behind the response keys of one object of an answer: an alias hides none of them. */
export class AnswerShape {
  private found: ReadonlyMap<string, Member> | undefined;
  /** The objects of a long list ask the same again and again. */
  private readonly keys = new Map<string, readonly string[]>();

  private constructor(
    private readonly sets: readonly SelectionSetNode[],
    private readonly fragments: Fragments,
  ) {}

  /** Of the data that the operations of a valid document give. */
  static of(document: DocumentNode): AnswerShape {
    const known = shapes.get(document);
    if (known !== undefined) return known;
    const shape = AnswerShape.read(document);
    shapes.set(document, shape);
    return shape;
  }

  private static read({ definitions }: DocumentNode): AnswerShape {
    const fragments = definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [node] : []));
    const sets = definitions.flatMap((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? [node.selectionSet] : [],
    );
    return new AnswerShape(sets, new Map(fragments.map((node) => [node.name.value, node])));
  }

  /** Of the object or objects under a key. */
  under(key: string): AnswerShape | undefined {
    return this.members.get(key)?.shape;
  }

  /** The fields behind a key, as the document writes them. */
  nodesOf(key: string): readonly FieldNode[] {
    return this.members.get(key)?.nodes ?? [];
  }

  /** The keys of a field; in their order in the document. */
  keysOf(field: string): readonly string[] {
    const known = this.keys.get(field);
    if (known !== undefined) return known;
    const keys = [...this.members].flatMap(([key, { nodes }]) =>
      nodes.some(({ name }) => name.value === field) ? [key] : [],
    );
    this.keys.set(field, keys);
    return keys;
  }

  private get members(): ReadonlyMap<string, Member> {
    return (this.found ??= membersOf(
      this.sets,
      this.fragments,
      (sets) => new AnswerShape(sets, this.fragments),
    ));
  }
}

/** The same document is answered again and again. */
const shapes = new WeakMap<DocumentNode, AnswerShape>();

interface Member {
  /** More than one where the key means different fields of different types. */
  readonly nodes: readonly FieldNode[];
  readonly shape: AnswerShape;
}

function membersOf(
  sets: readonly SelectionSetNode[],
  fragments: Fragments,
  shapeOf: (sets: readonly SelectionSetNode[]) => AnswerShape,
): ReadonlyMap<string, Member> {
  const found = new Map<string, FieldNode[]>();
  const seen = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const nodes = found.get(key);
        if (nodes === undefined) found.set(key, [selection]);
        else nodes.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) collect(fragment.selectionSet);
      }
    }
  };
  sets.forEach(collect);
  return new Map(
    [...found].map(([key, nodes]) => [
      key,
      { nodes, shape: shapeOf(nodes.flatMap(({ selectionSet }) => selectionSet ?? [])) },
    ]),
  );
}

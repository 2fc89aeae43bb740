import { Kind, parse, print, type ConstDirectiveNode, type DefinitionNode, type NameNode } from 'graphql';

/** The parts of a definition that order and extension do not change the meaning of. */
interface Parts {
  readonly name?: NameNode;
  readonly directives?: readonly ConstDirectiveNode[];
  readonly fields?: readonly { readonly name: NameNode }[];
  readonly values?: readonly { readonly name: NameNode }[];
  readonly types?: readonly { readonly name: NameNode }[];
  readonly interfaces?: readonly { readonly name: NameNode }[];
  readonly operationTypes?: readonly unknown[];
}

const extended: Readonly<Record<string, Kind>> = {
  [Kind.SCHEMA_EXTENSION]: Kind.SCHEMA_DEFINITION,
  [Kind.OBJECT_TYPE_EXTENSION]: Kind.OBJECT_TYPE_DEFINITION,
  [Kind.INPUT_OBJECT_TYPE_EXTENSION]: Kind.INPUT_OBJECT_TYPE_DEFINITION,
  [Kind.ENUM_TYPE_EXTENSION]: Kind.ENUM_TYPE_DEFINITION,
  [Kind.INTERFACE_TYPE_EXTENSION]: Kind.INTERFACE_TYPE_DEFINITION,
  [Kind.UNION_TYPE_EXTENSION]: Kind.UNION_TYPE_DEFINITION,
  [Kind.SCALAR_TYPE_EXTENSION]: Kind.SCALAR_TYPE_DEFINITION,
};

interface PrintedDefinition {
  /** Undefined for the schema itself. */
  readonly name: string | undefined;
  readonly text: string;
}

/**
 * The definitions of the SDL in one canonical form: extensions are merged, and definitions, their fields and values
 * stand in the order of their names. Two texts with the same form declare the same schema.
 */
export function printDefinitions(sdl: string): PrintedDefinition[] {
  const merged = new Map<string, DefinitionNode>();
  for (const definition of parse(sdl, { noLocation: true }).definitions) {
    const kind = extended[definition.kind] ?? definition.kind;
    const key = `${kind} ${nameOf(definition) ?? ''}`;
    const known = merged.get(key);
    merged.set(
      key,
      known === undefined ? ({ ...definition, kind } as DefinitionNode) : join(known, definition),
    );
  }
  return [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, definition]) => ({ name: nameOf(definition), text: print(sorted(definition)) }));
}

/** All definitions as one text. */
export const printSchemaText = (sdl: string): string =>
  `${printDefinitions(sdl)
    .map(({ text }) => text)
    .join('\n\n')}\n`;

const nameOf = (definition: DefinitionNode): string | undefined => (definition as Parts).name?.value;

/** A definition together with its extension, in either order. */
function join(first: DefinitionNode, second: DefinitionNode): DefinitionNode {
  const [a, b] = [first as Parts, second as Parts];
  const lists = (
    ['directives', 'fields', 'values', 'types', 'interfaces', 'operationTypes'] as const
  ).flatMap((list) =>
    a[list] === undefined && b[list] === undefined ? [] : [[list, [...(a[list] ?? []), ...(b[list] ?? [])]]],
  );
  // An extension has no description.
  const described = 'description' in second && second.description !== undefined ? second : first;
  return { ...described, kind: first.kind, ...Object.fromEntries(lists) } as DefinitionNode;
}

function sorted(definition: DefinitionNode): DefinitionNode {
  const { directives, fields, values } = definition as Parts;
  const byName = <T extends { readonly name: NameNode }>(list: readonly T[]): T[] =>
    [...list].sort((a, b) => (a.name.value < b.name.value ? -1 : 1));
  return {
    ...definition,
    ...(directives && { directives: [...directives].sort((a, b) => (print(a) < print(b) ? -1 : 1)) }),
    ...(fields && { fields: byName(fields) }),
    ...(values && { values: byName(values) }),
  } as unknown as DefinitionNode;
}

import { Kind, parse, print, type ConstDirectiveNode, type DefinitionNode, type NameNode } from 'graphql';

/** The parts of a definition that order and extension do not change the meaning of. */
interface Parts {
  readonly name?: NameNode;
  readonly directives?: readonly ConstDirectiveNode[];
  readonly fields?: readonly { readonly name: NameNode }[];
  readonly values?: readonly { readonly name: NameNode }[];
  readonly operationTypes?: readonly unknown[];
}

const extended: Readonly<Record<string, Kind>> = {
  [Kind.SCHEMA_EXTENSION]: Kind.SCHEMA_DEFINITION,
  [Kind.OBJECT_TYPE_EXTENSION]: Kind.OBJECT_TYPE_DEFINITION,
  [Kind.INPUT_OBJECT_TYPE_EXTENSION]: Kind.INPUT_OBJECT_TYPE_DEFINITION,
  [Kind.ENUM_TYPE_EXTENSION]: Kind.ENUM_TYPE_DEFINITION,
};

export interface PrintedDefinition {
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

function join(first: DefinitionNode, second: DefinitionNode): DefinitionNode {
  const [a, b] = [first as Parts, second as Parts];
  const both = <T>(x: readonly T[] = [], y: readonly T[] = []): readonly T[] => [...x, ...y];
  const isFirst = 'description' in second && second.description !== undefined;
  return {
    ...(isFirst ? { ...second, kind: first.kind } : first),
    directives: both(a.directives, b.directives),
    ...((a.fields ?? b.fields) && { fields: both(a.fields, b.fields) }),
    ...((a.values ?? b.values) && { values: both(a.values, b.values) }),
    ...((a.operationTypes ?? b.operationTypes) && {
      operationTypes: both(a.operationTypes, b.operationTypes),
    }),
  } as unknown as DefinitionNode;
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

import {
  buildASTSchema,
  GraphQLError,
  Kind,
  specifiedDirectives,
  visit,
  type ASTNode,
  type ConstDirectiveNode,
  type DirectiveDefinitionNode,
  type GraphQLSchema,
} from 'graphql';
import {
  directivesIn,
  valuesOf,
  type MappingDirectives,
  type ParsedFile,
  type SdlFaults,
} from './sdl-files.js';

/** Tells each directive that there is not, that stands where it cannot, or whose arguments do not fit. */
export function checkDirectives(
  files: readonly ParsedFile[],
  mapping: MappingDirectives,
  faults: SdlFaults,
): void {
  const checker = new Checker(files, mapping, faults);
  for (const { document } of files)
    visit(document, {
      enter: (node, _key, _parent, path) => {
        checker.node(node, path.at(-2) === 'arguments');
      },
    });
}

/** Where directives stand: GraphQL's word, and ours. */
const locations: Readonly<Partial<Record<Kind, readonly [location: string, words: string]>>> = {
  [Kind.SCHEMA_DEFINITION]: ['SCHEMA', 'the schema'],
  [Kind.SCHEMA_EXTENSION]: ['SCHEMA', 'the schema'],
  [Kind.OBJECT_TYPE_DEFINITION]: ['OBJECT', 'a type'],
  [Kind.OBJECT_TYPE_EXTENSION]: ['OBJECT', 'a type'],
  [Kind.FIELD_DEFINITION]: ['FIELD_DEFINITION', 'a field'],
  [Kind.INPUT_VALUE_DEFINITION]: ['INPUT_FIELD_DEFINITION', 'a field of an input'],
  [Kind.INPUT_OBJECT_TYPE_DEFINITION]: ['INPUT_OBJECT', 'an input'],
  [Kind.INPUT_OBJECT_TYPE_EXTENSION]: ['INPUT_OBJECT', 'an input'],
  [Kind.ENUM_TYPE_DEFINITION]: ['ENUM', 'an enum'],
  [Kind.ENUM_TYPE_EXTENSION]: ['ENUM', 'an enum'],
  [Kind.ENUM_VALUE_DEFINITION]: ['ENUM_VALUE', 'a value of an enum'],
  [Kind.INTERFACE_TYPE_DEFINITION]: ['INTERFACE', 'an interface'],
  [Kind.UNION_TYPE_DEFINITION]: ['UNION', 'a union'],
  [Kind.SCALAR_TYPE_DEFINITION]: ['SCALAR', 'a scalar'],
};
const onArgument = ['ARGUMENT_DEFINITION', 'an argument'] as const;

class Checker {
  private readonly definitions: ReadonlyMap<string, DirectiveDefinitionNode>;
  private readonly schema: GraphQLSchema;

  constructor(
    files: readonly ParsedFile[],
    private readonly mapping: MappingDirectives,
    private readonly faults: SdlFaults,
  ) {
    this.definitions = directivesIn(files.map(({ document }) => document));
    const known = files.flatMap(({ isOwn, document: { definitions } }) => (isOwn ? [] : definitions));
    const kinds: readonly Kind[] = [
      ...[Kind.DIRECTIVE_DEFINITION, Kind.INPUT_OBJECT_TYPE_DEFINITION],
      ...[Kind.ENUM_TYPE_DEFINITION, Kind.SCALAR_TYPE_DEFINITION],
    ];
    const definitions = known.filter(({ kind }) => kinds.includes(kind));
    this.schema = buildASTSchema({ kind: Kind.DOCUMENT, definitions }, { assumeValidSDL: true });
  }

  node(node: ASTNode, isArgument: boolean): void {
    if (!('directives' in node) || node.directives === undefined) return;
    const place = isArgument && node.kind === Kind.INPUT_VALUE_DEFINITION ? onArgument : locations[node.kind];
    const isType = place?.[0] === 'OBJECT' || place?.[0] === 'FIELD_DEFINITION';
    const seen = new Set<string>();
    for (const directive of node.directives as readonly ConstDirectiveNode[]) {
      // The reader of types tells mappings that stand elsewhere.
      if (isType || !this.mapping.has(directive))
        this.directive(directive, place, seen.has(directive.name.value));
      seen.add(directive.name.value);
    }
  }

  private directive(
    directive: ConstDirectiveNode,
    place: readonly [string, string] | undefined,
    isRepeated: boolean,
  ): void {
    const name = directive.name.value;
    if (specifiedDirectives.some((one) => one.name === name)) return;
    const definition = this.mapping.definition(name) ?? this.definitions.get(name);
    if (definition === undefined) {
      if (!this.faults.mayDefine(name)) this.faults.add(directive, `There is no directive @${name}.`);
      return;
    }
    if (isRepeated && !definition.repeatable) this.faults.add(directive, `@${name} stands here twice.`);
    if (place !== undefined && !definition.locations.some(({ value }) => value === place[0]))
      this.faults.add(directive, `@${name} does not stand on ${place[1]}.`);
    this.arguments(directive, definition);
  }

  /** A directive of what ships whose arguments do not fit is read as if it were not there. */
  private arguments(directive: ConstDirectiveNode, definition: DirectiveDefinitionNode): void {
    const name = directive.name.value;
    const isMapping = this.mapping.has(directive);
    const seen = new Set<string>();
    for (const { name: said } of directive.arguments ?? []) {
      const isKnown = definition.arguments?.some((one) => one.name.value === said.value) === true;
      if (!isKnown) this.faults.add(said, `@${name} has no argument ${said.value}.`);
      else if (seen.has(said.value)) this.faults.add(said, `@${name} has the argument ${said.value} twice.`);
      seen.add(said.value);
    }
    const isFaulty = this.faults.areIn(directive);
    if (isFaulty && !isMapping) this.faults.readAs(directive, '');
    if (isFaulty) return;
    try {
      if (isMapping) this.mapping.values(directive);
      else valuesOf(this.schema, directive);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      this.faults.add(directive, error.message);
      if (!isMapping) this.faults.readAs(directive, '');
    }
  }
}

import {
  buildASTSchema,
  getDirectiveValues,
  GraphQLError,
  Kind,
  parse,
  Source,
  type ASTNode,
  type ConstDirectiveNode,
  type DirectiveDefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';

/** The coerced arguments of a directive. */
export type Values = Readonly<Record<string, unknown>>;

/** One SDL file. */
export interface SdlFile {
  readonly name: string;
  readonly text: string;
}

export interface ParsedFile extends SdlFile {
  readonly document: DocumentNode;
}

/** Collects what is wrong, each with its file and line. */
export class SdlFaults {
  readonly all: string[] = [];

  add(node: ASTNode, message: string): void {
    this.all.push(`${placeOf(node)}: ${message}`);
  }

  /** Throws where there are any. */
  check(): void {
    if (this.all.length > 0) throw new Error(`The schema is faulty:\n- ${this.all.join('\n- ')}`);
  }
}

export function parseFiles(files: readonly SdlFile[], faults: SdlFaults): ParsedFile[] {
  return files.flatMap((file) => {
    // Comments alone are no document.
    if (file.text.replaceAll(/#.*|[\s,\uFEFF]/g, '') === '') return [];
    try {
      return [{ ...file, document: parse(new Source(file.text, file.name)) }];
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const line = error.locations?.[0]?.line ?? 1;
      faults.all.push(`${file.name}:${String(line)}: ${error.message}`);
      return [];
    }
  });
}

/** The file and line of a definition's name, above which its description may stand. */
export function placeOf(node: ASTNode): string {
  const { loc } = 'name' in node && node.name !== undefined ? node.name : node;
  return loc === undefined ? 'SDL' : `${loc.source.name}:${String(loc.startToken.line)}`;
}

/** The directives by which a type says how it is made, with the inputs that they use. */
export class MappingDirectives {
  private readonly definitions: ReadonlyMap<string, DirectiveDefinitionNode>;
  private readonly schema: GraphQLSchema;

  constructor(document: DocumentNode) {
    this.definitions = directivesIn([document]);
    this.schema = buildASTSchema(document, { assumeValidSDL: true });
  }

  has({ name }: ConstDirectiveNode): boolean {
    return this.definitions.has(name.value);
  }

  definition(name: string): DirectiveDefinitionNode | undefined {
    return this.definitions.get(name);
  }

  /** The coerced arguments. Throws `GraphQLError` for arguments that do not fit. */
  values(directive: ConstDirectiveNode): Values {
    const definition = this.schema.getDirective(directive.name.value);
    if (definition === null || definition === undefined) return {};
    return getDirectiveValues(definition, { directives: [directive] }) ?? {};
  }
}

export const directivesIn = (documents: readonly DocumentNode[]): Map<string, DirectiveDefinitionNode> =>
  new Map(
    documents
      .flatMap(({ definitions }) => definitions)
      .flatMap((node) => (node.kind === Kind.DIRECTIVE_DEFINITION ? [[node.name.value, node] as const] : [])),
  );

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
import { faultList, faultText, isSamePlace, type Fault, type Place } from '../../core/fault.js';

/** The coerced arguments of a directive. */
export type Values = Readonly<Record<string, unknown>>;

/** One SDL file. */
export interface SdlFile {
  readonly name: string;
  readonly text: string;
  /** Whether it is a company's. */
  readonly isOwn?: true;
}

export interface ParsedFile extends SdlFile {
  readonly document: DocumentNode;
}

/** A part of a file's text that is read in other words, so that the rest of the file can be understood. */
interface Mend {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Collects faults with their places, each once. */
export class SdlFaults {
  /** What is read in other words because of a fault. */
  readonly mends: Mend[] = [];
  /** The faults by their texts. */
  private readonly told = new Map<string, Fault>();
  private readonly places: ASTNode[] = [];
  private readonly unread = new Set<string>();

  /** In the order of files and lines. */
  get all(): Fault[] {
    return [...this.told.values()].sort(byPlace);
  }

  add(node: ASTNode, message: string): void {
    this.places.push(node);
    this.at(placeOf(node), message);
  }

  at(place: Place, message: string): void {
    this.tell({ place, message });
  }

  tell(fault: Fault): void {
    const text = faultText(fault);
    if (!this.told.has(text)) this.told.set(text, fault);
  }

  /** As `add`. The node, or a part of it, is read as `text`. */
  mend(node: ASTNode, message: string, text: string, part: ASTNode = node): void {
    this.add(node, message);
    this.readAs(part, text);
  }

  readAs({ loc }: ASTNode, text: string): void {
    if (loc === undefined) return;
    const { start, end, source } = loc;
    this.mends.push({ file: source.name, start, end, text });
  }

  /** A file that is no SDL. What it may define counts as defined, so that nothing follows from the one fault. */
  unreadable(file: SdlFile, line: number, message: string): void {
    this.at({ file: file.name, line }, message);
    for (const name of file.text.match(/[\w:]+/g) ?? []) this.unread.add(name);
  }

  /** Whether some file is no SDL. */
  get areUnreadable(): boolean {
    return this.unread.size > 0;
  }

  /** Whether a name may be defined in a file that cannot be read. */
  mayDefine(name: string): boolean {
    return this.unread.has(name);
  }

  /** Whether something inside the node is faulty. */
  areIn({ loc }: ASTNode): boolean {
    return this.places.some(
      ({ loc: place }) =>
        loc !== undefined && place?.source === loc.source && place.start >= loc.start && place.end <= loc.end,
    );
  }

  /** Whether a fault of this file and line was told. */
  isToldAt(place: Place): boolean {
    return [...this.told.values()].some((fault) => isSamePlace(fault.place, place));
  }

  /** Throws where there are any. */
  check(): void {
    if (this.told.size > 0) throw new Error(faultList('The schema is faulty', this.all));
  }
}

/** By file, then by line. Faults of a whole file are in the order of their messages. */
function byPlace({ place: a, message: x }: Fault, { place: b, message: y }: Fault): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  if (a.line === undefined && b.line === undefined) return x < y ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}

export function parseFiles(files: readonly SdlFile[], faults: SdlFaults): ParsedFile[] {
  return files.flatMap((file) => {
    // Comments alone are no document.
    if (file.text.replaceAll(/#.*|[\s,\uFEFF]/g, '') === '') return [];
    try {
      return [{ ...file, document: parse(new Source(file.text, file.name)) }];
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      faults.unreadable(file, error.locations?.[0]?.line ?? 1, error.message);
      return [];
    }
  });
}

/** The file and line of a definition's name, above which its description may stand. */
export function placeOf(node: ASTNode): Place {
  const { loc } = 'name' in node && node.name !== undefined ? node.name : node;
  return loc === undefined ? { file: 'SDL' } : { file: loc.source.name, line: loc.startToken.line };
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
    return valuesOf(this.schema, directive);
  }
}

/** The coerced arguments of a directive of the schema. Throws `GraphQLError` for arguments that do not fit. */
export function valuesOf(schema: GraphQLSchema, directive: ConstDirectiveNode): Values {
  const definition = schema.getDirective(directive.name.value);
  if (definition === null || definition === undefined) return {};
  return getDirectiveValues(definition, { directives: [directive] }) ?? {};
}

export const directivesIn = (documents: readonly DocumentNode[]): Map<string, DirectiveDefinitionNode> =>
  new Map(
    documents
      .flatMap(({ definitions }) => definitions)
      .flatMap((node) => (node.kind === Kind.DIRECTIVE_DEFINITION ? [[node.name.value, node] as const] : [])),
  );

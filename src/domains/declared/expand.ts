import {
  Kind,
  parse,
  type ASTNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type ObjectTypeDefinitionNode,
} from 'graphql';
import { checkDefined, checkTypes, withoutRepeated } from './check-definitions.js';
import { checkDirectives } from './check-directives.js';
import { checkNames, checkTargets } from './check-names.js';
import type { TypeDeclaration } from './declaration.js';
import { madeTypes, pageArguments } from './made-sdl.js';
import { readDeclarations } from './read-declarations.js';
import { MappingDirectives, parseFiles, SdlFaults, type ParsedFile, type SdlFile } from './sdl-files.js';

/** The SDL of a schema, and the types in it that have tables. */
export interface ExpandedSdl {
  /** As callers see it: with what is made of the types, and without the directives that say so. */
  readonly sdl: string;
  readonly types: readonly TypeDeclaration[];
}

/** SDL as far as it can be understood, with everything that is wrong in it. */
export interface ReadSdl extends ExpandedSdl {
  readonly faults: SdlFaults;
  /** What the files define. */
  readonly documents: readonly DocumentNode[];
}

/**
 * Adds to the SDL everything that is made of types with `@table`. Throws for faulty files, and tells all faults with
 * file and line.
 * @param mapping the SDL of the directives that say what is made
 */
export function expandSdl(files: readonly SdlFile[], mapping: string): ExpandedSdl {
  const { sdl, types, faults } = readSdl(files, mapping);
  faults.check();
  return { sdl, types };
}

/**
 * As `expandSdl`, for faulty files too: what is not understood is left out, or read in other words.
 * @param shippedScopes scopes that a company cannot define
 */
export function readSdl(
  files: readonly SdlFile[],
  mapping: string,
  shippedScopes: ReadonlySet<string> = new Set(),
): ReadSdl {
  const faults = new SdlFaults();
  const parsed = withoutRepeated(parseFiles(files, faults), faults);
  const directives = new MappingDirectives(parse(mapping));
  const documents = parsed.map(({ document }) => document);
  const tabled = tabledIn(documents);
  checkDirectives(parsed, directives, faults);
  checkDefined(parsed, shippedScopes, faults);
  checkTypes(
    parsed,
    new Set([...tabled].flatMap((name) => madeSuffixes.map((suffix) => name + suffix))),
    faults,
  );
  const types = readDeclarations(parsed, directives, faults);
  const defined = new Set(documents.flatMap(({ definitions }) => definitions).flatMap(nameOf));
  checkTargets(types, (name) => defined.has(name) && !tabled.has(name), faults);
  checkNames(parsed, types, faults);
  const expander = new Expander(types, directives, faults);
  const sdl = parsed.map((file) => expander.expand(file)).join('\n');
  return { sdl, types, faults, documents };
}

const madeSuffixes = ['Connection', 'Edge', 'Filter', 'Order'];

const nameOf = (node: ASTNode): string[] =>
  'name' in node && node.name?.kind === Kind.NAME ? [node.name.value] : [];

/** The names of the types that have a @table, faulty or not. */
export const tabledIn = (documents: readonly DocumentNode[]): Set<string> =>
  new Set(
    documents
      .flatMap(({ definitions }) => definitions)
      .flatMap((node) =>
        node.kind === Kind.OBJECT_TYPE_DEFINITION &&
        node.directives?.some(({ name }) => name.value === 'table') === true
          ? [node.name.value]
          : [],
      ),
  );

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

type Annotated = ObjectTypeDefinitionNode | FieldDefinitionNode;

class Expander {
  private readonly types: ReadonlyMap<string, TypeDeclaration>;

  constructor(
    types: readonly TypeDeclaration[],
    private readonly directives: MappingDirectives,
    private readonly faults: SdlFaults,
  ) {
    this.types = new Map(types.map((type) => [type.name, type]));
  }

  /** Changes nothing of the file's text but the types with tables. */
  expand(file: ParsedFile): string {
    const edits: Edit[] = this.faults.mends.filter((mend) => mend.file === file.name);
    for (const node of file.document.definitions) {
      const type = node.kind === Kind.OBJECT_TYPE_DEFINITION ? this.types.get(node.name.value) : undefined;
      if (node.kind !== Kind.OBJECT_TYPE_DEFINITION || type === undefined) continue;
      for (const place of [node, ...(node.fields ?? [])])
        edits.push(...this.withoutMappings(place, file.text));
      edits.push(...this.pages(node, type));
      const { end } = spanOf(node);
      edits.push({ start: end, end, text: `\n\n${madeTypes(type)}` });
    }
    return edited(file.text, edits);
  }

  /** Leaves out the directives of mappings, and puts the others on the line of the name. */
  private withoutMappings(node: Annotated, text: string): Edit[] {
    const { directives = [] } = node;
    const last = directives.at(-1);
    if (last === undefined || !directives.some((directive) => this.directives.has(directive))) return [];
    const kept = directives
      .filter((directive) => !this.directives.has(directive))
      .map((directive) => ` ${text.slice(spanOf(directive).start, spanOf(directive).end)}`);
    const before = node.kind === Kind.FIELD_DEFINITION ? node.type : (node.interfaces?.at(-1) ?? node.name);
    return [{ start: spanOf(before).end, end: spanOf(last).end, text: kept.join('') }];
  }

  /** `orders: [Order!] @children(…)` becomes a page with its arguments. */
  private pages(node: ObjectTypeDefinitionNode, type: TypeDeclaration): Edit[] {
    const edits: Edit[] = [];
    for (const field of node.fields ?? []) {
      const declared = type.fields.find(({ name }) => name === field.name.value);
      if (declared?.source.kind !== 'children') continue;
      const child = this.types.get(declared.type);
      if (child === undefined) continue;
      const where = `${type.name}.${declared.name}`;
      if ((field.arguments ?? []).length > 0)
        this.faults.add(field, `${where} has @children, which makes its arguments: leave them out.`);
      const after = spanOf(field.name).end;
      edits.push({ start: after, end: after, text: pageArguments(child) });
      const required = field.type.kind === Kind.NON_NULL_TYPE ? '!' : '';
      edits.push({ ...spanOf(field.type), text: `${child.name}Connection${required}` });
    }
    return edits;
  }
}

function spanOf({ loc }: ASTNode): { start: number; end: number } {
  if (loc === undefined) throw new Error('The SDL was parsed without its places.');
  return { start: loc.start, end: loc.end };
}

/** The outer of two edits hides the inner one. */
function edited(text: string, edits: readonly Edit[]): string {
  let [result, at] = ['', 0];
  for (const { start, end, text: next } of [...edits].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < at) continue;
    result += text.slice(at, start) + next;
    at = end;
  }
  return result + text.slice(at);
}

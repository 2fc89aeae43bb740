import { Kind, parse, type ASTNode, type FieldDefinitionNode, type ObjectTypeDefinitionNode } from 'graphql';
import { checkNames } from './check-names.js';
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

/**
 * Adds to the SDL everything that is made of types with `@table`. Throws for faulty files, and tells all faults with
 * file and line.
 * @param mapping the SDL of the directives that say what is made
 */
export function expandSdl(files: readonly SdlFile[], mapping: string): ExpandedSdl {
  const faults = new SdlFaults();
  const parsed = parseFiles(files, faults);
  const directives = new MappingDirectives(parse(mapping));
  const types = readDeclarations(parsed, directives, faults);
  checkNames(parsed, types, faults);
  faults.check();
  const expander = new Expander(types, directives, faults);
  const sdl = parsed.map((file) => expander.expand(file)).join('\n');
  faults.check();
  return { sdl, types };
}

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
    const edits: Edit[] = [];
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
      const where = `${type.name}.${declared.name}`;
      if (child === undefined) {
        this.faults.add(field, `${where} is a page of ${declared.type}, which has no @table.`);
        continue;
      }
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

function edited(text: string, edits: readonly Edit[]): string {
  let [result, at] = ['', 0];
  for (const { start, end, text: next } of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, start) + next;
    at = end;
  }
  return result + text.slice(at);
}

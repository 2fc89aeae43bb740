import { Kind, type ASTNode, type FieldDefinitionNode, type ObjectTypeDefinitionNode } from 'graphql';
import type { TypeDeclaration } from './declaration.js';
import { checkNames } from './check-names.js';
import { madeTypes, pageArguments } from './made-sdl.js';
import {
  isMapping,
  mappingDirectives,
  parseFiles,
  readDeclarations,
  SdlFaults,
  type ParsedFile,
  type SdlFile,
} from './read-declarations.js';

/** SDL with everything that its mappings say made, and these mappings. */
export interface ExpandedSdl {
  /** Without the directives of mappings. */
  readonly sdl: string;
  readonly types: readonly TypeDeclaration[];
}

/** Makes what the types with `@table` say. Throws for faulty files, and tells all faults with file and line. */
export function expandSdl(files: readonly SdlFile[]): ExpandedSdl {
  const faults = new SdlFaults();
  const parsed = parseFiles(files, faults);
  const types = readDeclarations(parsed, faults);
  checkNames(parsed, types, faults);
  faults.check();
  const byName = new Map(types.map((type) => [type.name, type]));
  const sdl = parsed.map((file) => expandFile(file, byName, faults)).join('\n');
  faults.check();
  return { sdl, types };
}

type Annotated = ObjectTypeDefinitionNode | FieldDefinitionNode;

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Keeps every letter of the file but for what is made or left out. */
function expandFile(
  file: ParsedFile,
  types: ReadonlyMap<string, TypeDeclaration>,
  faults: SdlFaults,
): string {
  const edits: Edit[] = [];
  const drop = (node: ASTNode): void => void edits.push({ ...spanOf(node), text: '' });
  for (const node of file.document.definitions) {
    const isOwn =
      (node.kind === Kind.DIRECTIVE_DEFINITION && mappingDirectives.has(node.name.value)) ||
      ('name' in node && mappingInputs.has(node.name?.value ?? ''));
    if (isOwn) drop(node);
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    const type = types.get(node.name.value);
    if (type === undefined) continue;
    for (const place of [node, ...(node.fields ?? [])]) edits.push(...withoutMappings(place, file.text));
    edits.push(...childEdits(node, type, types, faults));
    const { end } = spanOf(node);
    edits.push({ start: end, end, text: `\n\n${madeTypes(type)}` });
  }
  return edited(file.text, edits);
}

/** Leaves out the directives of mappings, and puts the others on the line of the name. */
function withoutMappings(node: Annotated, text: string): Edit[] {
  const { directives = [] } = node;
  const last = directives.at(-1);
  if (last === undefined || !directives.some(isMapping)) return [];
  const kept = directives
    .filter((directive) => !isMapping(directive))
    .map((directive) => ` ${text.slice(spanOf(directive).start, spanOf(directive).end)}`);
  const before = node.kind === Kind.FIELD_DEFINITION ? node.type : (node.interfaces?.at(-1) ?? node.name);
  return [{ start: spanOf(before).end, end: spanOf(last).end, text: kept.join('') }];
}

/** Inputs and enums that only mappings use. */
const mappingInputs = new Set(['Sorting', 'FilterKind']);

/** `orders: [Order!] @children(…)` becomes a page with its arguments. */
function childEdits(
  node: ObjectTypeDefinitionNode,
  type: TypeDeclaration,
  types: ReadonlyMap<string, TypeDeclaration>,
  faults: SdlFaults,
): Edit[] {
  const edits: Edit[] = [];
  for (const field of node.fields ?? []) {
    const declared = type.fields.find(({ name }) => name === field.name.value);
    if (declared?.source.kind !== 'children') continue;
    const child = types.get(declared.type);
    const where = `${type.name}.${declared.name}`;
    if (child === undefined) {
      faults.add(field, `${where} is a page of ${declared.type}, which has no @table.`);
      continue;
    }
    if ((field.arguments ?? []).length > 0)
      faults.add(field, `${where} has @children, which makes its arguments: leave them out.`);
    const after = spanOf(field.name).end;
    edits.push({ start: after, end: after, text: pageArguments(child) });
    const required = field.type.kind === Kind.NON_NULL_TYPE ? '!' : '';
    edits.push({ ...spanOf(field.type), text: `${child.name}Connection${required}` });
  }
  return edits;
}

const spanOf = (node: ASTNode | FieldDefinitionNode): { start: number; end: number } => ({
  start: node.loc?.start ?? 0,
  end: node.loc?.end ?? 0,
});

function edited(text: string, edits: readonly Edit[]): string {
  let [result, at] = ['', 0];
  for (const { start, end, text: next } of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, start) + next;
    at = end;
  }
  return result + text.slice(at);
}

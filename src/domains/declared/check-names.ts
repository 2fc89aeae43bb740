import { isTypeDefinitionNode, Kind, type ASTNode, type NameNode } from 'graphql';
import { inputName, writings, writtenBy, type TypeDeclaration } from './declaration.js';
import { mutationNames } from './made-mutations.js';
import { madeTypeNames } from './made-sdl.js';
import type { ParsedFile, SdlFaults } from './sdl-files.js';

interface Written {
  readonly node: ASTNode & { readonly name: NameNode };
  readonly isOwn: boolean;
}

/** Tells each generated type, root field and condition whose name something else has already. */
export function checkNames(
  files: readonly ParsedFile[],
  types: readonly TypeDeclaration[],
  faults: SdlFaults,
): void {
  const { nodes, queries, mutations } = writtenNames(files);
  const [madeTypes, madeQueries] = [new Map<string, string>(), new Map<string, string>()];
  for (const type of types) {
    const at = nodes.get(type.name);
    if (at === undefined) continue;
    const check = (name: string, written: Written | undefined, made: Map<string, string>): void => {
      if (written !== undefined) clash(name, type.name, at, written, faults);
      once(made, name, type.name, at.node, faults);
    };
    for (const name of madeTypeNames(type)) check(name, nodes.get(name), madeTypes);
    const { one, list } = type.query;
    for (const name of [one, list, ...type.fields.map(({ find }) => find)])
      if (name !== undefined) check(`Query.${name}`, queries.get(name), madeQueries);
    for (const name of mutationNames(type)) check(`Mutation.${name}`, mutations.get(name), madeQueries);
    for (const writing of writings) {
      const inputs = new Map<string, string>();
      for (const field of writtenBy(type, writing))
        once(inputs, `${type.name}.${inputName(field)}`, field.name, at.node, faults);
    }
    const conditions = new Map<string, string>();
    for (const { filters, name: field } of type.fields)
      for (const { name } of filters) once(conditions, `${type.name}Filter.${name}`, field, at.node, faults);
  }
}

/** Tells references and pages that lead to a type without a table. Of a faulty type, that was told. */
export function checkTargets(
  types: readonly TypeDeclaration[],
  isDefined: (type: string) => boolean,
  faults: SdlFaults,
): void {
  const names = new Set(types.map(({ name }) => name));
  for (const type of types)
    for (const { name, place, source, type: target } of type.fields) {
      if (names.has(target) || !isDefined(target)) continue;
      const how = source.kind === 'children' ? 'is a page of' : 'leads to';
      if (source.kind === 'children' || source.kind === 'reference')
        faults.at(place, `${type.name}.${name} ${how} ${target}, which has no @table.`);
    }
}

/** Told where somebody can mend it: what ships stays. */
function clash(name: string, type: string, at: Written, written: Written, faults: SdlFaults): void {
  const { node } = written;
  const renamed = `${node.name.value}_${String(node.loc?.start)}`;
  if (at.isOwn && !written.isOwn)
    faults.mend(
      at.node,
      `${name} is made of ${type}, and ships already: name yours otherwise.`,
      renamed,
      node.name,
    );
  else faults.mend(node, `${name} is made of ${type}: leave it out.`, renamed, node.name);
}

function once(made: Map<string, string>, name: string, by: string, at: ASTNode, faults: SdlFaults): void {
  const other = made.get(name);
  if (other !== undefined)
    faults.add(at, `${name} is made twice, of ${other} and of ${by}: name one otherwise.`);
  made.set(name, by);
}

function writtenNames(files: readonly ParsedFile[]) {
  const nodes = new Map<string, Written>();
  const queries = new Map<string, Written>();
  const mutations = new Map<string, Written>();
  for (const { document, isOwn = false } of files)
    for (const node of document.definitions) {
      const isType = node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION;
      const root = isType ? { Query: queries, Mutation: mutations }[node.name.value] : undefined;
      if (isType && root !== undefined)
        for (const field of node.fields ?? []) root.set(field.name.value, { node: field, isOwn });
      else if (isTypeDefinitionNode(node)) nodes.set(node.name.value, { node, isOwn });
    }
  return { nodes, queries, mutations };
}

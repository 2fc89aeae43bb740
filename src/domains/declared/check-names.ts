import { isTypeDefinitionNode, Kind, type ASTNode } from 'graphql';
import type { TypeDeclaration } from './declaration.js';
import { madeTypeNames } from './made-sdl.js';
import type { ParsedFile, SdlFaults } from './sdl-files.js';

/** Tells each generated type, root field and condition whose name something else has already. */
export function checkNames(
  files: readonly ParsedFile[],
  types: readonly TypeDeclaration[],
  faults: SdlFaults,
): void {
  const { nodes, queries } = writtenNames(files, faults);
  const [madeTypes, madeQueries] = [new Map<string, string>(), new Map<string, string>()];
  for (const type of types) {
    const at = nodes.get(type.name);
    if (at === undefined) continue;
    for (const name of madeTypeNames(type)) {
      const written = nodes.get(name);
      if (written !== undefined) faults.add(written, `${name} is made of ${type.name}: leave it out.`);
      once(madeTypes, name, type.name, at, faults);
    }
    const { one, list } = type.query;
    for (const name of [one, list, ...type.fields.map(({ find }) => find)]) {
      if (name === undefined) continue;
      const written = queries.get(name);
      if (written !== undefined) faults.add(written, `Query.${name} is made of ${type.name}: leave it out.`);
      once(madeQueries, `Query.${name}`, type.name, at, faults);
    }
    const conditions = new Map<string, string>();
    for (const { filters, name: field } of type.fields)
      for (const { name } of filters) once(conditions, `${type.name}Filter.${name}`, field, at, faults);
  }
}

function once(made: Map<string, string>, name: string, by: string, at: ASTNode, faults: SdlFaults): void {
  const other = made.get(name);
  if (other !== undefined)
    faults.add(at, `${name} is made twice, of ${other} and of ${by}: name one otherwise.`);
  made.set(name, by);
}

function writtenNames(files: readonly ParsedFile[], faults: SdlFaults) {
  const nodes = new Map<string, ASTNode>();
  const queries = new Map<string, ASTNode>();
  for (const node of files.flatMap(({ document }) => document.definitions)) {
    const isType = node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION;
    if (isType && node.name.value === 'Query')
      for (const field of node.fields ?? []) queries.set(field.name.value, field);
    else if (isTypeDefinitionNode(node)) {
      if (nodes.has(node.name.value)) faults.add(node, `${node.name.value} is defined twice.`);
      nodes.set(node.name.value, node);
    }
  }
  return { nodes, queries };
}

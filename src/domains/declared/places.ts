import { isTypeDefinitionNode, isTypeExtensionNode, Kind, type DocumentNode } from 'graphql';
import type { Place } from '../../core/fault.js';
import { argumentOf } from './company-definitions.js';
import { inputName, type TypeDeclaration } from './declaration.js';
import { mutationNames, writtenInputs } from './made-mutations.js';
import { placeOf } from './sdl-files.js';

/** The names of all types, and of the fields of `Query`. */
export const typeNames = (documents: readonly DocumentNode[]): string[] =>
  documents
    .flatMap(({ definitions }) => definitions)
    .filter((node) => isTypeDefinitionNode(node) || isTypeExtensionNode(node))
    .flatMap((node) => {
      const fields = node.name.value === 'Query' && 'fields' in node ? (node.fields ?? []) : [];
      return [node.name.value, ...fields.map(({ name }) => name.value)];
    });

/**
 * Where the files define types, fields, arguments, values and dimensions. Mutations that are made of a type stand where it
 * does, because nothing else has their scopes. What else is made of types stands nowhere.
 */
export class Places {
  private readonly byName = new Map<string, Place>();

  constructor(documents: readonly DocumentNode[], types: readonly TypeDeclaration[]) {
    for (const type of types) {
      for (const name of mutationNames(type)) this.byName.set(`Mutation.${name}`, type.place);
      for (const [input, fields] of writtenInputs(type))
        for (const field of fields) this.byName.set(`${input}.${inputName(field)}`, field.place);
    }
    for (const node of documents.flatMap(({ definitions }) => definitions)) {
      if (node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION)
        for (const directive of node.directives ?? []) {
          const name = argumentOf(directive, 'name');
          if (directive.name.value === 'defineDimension' && name?.kind === Kind.STRING)
            this.byName.set(`dimension ${name.value}`, placeOf(directive));
        }
      if (!isTypeDefinitionNode(node) && !isTypeExtensionNode(node)) continue;
      const type = node.name.value;
      if (isTypeDefinitionNode(node)) this.byName.set(type, placeOf(node));
      for (const value of 'values' in node ? (node.values ?? []) : [])
        this.byName.set(`${type}.${value.name.value}`, placeOf(value));
      for (const field of 'fields' in node ? (node.fields ?? []) : []) {
        const coordinate = `${type}.${field.name.value}`;
        this.byName.set(coordinate, placeOf(field));
        for (const argument of 'arguments' in field ? (field.arguments ?? []) : [])
          this.byName.set(`${coordinate}(${argument.name.value}:)`, placeOf(argument));
      }
    }
  }

  /** The place of `Film`, `Film.title`, `Query.films(by:)`, `dimension store`. */
  of(coordinate: string): Place | undefined {
    return this.byName.get(coordinate);
  }
}

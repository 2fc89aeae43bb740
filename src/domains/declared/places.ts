import { isTypeDefinitionNode, isTypeExtensionNode, Kind, type DocumentNode } from 'graphql';
import { argumentOf } from './company-definitions.js';
import { placeOf } from './sdl-files.js';

/** Where the files define types, fields, arguments, values and dimensions. What is made of types stands nowhere. */
export class Places {
  private readonly byName = new Map<string, string>();

  constructor(documents: readonly DocumentNode[]) {
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

  /** The file and line of `Film`, `Film.title`, `Query.films(by:)`, `dimension store`. */
  of(coordinate: string): string | undefined {
    return this.byName.get(coordinate);
  }
}

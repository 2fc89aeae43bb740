import {
  Kind,
  type FieldDefinitionNode,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
} from 'graphql';
import type { Place } from '../../core/fault.js';
import { parseFiles, placeOf, SdlFaults, type SdlFile } from '../declared/sdl-files.js';

/** A field of a company's SDL, and where its value can come from. */
export interface CodeField {
  /** Such as `Query.overdueRentals`. */
  readonly coordinate: string;
  readonly place: Place;
  /**
   * `required`: only code can give it; `possible`: it is a property of its object unless code gives it; `table`: it comes
   * from its table.
   */
  readonly code: 'required' | 'possible' | 'table';
  /** Whether it is a mutation that callers cannot send again without doing it twice. */
  readonly lacksKey: boolean;
}

type TypeNode = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

/** The fields that are written in these files. Files that cannot be parsed have none. */
export const codeFields = (files: readonly SdlFile[]): CodeField[] =>
  parseFiles(files, new SdlFaults())
    .flatMap(({ document }) => document.definitions)
    .filter((node) => node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION)
    .flatMap((type) =>
      (type.fields ?? []).map((field) => ({
        coordinate: `${type.name.value}.${field.name.value}`,
        place: placeOf(field),
        code: originOf(type, field),
        lacksKey: type.name.value === 'Mutation' && !takesKey(field),
      })),
    );

function originOf(type: TypeNode, field: FieldDefinitionNode): CodeField['code'] {
  if (['Query', 'Mutation'].includes(type.name.value) || has(field, 'code')) return 'required';
  return has(type, 'table') ? 'table' : 'possible';
}

const has = ({ directives = [] }: TypeNode | FieldDefinitionNode, name: string): boolean =>
  directives.some((directive) => directive.name.value === name);

const takesKey = (field: FieldDefinitionNode): boolean =>
  (field.arguments ?? []).some(
    ({ name, type }) =>
      name.value === 'idempotencyKey' &&
      type.kind === Kind.NON_NULL_TYPE &&
      type.type.kind === Kind.NAMED_TYPE &&
      type.type.name.value === 'String',
  );

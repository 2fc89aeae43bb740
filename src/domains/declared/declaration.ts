import type { Place } from '../../core/fault.js';
import type { Scope } from '../../authority/scope.js';

export type FilterKind = 'EQUALS' | 'ONE_OF' | 'STARTS_WITH' | 'FROM' | 'BEFORE' | 'AT_LEAST' | 'AT_MOST';

/** A condition that is made from a field. */
export interface FilterDeclaration {
  readonly by: FilterKind;
  /** Its name in the filter. */
  readonly name: string;
  readonly description: string;
}

/** Where a field's value comes from. Columns have the database's names. */
export type FieldSource =
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'money'; readonly minor: string; readonly currency: string }
  | { readonly kind: 'reference'; readonly column: readonly string[] }
  | { readonly kind: 'children'; readonly column: readonly string[] }
  | { readonly kind: 'version'; readonly column: string | undefined }
  | { readonly kind: 'code' };

export const writings = ['CREATE', 'UPDATE'] as const;
export type Writing = (typeof writings)[number];

/** How callers write a field. */
export interface FieldWriting {
  readonly on: readonly Writing[];
  /** Whether a new row needs it. */
  readonly isRequired: boolean;
  /** Needed beside the mutation's scope. */
  readonly scope: Scope | undefined;
}

/** A mutation that is made of a type. */
export interface WriteDeclaration {
  readonly mutation: string;
  readonly scope: Scope;
}

export interface WriteDeclarations {
  readonly create?: WriteDeclaration | undefined;
  readonly update?: WriteDeclaration | undefined;
  readonly delete?: WriteDeclaration | undefined;
}

export interface FieldDeclaration {
  readonly name: string;
  /** Where it is declared, for faults. */
  readonly place: Place;
  /** The named type, such as `String` or `Order`. */
  readonly type: string;
  /** Whether it is never null. */
  readonly isRequired: boolean;
  readonly scope: Scope;
  readonly isPersonal: boolean;
  /** The words for it in descriptions. */
  readonly one: string;
  readonly source: FieldSource;
  readonly filters: readonly FilterDeclaration[];
  /** The description of the order that is made from it. Undefined: callers cannot sort by it. */
  readonly sort: string | undefined;
  /** The root field that finds a row by this field. */
  readonly find: string | undefined;
  /** Undefined: no caller writes it. */
  readonly writing: FieldWriting | undefined;
}

/** A condition that all rows of a type fulfil. */
export interface ConstantCondition {
  readonly column: string;
  readonly isNull?: boolean | undefined;
  readonly equals?: string | undefined;
  readonly oneOf?: readonly string[] | undefined;
}

/** A type with `@table`: everything that is made of it follows from this. */
export interface TypeDeclaration {
  readonly name: string;
  /** Where it is declared, for faults. */
  readonly place: Place;
  readonly table: string;
  /** The columns that name a row, where the table does not say so itself. */
  readonly key: readonly string[] | undefined;
  /** Rows that do not fulfil all of these are not there. */
  readonly where: readonly ConstantCondition[];
  /** The scope by which its rows are there. */
  readonly scope: Scope;
  /** The words for one row and for many in descriptions. */
  readonly one: string;
  readonly many: string;
  readonly order: { readonly by: string; readonly direction: 'ASC' | 'DESC' };
  /** The root fields for one row by its id and for the list. */
  readonly query: { readonly one: string | undefined; readonly list: string | undefined };
  /** The paths of its boundaries. */
  readonly bounds: readonly string[];
  readonly writes: WriteDeclarations;
  readonly fields: readonly FieldDeclaration[];
  /** The names of fields whose own directives are faulty. Nothing is made of them. */
  readonly faulty: readonly string[];
}

/** The fields that a mutation of the type writes. */
export const writtenBy = (type: TypeDeclaration, writing: Writing): WritableField[] =>
  type.fields.filter((field): field is WritableField => field.writing?.on.includes(writing) === true);

export type WritableField = FieldDeclaration & { readonly writing: FieldWriting };

/** The name of a field in the inputs of mutations: a reference is written by the other row's id. */
export const inputName = ({ name, source }: FieldDeclaration): string =>
  source.kind === 'reference' ? `${name}Id` : name;

/** Whether callers can filter the type's lists. */
export const isFiltered = (type: TypeDeclaration): boolean =>
  type.fields.some(({ filters }) => filters.length > 0);

/** Whether callers can sort the type's lists. */
export const isSorted = (type: TypeDeclaration): boolean =>
  type.fields.some(({ sort }) => sort !== undefined);

/** The columns of the type's own table that hold a field. */
export function columnsOfSource(source: FieldSource): readonly string[] {
  switch (source.kind) {
    case 'column':
      return [source.column];
    case 'money':
      return [source.minor, source.currency];
    case 'reference':
      return source.column;
    case 'version':
      return source.column === undefined ? [] : [source.column];
    case 'children':
    case 'code':
      return [];
  }
}

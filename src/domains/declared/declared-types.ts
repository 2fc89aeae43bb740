import { columnOf, type AnyTable, type Table } from '../../store/tables/table.js';
import type { TypeDeclaration } from './declaration.js';
import type { Row } from './list-query.js';

/** The types that the SDL declares, and the tables and enums that they may use. */
export interface DeclaredParts {
  readonly types: readonly TypeDeclaration[];
  readonly tables: readonly AnyTable[];
  /** Tables that no other domain has. */
  readonly foreign?: readonly AnyTable[];
  /** The names of the schema's enums. Their values are stored in small letters. */
  readonly enums: ReadonlySet<string>;
}

/** A declared type with its table. */
export interface DeclaredType {
  readonly type: TypeDeclaration;
  readonly table: Table<Row>;
}

/** The declared types by their names. A type whose table is missing, or belongs to another type, is left out. */
export function declaredTypes(parts: DeclaredParts): Map<string, DeclaredType> {
  const byName = tablesByName(parts);
  return new Map(
    parts.types.flatMap((type) => {
      const table = byName.get(type.table) as unknown as Table<Row> | undefined;
      return table?.type === type.name ? [[type.name, { type, table }] as const] : [];
    }),
  );
}

export const tablesByName = ({ tables, foreign = [] }: DeclaredParts): Map<string, AnyTable> =>
  new Map([...tables, ...foreign].map((table) => [table.name, table]));

/** The property of a column of the table. Undefined where the table has no such column. */
export const propertyIn = ({ columns }: AnyTable, column: string): string | undefined =>
  Object.keys(columns).find((property) => columnOf(property) === column);

import { foreignTable, propertyOf } from '../../store/tables/foreign-table.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import type { AnyTable, PathStep } from '../../store/tables/table.js';
import type { TypeDeclaration } from './declaration.js';

/** The tables that types declare and no domain has. */
export const foreignNames = (types: readonly TypeDeclaration[], own: readonly AnyTable[]): string[] => {
  const known = new Set(own.map(({ name }) => name));
  return [...new Set(types.map(({ table }) => table))].filter((name) => !known.has(name));
};

/**
 * Tables of others, as the database describes them. In paths of boundaries, names are fields of the type or columns of
 * its table. A type whose table is missing has none here.
 */
export function foreignTables(
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
): AnyTable[] {
  const byName = new Map(descriptions.map((one) => [one.name, one]));
  const made = new Map<string, { readonly table: AnyTable; readonly paths: Map<string, PathStep> }>();
  for (const type of types) {
    const description = byName.get(type.table);
    if (description === undefined) continue;
    const paths = new Map<string, PathStep>();
    made.set(type.name, { table: foreignTable(type.name, description, paths), paths });
  }
  for (const type of types) {
    const { table, paths } = made.get(type.name) ?? {};
    if (table === undefined || paths === undefined) continue;
    for (const property of Object.keys(table.columns)) paths.set(property.slice(1), { property });
    for (const { name, source, type: to } of type.fields) {
      const target = made.get(to)?.table;
      if (source.kind === 'column') paths.set(name, { property: propertyOf(source.column) });
      if (source.kind === 'reference' && target !== undefined)
        paths.set(name, { properties: source.column.map(propertyOf), to: target });
    }
  }
  return [...made.values()].map(({ table }) => table);
}

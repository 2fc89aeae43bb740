import type { Dialect } from '../../store/tables/dialect.js';
import { foreignTable, keyOf, propertyOf } from '../../store/tables/foreign-table.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import { isOwnTable, type AnyTable, type PathStep } from '../../store/tables/table.js';
import { constantsOf } from './constant-conditions.js';
import type { TypeDeclaration } from './declaration.js';
import { namedColumns } from './named-columns.js';

/** The tables of others that types declare. */
export const foreignNames = (types: readonly TypeDeclaration[]): string[] =>
  [...new Set(types.map(({ table }) => table))].filter((name) => !isOwnTable(name));

/**
 * Tables of others, as the database describes them. In paths of boundaries, names are fields of the type or columns of
 * its table. A type whose table is missing has none here.
 */
export function foreignTables(
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
  dialect: Dialect,
): AnyTable[] {
  const byName = new Map(descriptions.map((one) => [one.name, one]));
  const named = namedColumns(types, descriptions, dialect);
  const made = new Map<string, { readonly table: AnyTable; readonly paths: Map<string, PathStep> }>();
  for (const type of types) {
    const description = byName.get(type.table);
    if (description === undefined) continue;
    const paths = new Map<string, PathStep>();
    const { columns: key = [] } = keyOf(description, type.key, dialect);
    const read = namedAlone(withNumbers(type, description), named.get(type.table));
    const table = foreignTable(type.name, read, key, paths, dialect);
    const { within } = constantsOf(table, type.where, dialect);
    made.set(type.name, { table: within === undefined ? table : { ...table, within }, paths });
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
      if (source.kind === 'children' && target !== undefined)
        paths.set(name, {
          properties: source.column.map(propertyOf),
          from: target,
          collected: collected[dialect],
        });
    }
  }
  return [...made.values()].map(({ table }) => table);
}

/** The table without columns that no type names: a change keeps what it reads for its answer. */
const namedAlone = (table: TableDescription, names: ReadonlySet<string> = new Set()): TableDescription => ({
  ...table,
  columns: table.columns.filter(({ name }) => names.has(name)),
});

/** A list of values as JSON. */
const collected: Readonly<Record<Dialect, (expression: string) => string>> = {
  mysql: (expression) => `CAST(JSON_ARRAYAGG(${expression}) AS CHAR)`,
  sqlite: (expression) => `json_group_array(${expression})`,
};

/** A truth value that a field of the type shows as a number is one. */
function withNumbers(type: TypeDeclaration, description: TableDescription): TableDescription {
  const numbers = new Set(
    type.fields.flatMap(({ source, type: of }) =>
      source.kind === 'column' && of === 'Int' ? [source.column] : [],
    ),
  );
  const columns = description.columns.map((column) =>
    numbers.has(column.name) ? { ...column, isTruth: false } : column,
  );
  return { ...description, columns };
}

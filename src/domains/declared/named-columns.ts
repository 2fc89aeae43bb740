import type { Dialect } from '../../store/tables/dialect.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import { keyOf } from '../../store/tables/foreign-table.js';
import { columnsOfSource, type TypeDeclaration } from './declaration.js';

/**
 * By table, the columns that types name: the key, values, references from it and to it, conditions, and the steps of
 * boundaries. No others are ever read.
 */
export function namedColumns(
  types: readonly TypeDeclaration[],
  tables: readonly TableDescription[],
  dialect: Dialect,
): ReadonlyMap<string, ReadonlySet<string>> {
  const columns = new Map(tables.map(({ name }) => [name, new Set<string>()]));
  const byName = new Map(types.map((type) => [type.name, type]));
  for (const type of types) {
    const own = columns.get(type.table);
    const table = tables.find(({ name }) => name === type.table);
    const key = table === undefined ? [] : (keyOf(table, type.key, dialect).columns ?? []);
    for (const column of [...key, ...type.where.map((one) => one.column)]) own?.add(column);
    for (const { name, source, type: to } of type.fields) {
      if (name !== 'id') for (const column of columnsOfSource(source)) own?.add(column);
      const child = columns.get(byName.get(to)?.table ?? '');
      if (source.kind === 'children') for (const column of source.column) child?.add(column);
    }
    for (const path of type.bounds) addPath(type, path.split('.'), byName, columns);
  }
  return columns;
}

/** Adds the columns that a boundary's path reads. A field goes before a column of its name. */
function addPath(
  type: TypeDeclaration,
  [head = '', ...rest]: readonly string[],
  types: ReadonlyMap<string, TypeDeclaration>,
  columns: ReadonlyMap<string, Set<string>>,
): void {
  const field = type.fields.find(({ name }) => name === head);
  const own = columns.get(type.table);
  if (field?.source.kind === 'reference') {
    for (const column of field.source.column) own?.add(column);
    const next = types.get(field.type);
    if (next !== undefined) addPath(next, rest, types, columns);
  } else if (field?.source.kind === 'children') {
    const next = types.get(field.type);
    if (next !== undefined) addPath(next, rest, types, columns);
  } else own?.add(field?.source.kind === 'column' ? field.source.column : head);
}

import { faultText, type Fault } from '../core/fault.js';
import type { RowDeclaration } from '../store/bounded/row-types.js';
import type { TableDescription } from '../store/sql/describe-tables.js';
import type { FieldDeclaration, TypeDeclaration } from '../domains/declared/declaration.js';

/** The words that tell people how a list uses a column. */
type Use = 'sorted' | 'filtered' | 'followed to its children' | 'a boundary';

/**
 * Columns by which lists of a type are sorted, filtered, bounded or followed, and that no index begins with: the database
 * would read the whole table. Each is told with the file and line that asks for it.
 */
export function missingIndexes(
  types: readonly TypeDeclaration[],
  tables: readonly TableDescription[],
  rows: readonly RowDeclaration[],
): string[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const typeNames = new Map(types.map((type) => [type.name, type]));
  const told = new Set<string>();
  const warnings: string[] = [];
  const need = ({ place }: Pick<Fault, 'place'>, table: string, column: string, use: Use): void => {
    const described = byName.get(table);
    if (
      described === undefined ||
      described.isView ||
      told.has(`${table}.${column}`) ||
      isIndexed(described, column, use)
    )
      return;
    told.add(`${table}.${column}`);
    warnings.push(
      faultText({ place, message: `${table}.${column} is ${use}, and no index begins with it.` }),
    );
  };
  for (const type of types) {
    for (const field of type.fields) {
      const { source } = field;
      if (source.kind === 'column' && field.sort !== undefined)
        need(field, type.table, source.column, 'sorted');
      if (source.kind === 'column' && field.filters.length > 0)
        need(field, type.table, source.column, 'filtered');
      if (source.kind === 'children')
        need(
          field,
          typeNames.get(field.type)?.table ?? '',
          source.column[0] ?? '',
          'followed to its children',
        );
    }
    const order = type.fields.find(({ name }) => name === type.order.by);
    if (order?.source.kind === 'column') need(order, type.table, order.source.column, 'sorted');
    for (const path of rows.find((row) => row.type === type.name)?.bounds.values() ?? [])
      if (!isOverChildren(type.fields, path))
        need(type, type.table, firstColumn(type.fields, path), 'a boundary');
  }
  return warnings;
}

const isIndexed = (
  { indexes, prefixIndexes, primaryKey }: TableDescription,
  column: string,
  use: Use,
): boolean =>
  [primaryKey, ...indexes].some(([first]) => first === column) ||
  (use !== 'sorted' && prefixIndexes.includes(column));

/** The children's own column is told where the field is. */
const isOverChildren = (fields: readonly FieldDeclaration[], path: string): boolean =>
  fields.some(({ name, source }) => source.kind === 'children' && path.startsWith(`${name}.`));

/** The column of the table with which a boundary's path begins. */
function firstColumn(fields: readonly FieldDeclaration[], path: string): string {
  const [name = ''] = path.split('.');
  const source = fields.find((field) => field.name === name)?.source;
  if (source?.kind === 'column') return source.column;
  return source?.kind === 'reference' ? (source.column[0] ?? name) : name;
}

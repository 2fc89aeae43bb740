import type { Fault } from '../../core/fault.js';
import type { RowDeclaration } from '../../store/bounded/row-types.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import type { Column } from '../../store/tables/column.js';
import type { Dialect } from '../../store/tables/dialect.js';
import { usesOf } from '../../store/tables/foreign-kinds.js';
import { keyOf, propertyOf } from '../../store/tables/foreign-table.js';
import { columnOf, type AnyTable } from '../../store/tables/table.js';
import { constantsOf } from './constant-conditions.js';
import type { FieldDeclaration, TypeDeclaration } from './declaration.js';

/**
 * The declarations that tables of others cannot serve: a key that does not name rows, a field of another type than its
 * column, or a filter, an order or a boundary over a column that compares inexactly.
 */
export function foreignFaults(
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
  tables: readonly AnyTable[],
  rows: readonly RowDeclaration[],
  dialect: Dialect,
): Fault[] {
  return types.flatMap((type) => {
    const table = tables.find((one) => one.type === type.name);
    const description = descriptions.find(({ name }) => name === type.table);
    if (table === undefined || description === undefined) return [];
    const bounds = rows.find((row) => row.type === type.name)?.bounds ?? new Map<string, string>();
    return [
      ...at(type, [
        ...keyFaults(type, description, dialect),
        ...constantsOf(table, type.where, dialect).faults.map(
          (constant) => `${type.name} has a condition on ${constant}.`,
        ),
      ]),
      ...type.fields.flatMap((field) => at(field, fieldFaults(type, field, table, tables))),
      ...at(type, boundFaults(type, table, bounds, types)),
    ];
  });
}

const at = ({ place }: Pick<Fault, 'place'>, messages: readonly string[]): Fault[] =>
  messages.map((message) => ({ place, message }));

function keyFaults(
  { name, table, key }: TypeDeclaration,
  description: TableDescription,
  dialect: Dialect,
): string[] {
  const { fault } = keyOf(description, key, dialect);
  return fault === undefined ? [] : [`${name} cannot be over ${table}: ${fault}.`];
}

function boundFaults(
  type: TypeDeclaration,
  table: AnyTable,
  bounds: ReadonlyMap<string, string>,
  types: readonly TypeDeclaration[],
): string[] {
  return [...bounds].flatMap(([dimension, path]) => {
    const end = endOf(type, table, path.split('.'), types);
    const where = `${type.name} has the dimension ${dimension} `;
    if (end === undefined) return [];
    if (typeof end === 'string') return [`${where}at the path ${path}, which leads nowhere: ${end}.`];
    return usesOf(end).isDimension ? [] : [`${where}in a column that compares inexactly: ${path}.`];
  });
}

function fieldFaults(
  type: TypeDeclaration,
  field: FieldDeclaration,
  table: AnyTable,
  tables: readonly AnyTable[],
): string[] {
  const { source } = field;
  const name = `${type.name}.${field.name}`;
  switch (source.kind) {
    case 'money':
      return [`${name} has @money, which tables of others cannot have yet.`];
    case 'reference':
      return referenceFaults(name, field, table);
    case 'children':
      return childrenFaults(name, field, source.column, table, tables);
    case 'column':
      return field.name === 'id' ? [] : columnFaults(type, field, source.column, table);
    case 'version':
    case 'code':
      return [];
  }
}

function columnFaults(
  type: TypeDeclaration,
  field: FieldDeclaration,
  name: string,
  table: AnyTable,
): string[] {
  const column = table.columns[propertyOf(name)];
  if (column === undefined) return [];
  const [coordinate, where] = [`${type.name}.${field.name}`, `${table.name}.${name}`];
  const uses = usesOf(column);
  const faults: string[] = [];
  if (!uses.types.includes(field.type))
    faults.push(
      `${coordinate} is of the type ${field.type}, and ${where} is read as ${uses.types.join(' or ')}.`,
    );
  // SQLite says that a row's number may be missing.
  const isKey = table.primaryKey.includes(propertyOf(name));
  if (field.isRequired && column.nullable && !isKey)
    faults.push(`${coordinate} is never null, and ${where} may be: write ${field.type} without \`!\`.`);
  for (const { by } of field.filters)
    if (!uses.filters.includes(by))
      faults.push(`${coordinate} cannot be compared by ${by}: ${where} compares inexactly.`);
  if (field.find !== undefined && !uses.filters.includes('EQUALS'))
    faults.push(`${coordinate} cannot find a row: ${where} compares inexactly.`);
  const isSorted = field.sort !== undefined || type.order.by === field.name;
  if (isSorted && !uses.isSorted)
    faults.push(`${coordinate} cannot be sorted by: ${where} is sorted otherwise than it compares.`);
  return faults;
}

/** Columns that refer to a key hold the same kind of values. */
function referenceFaults(coordinate: string, field: FieldDeclaration, table: AnyTable): string[] {
  const step = table.paths?.get(field.name);
  if (step === undefined || !('to' in step)) return [];
  return isAlike(table, step.properties.map(columnOf), step.to)
    ? []
    : [`${coordinate} refers to ${step.to.name} by columns of another kind than its key.`];
}

function childrenFaults(
  coordinate: string,
  field: FieldDeclaration,
  columns: readonly string[],
  table: AnyTable,
  tables: readonly AnyTable[],
): string[] {
  const child = tables.find((one) => one.type === field.type);
  return child === undefined || isAlike(child, columns, table)
    ? []
    : [`${coordinate} is linked by columns of another kind than the key of ${table.name}.`];
}

const integers: ReadonlySet<string> = new Set(['int', 'bigint']);
const texts: ReadonlySet<string> = new Set(['text', 'longtext', 'label']);

/** Whether these columns hold values of the same kind as the key of the table to which they refer. */
const isAlike = (table: AnyTable, columns: readonly string[], to: AnyTable): boolean =>
  columns.length !== to.key?.columns.length ||
  columns.every((column, at) => {
    const [mine, theirs] = [table.columns[propertyOf(column)], to.columns[to.key?.columns[at] ?? '']];
    // `tableFaults` reports a missing column.
    if (mine === undefined) return true;
    if (theirs === undefined) return false;
    const isBoth = (kinds: ReadonlySet<string>): boolean => kinds.has(mine.kind) && kinds.has(theirs.kind);
    return isBoth(integers) || isBoth(texts) || (mine.kind === theirs.kind && mine.scale === theirs.scale);
  });

/**
 * The column to which a path leads, or why it leads nowhere. Undefined where another fault, which is reported elsewhere,
 * is in the way.
 */
function endOf(
  type: TypeDeclaration,
  table: AnyTable,
  [head = '', ...rest]: readonly string[],
  types: readonly TypeDeclaration[],
): Column<unknown> | string | undefined {
  const step = table.paths?.get(head);
  const field = type.fields.find(({ name }) => name === head);
  if (step === undefined)
    return type.faulty.includes(head) || field?.source.kind === 'reference'
      ? undefined
      : `${type.name} has no field and ${table.name} no column ${head}`;
  if ('property' in step) {
    if (rest.length > 0) return `${head} is no reference to a row`;
    // A field whose column is missing.
    return table.columns[step.property];
  }
  const to = 'to' in step ? step.to : step.from;
  const next = types.find(({ name }) => name === to.type);
  if (rest.length === 0) return `${head} is a row; go on to a column of it`;
  return next === undefined ? undefined : endOf(next, to, rest, types);
}

import type { Dialect } from '../../store/tables/dialect.js';
import { usesOf } from '../../store/tables/foreign-kinds.js';
import { foreignTable, keyOf, propertyOf } from '../../store/tables/foreign-table.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import type { RowDeclaration } from '../../store/bounded/row-types.js';
import type { Column } from '../../store/tables/column.js';
import { columnOf, isOwnTable, type AnyTable, type PathStep } from '../../store/tables/table.js';
import { constantsOf } from './constant-conditions.js';
import type { FieldDeclaration, TypeDeclaration } from './declaration.js';
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

/**
 * What types ask of tables of others that cannot be had, each with file and line: a key that does not name rows, a field
 * of another type than its column, or a filter, an order or a boundary over a column that compares inexactly.
 */
export function foreignFaults(
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
  tables: readonly AnyTable[],
  rows: readonly RowDeclaration[],
  dialect: Dialect,
): string[] {
  const faults: string[] = [];
  for (const type of types) {
    const table = tables.find((one) => one.type === type.name);
    const description = descriptions.find(({ name }) => name === type.table);
    if (table === undefined || description === undefined) continue;
    const { fault } = keyOf(description, type.key, dialect);
    if (fault !== undefined)
      faults.push(`${type.place}: ${type.name} cannot be over ${type.table}: ${fault}.`);
    for (const constant of constantsOf(table, type.where, dialect).faults)
      faults.push(`${type.place}: ${type.name} has a condition on ${constant}.`);
    for (const field of type.fields) {
      faults.push(...fieldFaults(type, field, table));
      if (field.source.kind === 'children')
        faults.push(...childrenFaults(type, field, field.source.column, table, tables));
    }
    for (const [dimension, path] of rows.find((row) => row.type === type.name)?.bounds ?? []) {
      const end = endOf(type, table, path.split('.'), types);
      const where = `${type.place}: ${type.name} has the dimension ${dimension} `;
      if (end === undefined) continue;
      if (typeof end === 'string') faults.push(`${where}at the path ${path}, which leads nowhere: ${end}.`);
      else if (!usesOf(end).isDimension) faults.push(`${where}in a column that compares inexactly: ${path}.`);
    }
  }
  return faults;
}

function fieldFaults(type: TypeDeclaration, field: FieldDeclaration, table: AnyTable): string[] {
  const { source, place } = field;
  const name = `${type.name}.${field.name}`;
  if (source.kind === 'money')
    return [`${place}: ${name} has @money, which tables of others cannot have yet.`];
  if (source.kind === 'reference') return referenceFaults(name, field, table);
  if (source.kind !== 'column' || field.name === 'id') return [];
  const column = table.columns[propertyOf(source.column)];
  if (column === undefined) return [];
  const uses = usesOf(column);
  const faults: string[] = [];
  if (!uses.types.includes(field.type))
    faults.push(
      `${place}: ${name} is of the type ${field.type}, and ${table.name}.${source.column} is read as ${uses.types.join(' or ')}.`,
    );
  // SQLite tells of a row's number that it may be missing.
  const isKey = table.primaryKey.includes(propertyOf(source.column));
  if (field.isRequired && column.nullable && !isKey)
    faults.push(
      `${place}: ${name} is never null, and ${table.name}.${source.column} may be: write ${field.type} without \`!\`.`,
    );
  for (const { by } of field.filters)
    if (!uses.filters.includes(by))
      faults.push(
        `${place}: ${name} cannot be compared by ${by}: ${table.name}.${source.column} compares inexactly.`,
      );
  if (field.find !== undefined && !uses.filters.includes('EQUALS'))
    faults.push(`${place}: ${name} cannot find a row: ${table.name}.${source.column} compares inexactly.`);
  const isSorted = field.sort !== undefined || type.order.by === field.name;
  if (isSorted && !uses.isSorted)
    faults.push(
      `${place}: ${name} cannot be sorted by: ${table.name}.${source.column} is sorted otherwise than it compares.`,
    );
  return faults;
}

/** Columns that refer to a key hold the same kind of values. */
function referenceFaults(name: string, field: FieldDeclaration, table: AnyTable): string[] {
  const step = table.paths?.get(field.name);
  if (step === undefined || !('to' in step)) return [];
  return isAlike(table, step.properties.map(columnOf), step.to)
    ? []
    : [`${field.place}: ${name} refers to ${step.to.name} by columns of another kind than its key.`];
}

function childrenFaults(
  type: TypeDeclaration,
  field: FieldDeclaration,
  columns: readonly string[],
  table: AnyTable,
  tables: readonly AnyTable[],
): string[] {
  const child = tables.find((one) => one.type === field.type);
  if (child === undefined || isAlike(child, columns, table)) return [];
  return [
    `${field.place}: ${type.name}.${field.name} is linked by columns of another kind than the key of ${table.name}.`,
  ];
}

const integers: ReadonlySet<string> = new Set(['int', 'bigint']);
const texts: ReadonlySet<string> = new Set(['text', 'longtext', 'label']);

/** Whether these columns hold values of the same kind as the key of the table to which they refer. */
const isAlike = (table: AnyTable, columns: readonly string[], to: AnyTable): boolean =>
  columns.length !== to.key?.columns.length ||
  columns.every((column, at) => {
    const [mine, theirs] = [table.columns[propertyOf(column)], to.columns[to.key?.columns[at] ?? '']];
    // Told where the column is looked for.
    if (mine === undefined) return true;
    if (theirs === undefined) return false;
    const isBoth = (kinds: ReadonlySet<string>): boolean => kinds.has(mine.kind) && kinds.has(theirs.kind);
    return isBoth(integers) || isBoth(texts) || (mine.kind === theirs.kind && mine.scale === theirs.scale);
  });

/**
 * The column to which a path leads, or why it leads nowhere. Undefined where a fault is in the way that is told
 * elsewhere.
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

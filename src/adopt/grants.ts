import type { TypeDeclaration } from '../domains/declared/declaration.js';
import type { TableDescription } from '../store/sql/describe-tables.js';
import { keyOf } from '../store/tables/foreign-table.js';
import type { RowDeclaration } from '../store/bounded/row-types.js';

export interface GrantParts {
  readonly types: readonly TypeDeclaration[];
  /** The tables of the types that are not Behalf's own. */
  readonly tables: readonly TableDescription[];
  readonly rows: readonly RowDeclaration[];
  /** Behalf's own tables. */
  readonly own: readonly string[];
  /** The database's name. */
  readonly database: string;
  /** The account, such as `'behalf'@'%'`. */
  readonly account: string;
}

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** The least rights that a server needs, as statements of MySQL: of the company's tables, reading the columns that types name. */
export function grantStatements({ types, tables, rows, own, database, account }: GrantParts): string[] {
  const columns = columnsOf(types, tables, rows);
  const on = (table: string): string => `ON ${quoted(database)}.${quoted(table)} TO ${account};`;
  return [
    ...own.map((table) => `GRANT SELECT, INSERT, UPDATE, DELETE ${on(table)}`),
    ...tables.map(
      ({ name }) => `GRANT SELECT (${[...(columns.get(name) ?? [])].map(quoted).join(', ')}) ${on(name)}`,
    ),
  ];
}

/** By table, the columns that its type reads: the key, values, references from it and to it, and steps of boundaries. */
function columnsOf(
  types: readonly TypeDeclaration[],
  tables: readonly TableDescription[],
  rows: readonly RowDeclaration[],
): Map<string, Set<string>> {
  const columns = new Map(tables.map(({ name }) => [name, new Set<string>()]));
  const byName = new Map(types.map((type) => [type.name, type]));
  for (const type of types) {
    const table = tables.find(({ name }) => name === type.table);
    const key = table === undefined ? [] : (keyOf(table, type.key, 'mysql').columns ?? []);
    for (const column of [...key, ...type.where.map((one) => one.column)])
      columns.get(type.table)?.add(column);
    for (const { name, source, type: to } of type.fields) {
      const own = columns.get(type.table);
      if (source.kind === 'column' && name !== 'id') own?.add(source.column);
      if (source.kind === 'money') for (const column of [source.minor, source.currency]) own?.add(column);
      if (source.kind === 'reference') for (const column of source.column) own?.add(column);
      const child = columns.get(byName.get(to)?.table ?? '');
      if (source.kind === 'children') for (const column of source.column) child?.add(column);
    }
    for (const path of rows.find((row) => row.type === type.name)?.bounds.values() ?? [])
      addPath(type, path.split('.'), byName, columns);
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
  const field = type.fields.find(({ name, source }) => name === head && source.kind !== 'children');
  const own = columns.get(type.table);
  if (field?.source.kind === 'reference') {
    for (const column of field.source.column) own?.add(column);
    const next = types.get(field.type);
    if (next !== undefined) addPath(next, rest, types, columns);
  } else own?.add(field?.source.kind === 'column' ? field.source.column : head);
}

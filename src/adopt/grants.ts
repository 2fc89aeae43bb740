import {
  columnsOfSource,
  writtenBy,
  type TypeDeclaration,
  type Writing,
} from '../domains/declared/declaration.js';
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
    ...tables.map(({ name }) => {
      const type = types.find(({ table }) => table === name);
      const writing = type === undefined ? [] : writingRights(type);
      return `GRANT ${[rightOn('SELECT', columns.get(name) ?? new Set()), ...writing].join(', ')} ${on(name)}`;
    }),
  ];
}

const rightOn = (right: string, columns: Iterable<string>): string =>
  `${right} (${[...columns].map(quoted).join(', ')})`;

/** The rights to write what callers of the type's mutations write. */
function writingRights(type: TypeDeclaration): string[] {
  const { create, update, delete: remove } = type.writes;
  const written = (writing: Writing): string[] =>
    writtenBy(type, writing).flatMap((field) => columnsOfSource(field.source));
  const counted = type.fields.flatMap(({ source }) =>
    source.kind === 'version' && source.column !== undefined ? [source.column] : [],
  );
  return [
    ...(create === undefined ? [] : [rightOn('INSERT', written('CREATE'))]),
    ...(update === undefined ? [] : [rightOn('UPDATE', [...written('UPDATE'), ...counted])]),
    ...(remove === undefined ? [] : ['DELETE']),
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
      if (name !== 'id') for (const column of columnsOfSource(source)) own?.add(column);
      if (source.kind === 'version' && source.column !== undefined) own?.add(source.column);
      if (source.kind === 'money') for (const column of [source.minor, source.currency]) own?.add(column);
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

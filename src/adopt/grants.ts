import {
  columnsOfSource,
  writtenBy,
  type TypeDeclaration,
  type Writing,
} from '../domains/declared/declaration.js';
import { namedColumns } from '../domains/declared/named-columns.js';
import type { TableDescription } from '../store/sql/describe-tables.js';

interface GrantParts {
  readonly types: readonly TypeDeclaration[];
  /** The tables of the types that are not Behalf's own. */
  readonly tables: readonly TableDescription[];
  /** Behalf's own tables. */
  readonly own: readonly string[];
  /** The database's name. */
  readonly database: string;
  /** The account, such as `'behalf'@'%'`. */
  readonly account: string;
}

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** The least rights that a server needs, as statements of MySQL: of the company's tables, reading the columns that types name. */
export function grantStatements({ types, tables, own, database, account }: GrantParts): string[] {
  const columns = namedColumns(types, tables, 'mysql');
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
  const counted = type.fields
    .filter(({ source }) => source.kind === 'version')
    .flatMap(({ source }) => columnsOfSource(source));
  return [
    ...(create === undefined ? [] : [rightOn('INSERT', written('CREATE'))]),
    ...(update === undefined ? [] : [rightOn('UPDATE', [...written('UPDATE'), ...counted])]),
    ...(remove === undefined ? [] : ['DELETE']),
  ];
}

import type { TableDescription } from '../../store/sql/describe-tables.js';
import { propertyOf } from '../../store/tables/foreign-table.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { TypeDeclaration } from '../declared/declaration.js';

/** The table of a company's type, as code writes it. */
export interface OwnTable {
  readonly table: AnyTable;
  /** The property in which a row counts its changes, so that callers who wait for a version learn of those by code. */
  readonly counted: string | undefined;
  /** Properties that stay as they are in a row, each with the reason. */
  readonly fixed: ReadonlyMap<string, string>;
  /** The table's engine, where it has no transactions, so that nobody writes rows. */
  readonly engineWithoutTransactions: string | undefined;
}

/** @param description of its table; undefined where the database has none */
export function ownTable(
  table: AnyTable,
  type: TypeDeclaration | undefined,
  description: TableDescription | undefined,
): OwnTable {
  const fixed = new Map(followed(table, description));
  const keys = [...(table.key?.columns ?? []), ...(description?.primaryKey ?? []).map(propertyOf)];
  for (const name of keys) fixed.set(name, `it is in the key of ${table.type}`);
  const { engineWithoutTransactions } = description ?? {};
  return { table, counted: countedIn(type), fixed, engineWithoutTransactions };
}

const countedIn = (type: TypeDeclaration | undefined): string | undefined =>
  type?.fields.flatMap(({ source }) =>
    source.kind === 'version' && source.column !== undefined ? [propertyOf(source.column)] : [],
  )[0];

/** The columns with which the database would change rows that refer to them. SQLite takes names for equal whatever their case. */
function followed(table: AnyTable, description: TableDescription | undefined): [string, string][] {
  const following = description?.referrers.filter(({ followsUpdate }) => followsUpdate) ?? [];
  return Object.keys(table.columns).flatMap((property): [string, string][] => {
    const others = following
      .filter(({ columns }) =>
        columns.some((name) => propertyOf(name).toLowerCase() === property.toLowerCase()),
      )
      .map((referrer) => referrer.table);
    if (others.length === 0) return [];
    const names = [...new Set(others)].join(', ');
    return [[property, `the database would change rows of ${names} with it, outside of every record`]];
  });
}

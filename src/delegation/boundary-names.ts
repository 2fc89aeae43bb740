import type { Authority } from '../authority/authority.js';
import { intersectBoundaries, type Boundaries } from '../authority/boundary.js';
import { asText } from '../store/sql/column-values.js';
import { columnName, quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import type { RowType } from '../store/bounded/row-type.js';
import { boundarySql } from '../store/bounded/row-types.js';
import type { Catalog } from './schema-catalog.js';

interface Context {
  readonly tx: Connection;
  readonly catalog: Catalog;
}

/** Rows that are the values of a dimension, and that have names. */
interface NamedRows {
  readonly type: RowType;
  /** The column of the values. */
  readonly column: string;
  readonly nameColumn: string;
  /** The number by which people call such a row, too. */
  readonly numberColumn: string | undefined;
  /** Where the person may read the rows with names and numbers. */
  readonly inside: Boundaries;
}

const nameColumns = ['name', 'title', 'displayName'];

/** Undefined where values have no names: words, free text, or a column that many rows share. */
function namedRows({ catalog }: Context, person: Authority, dimension: string): NamedRows | undefined {
  const source = catalog.dimensions.get(dimension)?.source;
  const declared = source?.kind === 'rows' ? catalog.types.named(source.type) : undefined;
  if (declared === undefined || source?.kind !== 'rows') return undefined;
  const type = catalog.types.of(declared.table);
  const { column, number } = source;
  const { primaryKey, indexes, columns } = type.table;
  const unique = [primaryKey, ...indexes.filter((index) => index.isUnique).map((index) => index.columns)];
  if (!unique.some((key) => key.length === 1 && key[0] === column)) return undefined;
  const nameColumn = nameColumns.find((name) => columns[name] !== undefined);
  const scope = catalog.scopes.get(`${type.type}.${nameColumn ?? ''}`);
  if (nameColumn === undefined || scope === undefined) return undefined;
  const inside = [type.scope, scope, ...(number === undefined ? [] : [number.scope])]
    .map((each) => person.boundaries(each))
    .reduce(intersectBoundaries);
  return { type, column, nameColumn, numberColumn: number?.column, inside };
}

const namesMax = 500;

/** The names of a dimension's values, as far as the person may read them. */
export async function namesOf(
  context: Context,
  person: Authority,
  dimension: string,
  values: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = namedRows(context, person, dimension);
  if (rows === undefined || values.length === 0 || rows.inside.length === 0) return new Map();
  const { type, column, inside } = rows;
  const { text, params } = boundarySql(type, 't', inside, context.tx.dialect, 'checked');
  const wanted = values.slice(0, namesMax);
  const found = await context.tx.query(
    `SELECT ${columnsOf(rows)} FROM ${quote(type.table.name)} t ` +
      `WHERE t.${columnName(column)} IN (${wanted.map(() => '?').join(', ')}) AND (${text})`,
    [...wanted, ...params],
  );
  return new Map(found.map((row) => [asText(row.value), nameIn(row)]));
}

const columnsOf = ({ column, nameColumn, numberColumn }: NamedRows): string =>
  [
    `t.${columnName(column)} AS \`value\``,
    `t.${columnName(nameColumn)} AS \`name\``,
    ...(numberColumn === undefined ? [] : [`t.${columnName(numberColumn)} AS \`number\``]),
  ].join(', ');

/** `Brightwater (C-1042)`; the value itself where there is no name. */
function nameIn({ value, name, number }: Readonly<Record<string, unknown>>): string {
  const text = asText(name ?? value);
  return number === undefined || number === null ? text : `${text} (${asText(number)})`;
}

import type { Authority } from '../authority/authority.js';
import { intersectBoundaries, type Boundaries } from '../authority/boundary.js';
import { asText } from '../store/sql/column-values.js';
import { columnName, quote, type Sql } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import type { RowType } from '../store/bounded/row-type.js';
import { boundarySql } from '../store/bounded/row-types.js';
import type { Dialect } from '../store/tables/dialect.js';
import type { Catalog } from './schema-catalog.js';
import type { NamedValue, ShownRows } from './token-grant.js';

export interface NamesContext {
  readonly tx: Connection;
  readonly catalog: Catalog;
  readonly person: Authority;
}

/** Values of a dimension with their names, as far as the person may read them, and the rows that were read for it. */
export interface Names {
  readonly values: readonly NamedValue[];
  readonly shown: readonly ShownRows[];
}

/** Rows that are the values of a dimension, and that have names. */
interface NamedRows {
  readonly type: RowType;
  /** The column of the values. */
  readonly column: string;
  readonly nameColumn: string;
  /** The number by which people also call such a row. */
  readonly numberColumn: string | undefined;
  /** The boundaries within which the person may read the rows, their names and their numbers. */
  readonly inside: Boundaries;
}

const nothing: Names = { values: [], shown: [] };
const nameColumns = ['name', 'title', 'displayName'];
const namesMax = 500;
/** A longer list of words is not offered. */
export const wordsMax = 50;
export const foundMax = 20;
const searchMs = 2_000;

const rowTypeOf = (
  { catalog }: NamesContext,
  dimension: string,
): { type: RowType; column: string } | undefined => {
  const source = catalog.dimensions.get(dimension)?.source;
  const declared = source?.kind === 'rows' ? catalog.types.named(source.type) : undefined;
  if (declared === undefined || source?.kind !== 'rows') return undefined;
  return { type: catalog.types.of(declared.table), column: source.column };
};

/** Undefined where values have no names: words, free text, or a column that many rows share. */
function namedRows(context: NamesContext, dimension: string): NamedRows | undefined {
  const { catalog, person } = context;
  const rows = rowTypeOf(context, dimension);
  if (rows === undefined) return undefined;
  const { type, column } = rows;
  const { primaryKey, indexes, columns } = type.table;
  const unique = [primaryKey, ...indexes.filter((index) => index.isUnique).map((index) => index.columns)];
  if (!unique.some((key) => key.length === 1 && key[0] === column)) return undefined;
  const nameColumn = nameColumns.find((name) => columns[name] !== undefined);
  const scope = catalog.scopes.get(`${type.type}.${nameColumn ?? ''}`);
  if (nameColumn === undefined || scope === undefined) return undefined;
  const source = catalog.dimensions.get(dimension)?.source;
  const number = source?.kind === 'rows' ? source.number : undefined;
  const inside = [type.scope, scope, ...(number === undefined ? [] : [number.scope])]
    .map((each) => person.boundaries(each))
    .reduce(intersectBoundaries);
  return { type, column, nameColumn, numberColumn: number?.column, inside };
}

/** Whether the person can look for values of the dimension by name. */
export const isSearchable = (context: NamesContext, dimension: string): boolean =>
  (namedRows(context, dimension)?.inside.length ?? 0) > 0;

/** The names of these values. A value that the person may not read is left out. */
export async function namesOf(
  context: NamesContext,
  dimension: string,
  values: readonly string[],
): Promise<Names> {
  const rows = namedRows(context, dimension);
  if (rows === undefined || values.length === 0) return nothing;
  const wanted = values.slice(0, namesMax);
  const text = `t.${columnName(rows.column)} IN (${wanted.map(() => '?').join(', ')})`;
  return read(context, rows, { text, params: wanted }, namesMax);
}

/**
 * The rows whose name contains the term, or whose number is the term: at most one more than `foundMax`. Names match the
 * term as typed, in small letters, in capitals, and with capital initials.
 */
export async function search(context: NamesContext, dimension: string, term: string): Promise<Names> {
  const rows = namedRows(context, dimension);
  if (rows === undefined || term === '') return nothing;
  const { nameColumn, numberColumn } = rows;
  const { dialect } = context.tx;
  const contains = spellings(term).map((spelling): Sql => ({
    text: `INSTR(${exactly(nameColumn, dialect)}, ?) > 0`,
    params: [spelling],
  }));
  const isNumber: Sql[] =
    numberColumn === undefined ? [] : [{ text: `${exactly(numberColumn, dialect)} = ?`, params: [term] }];
  const matches = [...contains, ...isNumber];
  const where = {
    text: matches.map(({ text }) => text).join(' OR '),
    params: matches.flatMap(({ params }) => params),
  };
  return read(context, rows, where, foundMax + 1);
}

/**
 * The distinct values of a dimension whose values many rows share, such as regions. Undefined where there are too many,
 * no index leads to them, or the person may not read them.
 */
export async function wordsOf(context: NamesContext, dimension: string): Promise<Names | undefined> {
  const rows = rowTypeOf(context, dimension);
  const scope = context.catalog.scopes.get(`${rows?.type.type ?? ''}.${rows?.column ?? ''}`);
  if (rows === undefined || scope === undefined) return undefined;
  const { type, column } = rows;
  // Without an index, every row would have to be read.
  if (!type.table.indexes.some((index) => index.columns[0] === column)) return undefined;
  const boundaries = intersectBoundaries(
    context.person.boundaries(type.scope),
    context.person.boundaries(scope),
  );
  if (boundaries.length === 0) return undefined;
  const inside = boundarySql(type, 't', boundaries, context.tx.dialect);
  const found = await context.tx.aggregate(
    `SELECT DISTINCT t.${columnName(column)} AS \`value\` FROM ${quote(type.table.name)} t ` +
      `WHERE t.${columnName(column)} IS NOT NULL AND (${inside.text}) LIMIT ${String(wordsMax + 1)}`,
    inside.params,
    searchMs,
  );
  if (found.length > wordsMax) return undefined;
  const words = found.map(({ value }) => asText(value)).sort();
  return {
    values: words.map((value) => ({ value, label: value })),
    shown: [{ type: type.type, ids: [], values: words.length }],
  };
}

async function read({ tx }: NamesContext, rows: NamedRows, where: Sql, limit: number): Promise<Names> {
  if (rows.inside.length === 0) return nothing;
  const { type } = rows;
  const inside = boundarySql(type, 't', rows.inside, tx.dialect, 'checked');
  const found = await tx.aggregate(
    `SELECT ${columnsOf(rows)} FROM ${quote(type.table.name)} t WHERE (${where.text}) AND (${inside.text}) ` +
      `ORDER BY \`name\`, \`value\` LIMIT ${String(limit)}`,
    [...where.params, ...inside.params],
    searchMs,
  );
  const values = found.map((row) => ({ value: asText(row.value), label: labelOf(row) }));
  const ids = found.map((row) => asText(row.id));
  return { values, shown: ids.length === 0 ? [] : [{ type: type.type, ids, values: 0 }] };
}

function columnsOf({ type, column, nameColumn, numberColumn }: NamedRows): string {
  const id = type.table.key === undefined ? 'id' : column;
  const columns = {
    id,
    value: column,
    name: nameColumn,
    ...(numberColumn !== undefined && { number: numberColumn }),
  };
  return Object.entries(columns)
    .map(([alias, each]) => `t.${columnName(each)} AS \`${alias}\``)
    .join(', ');
}

/** `Brightwater (C-1042)`; the value itself where there is no name. */
function labelOf({ value, name, number }: Readonly<Record<string, unknown>>): string {
  const text = asText(name ?? value);
  return number === undefined || number === null ? text : `${text} (${asText(number)})`;
}

/** The column's text, byte for byte, whatever its collation. */
const exactly = (column: string, dialect: Dialect): string =>
  dialect === 'mysql'
    ? `CONVERT(t.${columnName(column)} USING utf8mb4) COLLATE utf8mb4_bin`
    : `t.${columnName(column)}`;

const spellings = (term: string): string[] => {
  const small = term.toLowerCase();
  const initials = small.replaceAll(/(?<!\p{L})\p{L}/gu, (letter) => letter.toUpperCase());
  return [...new Set([term, small, term.toUpperCase(), initials])];
};

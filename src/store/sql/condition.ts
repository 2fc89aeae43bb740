import type { Dialect } from '../tables/dialect.js';
import type { Column } from '../tables/column.js';
import { columnOf, type Table } from '../tables/table.js';
import { asText, comparedSql, placed } from './column-values.js';

/** SQL text with positional parameters. Named parameters could overwrite one another. */
export interface Sql {
  readonly text: string;
  readonly params: readonly unknown[];
}

/**
 * A condition over the columns of one table. Callers bound the length of lists. An empty `in` matches
 * nothing.
 */
export type Condition<Row> =
  | {
      readonly kind: 'compare';
      readonly column: keyof Row & string;
      readonly op: Operator;
      readonly value: unknown;
      /** Set where equal means what the column's order takes for equal, as in cursors. */
      readonly asSorted?: true;
      /** Set where texts are compared by their bytes, as an order by bytes does. */
      readonly byBytes?: true;
    }
  | { readonly kind: 'in'; readonly column: keyof Row & string; readonly values: readonly unknown[] }
  /** The text begins with the value, byte for byte, whatever the column's collation. */
  | { readonly kind: 'prefix'; readonly column: keyof Row & string; readonly value: string }
  | { readonly kind: 'null'; readonly column: keyof Row & string }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition<Row>[] }
  | { readonly kind: 'not'; readonly of: Condition<Row> }
  | { readonly kind: 'sql'; readonly sql: Sql }
  /** Where the two databases need different SQL. */
  | { readonly kind: 'dialects'; readonly sql: Readonly<Record<Dialect, Sql>> };
export type Operator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export const eq = <Row>(column: keyof Row & string, value: unknown): Condition<Row> =>
  value === null ? { kind: 'null', column } : { kind: 'compare', column, op: '=', value };
export const compare = <Row>(column: keyof Row & string, op: Operator, value: unknown): Condition<Row> => ({
  kind: 'compare',
  column,
  op,
  value,
});
export const isIn = <Row>(column: keyof Row & string, values: readonly unknown[]): Condition<Row> => ({
  kind: 'in',
  column,
  values,
});
export const isNull = <Row>(column: keyof Row & string): Condition<Row> => ({ kind: 'null', column });
export const all = <Row>(...of: readonly Condition<Row>[]): Condition<Row> => ({ kind: 'all', of });
export const any = <Row>(...of: readonly Condition<Row>[]): Condition<Row> => ({ kind: 'any', of });
export const not = <Row>(of: Condition<Row>): Condition<Row> => ({ kind: 'not', of });

/**
 * Quotes a name with backticks, which both databases accept. Names come from table descriptions, never from
 * input.
 */
export const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
const columnNames = new Map<string, string>();
/** The column name of a property. Properties come from table descriptions, so they are few. */
export function columnName(key: string): string {
  const known = columnNames.get(key);
  if (known !== undefined) return known;
  const name = quote(columnOf(key));
  columnNames.set(key, name);
  return name;
}

export const orderSql = (
  order: readonly {
    readonly column: string;
    readonly direction: 'asc' | 'desc';
    readonly byBytes?: true;
  }[],
  dialect: Dialect,
): string =>
  order
    .map(({ column, direction, byBytes }) => {
      const name = `t.${columnName(column)}`;
      return `${byBytes === true ? bytesOf(name, dialect) : name} ${direction === 'asc' ? 'ASC' : 'DESC'}`;
    })
    .join(', ');

/**
 * Pads a list to a power of two by repeating its last value, so that few different texts need to be prepared.
 */
export function padded<T>(values: readonly T[]): readonly T[] {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, values.length)));
  const last = values.at(-1);
  return last === undefined || size === values.length
    ? values
    : [...values, ...Array<T>(size - values.length).fill(last)];
}

const nothing: Sql = { text: '1 = 0', params: [] };
const everything: Sql = { text: '1 = 1', params: [] };

const join = (parts: readonly Sql[], word: 'AND' | 'OR'): Sql => ({
  text: parts.map((part) => `(${part.text})`).join(` ${word} `),
  params: parts.flatMap((part) => part.params),
});

/**
 * Whether a text of a column is one of these, byte for byte, whatever its collation takes for equal. The first comparison
 * lets the database use an index.
 */
export function exactlyIn(
  column: Column<unknown>,
  expression: string,
  values: readonly unknown[],
  dialect: Dialect,
): Sql {
  if (values.length === 0) return nothing;
  const texts = padded(values.map((value) => asText(value)));
  const places = texts.map((text) => placed(column, text, dialect));
  const bytes = texts.map(() => '?').join(', ');
  return {
    text: `${expression} IN (${places.map(({ text }) => text).join(', ')}) AND ${bytesOf(expression, dialect)} IN (${bytes})`,
    params: [...places.map(({ param }) => param), ...texts.map(hex)],
  };
}

/** LIKE takes at least as many texts as begin with the value, and can use an index. */
function prefixSql(column: Column<unknown>, expression: string, value: string, dialect: Dialect): Sql {
  const place = placed(column, `${value.replaceAll(/[!%_]/g, '!$&')}%`, dialect);
  return {
    text: `${expression} LIKE ${place.text} ESCAPE '!' AND ${bytesOf(expression, dialect)} LIKE ?`,
    params: [place.param, `${hex(value)}%`],
  };
}

/** The bytes of a text in UTF-8, as hexadecimal digits. */
export const bytesOf = (expression: string, dialect: Dialect): string =>
  dialect === 'mysql' ? `HEX(CONVERT(${expression} USING utf8mb4))` : `HEX(${expression})`;

const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase();

/** The ids to which a condition compares the row's id. Undefined for another condition. */
function idsIn<Row>(condition: Condition<Row>): readonly unknown[] | undefined {
  if (condition.kind === 'in' && condition.column === 'id') return condition.values;
  return condition.kind === 'compare' && condition.column === 'id' && condition.op === '='
    ? [condition.value]
    : undefined;
}

/** Whether a row of a table with a key of its own has one of these ids. A text that is no id matches nothing. */
export function keySql<Row>(
  table: Pick<Table<Row>, 'key' | 'columns'>,
  alias: string,
  ids: readonly unknown[],
  dialect: Dialect,
): Sql {
  const { key } = table;
  if (key === undefined) return nothing;
  const rows = ids.flatMap((id) => {
    const values = typeof id === 'string' ? key.valuesOf(id) : undefined;
    return values === undefined ? [] : [values];
  });
  return tupleSql(table, alias, key.columns as readonly (keyof Row & string)[], rows, dialect);
}

/** Whether columns together have the values of one of these rows. */
export function tupleSql<Row>(
  table: Pick<Table<Row>, 'columns'>,
  alias: string,
  columns: readonly (keyof Row & string)[],
  rows: readonly (readonly unknown[])[],
  dialect: Dialect,
): Sql {
  if (rows.length === 0) return nothing;
  const all = padded(rows);
  const described = columns.map((column) => table.columns[column]);
  const names = columns.map((column) => `${quote(alias)}.${columnName(column)}`);
  const found = tuples(
    names,
    all.map((row) => row.map((value, at) => placedAt(described, at, value, dialect))),
    dialect,
  );
  if (!described.some((column) => column.isCollated === true)) return found;
  // No collation takes the key of one row for that of another.
  const bytes = tuples(
    names.map((name, at) => (described[at]?.isCollated === true ? bytesOf(name, dialect) : name)),
    all.map((row) =>
      row.map((value, at) =>
        described[at]?.isCollated === true
          ? { text: '?', param: hex(asText(value)) }
          : placedAt(described, at, value, dialect),
      ),
    ),
    dialect,
  );
  return { text: `${found.text} AND ${bytes.text}`, params: [...found.params, ...bytes.params] };
}

type Placed = ReturnType<typeof placed>;

function placedAt(columns: readonly Column<unknown>[], at: number, value: unknown, dialect: Dialect): Placed {
  const column = columns[at];
  return column === undefined ? { text: '?', param: value } : placed(column, value, dialect);
}

function tuples(names: readonly string[], rows: readonly (readonly Placed[])[], dialect: Dialect): Sql {
  const params = rows.flatMap((row) => row.map(({ param }) => param));
  const [first = '', second] = names;
  const places = rows.map((row) => row.map(({ text }) => text).join(', '));
  if (second === undefined) return { text: `${first} IN (${places.join(', ')})`, params };
  const list = places.map((row) => `(${row})`).join(', ');
  return { text: `(${names.join(', ')}) IN (${dialect === 'sqlite' ? `VALUES ${list}` : list})`, params };
}

/** The condition as SQL for the table's alias. */
export function conditionSql<Row>(
  table: Table<Row>,
  alias: string,
  condition: Condition<Row>,
  dialect: Dialect,
): Sql {
  const ids = idsIn(condition);
  if (table.key !== undefined && ids !== undefined) return keySql(table, alias, ids, dialect);
  const name = (key: keyof Row & string): string => `${quote(alias)}.${columnName(key)}`;
  switch (condition.kind) {
    case 'compare':
      return compareSql(table.columns[condition.column], name(condition.column), condition, dialect);
    case 'in': {
      const column = table.columns[condition.column];
      if (column.isCollated === true)
        return exactlyIn(column, name(condition.column), condition.values, dialect);
      if (condition.values.length === 0) return nothing;
      const places = padded(condition.values).map((value) => placed(column, value, dialect));
      return {
        text: `${comparedSql(column, name(condition.column))} IN (${places.map(({ text }) => text).join(', ')})`,
        params: places.map(({ param }) => param),
      };
    }
    case 'prefix':
      return prefixSql(table.columns[condition.column], name(condition.column), condition.value, dialect);
    case 'null':
      return { text: `${name(condition.column)} IS NULL`, params: [] };
    case 'all':
      return condition.of.length === 0
        ? everything
        : join(
            condition.of.map((part) => conditionSql(table, alias, part, dialect)),
            'AND',
          );
    case 'any':
      return condition.of.length === 0
        ? nothing
        : join(
            condition.of.map((part) => conditionSql(table, alias, part, dialect)),
            'OR',
          );
    case 'not': {
      const inner = conditionSql(table, alias, condition.of, dialect);
      return { text: `NOT (${inner.text})`, params: inner.params };
    }
    case 'sql':
      return condition.sql;
    case 'dialects':
      return condition.sql[dialect];
  }
}

type Comparison = Pick<
  Extract<Condition<object>, { kind: 'compare' }>,
  'op' | 'value' | 'asSorted' | 'byBytes'
>;

function compareSql(
  column: Column<unknown>,
  expression: string,
  { op, value, asSorted, byBytes }: Comparison,
  dialect: Dialect,
): Sql {
  if (byBytes === true)
    return { text: `${bytesOf(expression, dialect)} ${op} ?`, params: [hex(asText(value))] };
  if (op === '=' && asSorted !== true && column.isCollated === true)
    return exactlyIn(column, expression, [value], dialect);
  if (op === '=' && column.isTruth === true) return truthSql(expression, value === true, dialect);
  const { text, param } = placed(column, value, dialect);
  return { text: `${comparedSql(column, expression)} ${op} ${text}`, params: [param] };
}

/** Every number but 0 is true, as for the database. SQLite would take a text for true. */
const truthSql = (expression: string, isTrue: boolean, dialect: Dialect): Sql => ({
  text:
    `${expression} ${isTrue ? '<>' : '='} 0` +
    (dialect === 'sqlite' ? ` AND typeof(${expression}) IN ('integer', 'real')` : ''),
  params: [],
});

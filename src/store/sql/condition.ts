import { columnOf, type Column, type Table } from '../tables/table.js';

export type Dialect = 'sqlite' | 'mysql';

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
  order: readonly { readonly column: string; readonly direction: 'asc' | 'desc' }[],
): string =>
  order.map((by) => `t.${columnName(by.column)} ${by.direction === 'asc' ? 'ASC' : 'DESC'}`).join(', ');

/** Text of a scalar value. An object in a text column would be our own mistake. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  throw new TypeError(`A ${typeof value} has no text.`);
}

/**
 * Encodes a value for the drivers. It is coerced to its column's kind, so that no database compares across
 * types.
 */
export function encode(column: Column<unknown>, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (column.kind) {
    case 'id':
    case 'text':
    case 'longtext':
    case 'bigint':
    case 'decimal':
    case 'date':
    case 'label':
      return asText(value);
    case 'int':
    case 'long':
    case 'minor':
    case 'float':
      return Number(value);
    case 'flag':
      return value === true ? 1 : 0;
    case 'time':
    case 'moment':
      return asText(value).replace('T', ' ').replace('Z', '');
    case 'json':
      return JSON.stringify(value);
  }
}

type Decoder = (raw: unknown) => unknown;

const decodeText: Decoder = (raw) =>
  typeof raw === 'string' || raw === null ? raw : raw === undefined ? null : asText(raw);

function decodeInteger(raw: unknown): number | null {
  if (raw === null || raw === undefined) return null;
  const number = typeof raw === 'number' ? raw : Number(raw);
  if (!Number.isSafeInteger(number)) throw new RangeError('A stored integer is outside the safe range.');
  return number;
}

function decodeTime(raw: unknown): string | null {
  if (raw === null || raw === undefined) return null;
  const text = typeof raw === 'string' ? raw : asText(raw);
  // Prepared statements omit a fraction of zero.
  return `${text.slice(0, 10)}T${text.slice(11, 23).padEnd(12, '.000')}Z`;
}

/** Whether the database tells zeros at the end of a fraction depends on the statement. */
function decodeMoment(raw: unknown): string | null {
  if (raw === null || raw === undefined) return null;
  const text = asText(raw).replace(' ', 'T');
  return `${text.includes('.') ? text.replace(/\.?0*$/, '') : text}Z`;
}

/** The reverse of `encode`, for values from the drivers. Undefined where they need no decoding. */
export function decoderOf(column: Column<unknown>): Decoder | undefined {
  switch (column.kind) {
    case 'id':
    case 'text':
    case 'longtext':
      return undefined;
    case 'bigint':
    case 'decimal':
    case 'date':
    case 'label':
      return decodeText;
    case 'float':
      return (raw) => (raw === null || raw === undefined ? null : Number(raw));
    case 'int':
    case 'long':
    case 'minor':
      return decodeInteger;
    case 'flag':
      return (raw) => (raw === null || raw === undefined ? null : Number(raw) === 1);
    case 'time':
      return decodeTime;
    case 'moment':
      return decodeMoment;
    case 'json':
      return (raw) => (raw === null || raw === undefined ? null : (JSON.parse(asText(raw)) as unknown));
  }
}

/** The reverse of `encode`, for one value. */
export const decode = (column: Column<unknown>, raw: unknown): unknown =>
  (decoderOf(column) ?? decodeText)(raw);

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

const isCollated = <Row>(table: Table<Row>, column: keyof Row & string): boolean =>
  table.columns[column].isCollated === true;

/**
 * Whether a text is one of these, byte for byte, whatever the column's collation takes for equal. The first comparison
 * lets the database use an index.
 */
export function exactlyIn(expression: string, values: readonly unknown[], dialect: Dialect): Sql {
  if (values.length === 0) return nothing;
  const texts = padded(values.map((value) => asText(value)));
  const list = texts.map(() => '?').join(', ');
  return {
    text: `${expression} IN (${list}) AND ${bytesOf(expression, dialect)} IN (${list})`,
    params: [...texts, ...texts.map(hex)],
  };
}

/** LIKE takes at least as many texts as begin with the value, and can use an index. */
const prefixSql = (expression: string, value: string, dialect: Dialect): Sql => ({
  text: `${expression} LIKE ? ESCAPE '!' AND ${bytesOf(expression, dialect)} LIKE ?`,
  params: [`${value.replaceAll(/[!%_]/g, '!$&')}%`, `${hex(value)}%`],
});

/** The bytes of a text in UTF-8, as hexadecimal digits. */
const bytesOf = (expression: string, dialect: Dialect): string =>
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
  const names = columns.map((column) => `${quote(alias)}.${columnName(column)}`);
  const isText = columns.map((column) => table.columns[column].isCollated === true);
  const places = columns.map((column) => placeholder(table.columns[column], dialect));
  const found = tuples(names, places, all, dialect);
  if (!isText.includes(true)) return found;
  // No collation takes the key of one row for that of another.
  const bytes = tuples(
    names.map((name, at) => (isText[at] === true ? bytesOf(name, dialect) : name)),
    places,
    all.map((row) => row.map((value, at) => (isText[at] === true ? hex(asText(value)) : value))),
    dialect,
  );
  return { text: `${found.text} AND ${bytes.text}`, params: [...found.params, ...bytes.params] };
}

function tuples(
  names: readonly string[],
  places: readonly string[],
  rows: readonly (readonly unknown[])[],
  dialect: Dialect,
): Sql {
  const params = rows.flat();
  const [first = '', second] = names;
  if (second === undefined) return { text: `${first} IN (${rows.map(() => places[0]).join(', ')})`, params };
  const list = rows.map(() => `(${places.join(', ')})`).join(', ');
  return { text: `(${names.join(', ')}) IN (${dialect === 'sqlite' ? `VALUES ${list}` : list})`, params };
}

/** Whether a driver would round values of the kind. */
export const isExact = (kind: Column<unknown>['kind']): boolean => kind === 'bigint' || kind === 'decimal';

/** Compared with a text, a database would round a large number. */
const placeholder = ({ kind }: Column<unknown>, dialect: Dialect): string =>
  isExact(kind) ? exactNumber[dialect] : '?';
const exactNumber = { sqlite: 'CAST(? AS NUMERIC)', mysql: 'CAST(? AS DECIMAL(65, 30))' } as const;

/** The condition as SQL for the table's alias. */
export function conditionSql<Row>(
  table: Table<Row>,
  alias: string,
  condition: Condition<Row>,
  dialect: Dialect,
): Sql {
  const column = (key: keyof Row & string): string => `${quote(alias)}.${columnName(key)}`;
  const ids = idsIn(condition);
  if (table.key !== undefined && ids !== undefined) return keySql(table, alias, ids, dialect);
  switch (condition.kind) {
    case 'compare':
      if (condition.op === '=' && condition.asSorted !== true && isCollated(table, condition.column))
        return exactlyIn(column(condition.column), [condition.value], dialect);
      return {
        text: `${column(condition.column)} ${condition.op} ${placeholder(table.columns[condition.column], dialect)}`,
        params: [encode(table.columns[condition.column], condition.value)],
      };
    case 'in':
      if (isCollated(table, condition.column))
        return exactlyIn(column(condition.column), condition.values, dialect);
      return condition.values.length === 0
        ? nothing
        : {
            text: `${column(condition.column)} IN (${padded(condition.values)
              .map(() => placeholder(table.columns[condition.column], dialect))
              .join(', ')})`,
            params: padded(condition.values).map((value) => encode(table.columns[condition.column], value)),
          };
    case 'prefix':
      return prefixSql(column(condition.column), condition.value, dialect);
    case 'null':
      return { text: `${column(condition.column)} IS NULL`, params: [] };
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

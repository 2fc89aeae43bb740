import { readSql } from '../sql/column-values.js';
import { columnName, quote } from '../sql/condition.js';
import type { Column } from '../tables/column.js';
import type { AnyTable, PathStep } from '../tables/table.js';
import type { ValueSql } from './row-type.js';
import { sameSql } from './same-sql.js';

/** The tables over which a path goes from a row, each with its alias and how it is joined, and where it ends. */
interface Way {
  readonly joins: readonly { readonly table: AnyTable; readonly alias: string; readonly on: string }[];
  readonly expression: string;
}

interface Followed extends ValueSql {
  readonly way: (alias: string) => Way;
}

type Step = Exclude<PathStep, { property: string }>;

/** Follows a path such as `customer.region`. Throws where it leads nowhere. */
export function valueSql(
  table: AnyTable,
  path: readonly string[],
  tables: ReadonlyMap<string, AnyTable>,
): ValueSql {
  return followed(table, path, tables);
}

function followed(table: AnyTable, path: readonly string[], tables: ReadonlyMap<string, AnyTable>): Followed {
  const [head = '', ...rest] = path;
  const step = table.paths === undefined ? ownStep(table, head, tables) : table.paths.get(head);
  if (rest.length === 0) {
    const column = step !== undefined && 'property' in step ? table.columns[step.property] : undefined;
    if (step === undefined || !('property' in step) || column === undefined)
      throw new Error(`${table.type} has no column ${head}`);
    const of = (alias: string): string => `${alias}.${columnName(step.property)}`;
    return { of, column, tables: [table.name], way: (alias) => ({ joins: [], expression: of(alias) }) };
  }
  if (step === undefined || 'property' in step) throw new Error(`${table.type} has no relation ${head}`);
  const next = 'to' in step ? step.to : step.from;
  const inner = followed(next, rest, tables);
  const way = (alias: string): Way => {
    const nextAlias = `${alias}_${head}`;
    const { joins, expression } = inner.way(nextAlias);
    return {
      joins: [{ table: next, alias: nextAlias, on: joinSql(table, alias, step, nextAlias) }, ...joins],
      expression,
    };
  };
  const { column } = inner;
  const reached = { column, tables: [table.name, ...inner.tables], way };
  const collected = 'from' in step ? step.collected : inner.among?.collected;
  if (collected !== undefined) return { ...reached, ...severalSql(way, column, collected) };
  const of = (alias: string): string => {
    const nextAlias = `${alias}_${head}`;
    const on = joinSql(table, alias, step, nextAlias);
    return `(SELECT ${inner.of(nextAlias)} FROM ${quote(next.name)} ${nextAlias} WHERE ${on})`;
  };
  return { ...reached, of };
}

/** Whether a row of the next table is the one that this row names, or one that names this row. */
function joinSql(table: AnyTable, alias: string, step: Step, nextAlias: string): string {
  const next = 'to' in step ? step.to : step.from;
  const key = ('to' in step ? next : table).key?.columns ?? ['id'];
  const [theirs, own] = 'to' in step ? [key, step.properties] : [step.properties, key];
  const same = own.map((property, at) => {
    const their = theirs[at] ?? '';
    return sameSql(
      { sql: `${nextAlias}.${columnName(their)}`, column: next.columns[their] },
      { sql: `${alias}.${columnName(property)}`, column: table.columns[property] },
    );
  });
  return [...same, ...(next.within === undefined ? [] : [next.within(nextAlias)])].join(' AND ');
}

/** A row has several values where the path goes over rows that name it: as one expression, and for a test of each. */
function severalSql(
  way: (alias: string) => Way,
  column: Column<unknown>,
  collected: (expression: string) => string,
): Pick<ValueSql, 'of' | 'among'> {
  const from = ({ joins }: Way): string => {
    const [first, ...others] = joins;
    if (first === undefined) throw new Error('A path over rows of another table joins it.');
    const joined = others.map(({ table, alias, on }) => ` JOIN ${quote(table.name)} ${alias} ON ${on}`);
    return `FROM ${quote(first.table.name)} ${first.alias}${joined.join('')} WHERE ${first.on}`;
  };
  return {
    of: (alias) => {
      const found = way(alias);
      return `(SELECT ${collected(readSql(column, found.expression))} ${from(found)})`;
    },
    among: {
      collected,
      exists: (alias, test) => {
        const found = way(alias);
        const { text, params } = test(found.expression);
        return { text: `EXISTS (SELECT 1 ${from(found)} AND (${text}))`, params };
      },
    },
  };
}

/** In our own tables, `region` is a column, and `customer` leads to the row that the column `customerId` names. */
function ownStep(table: AnyTable, name: string, tables: ReadonlyMap<string, AnyTable>): PathStep | undefined {
  if (table.columns[name] !== undefined) return { property: name };
  const key = `${name}Id`;
  const to = tables.get(table.columns[key]?.references ?? '');
  return to === undefined ? undefined : { properties: [key], to };
}

/** Records keep the values of written rows. A row with more than these is outside the boundaries of the others there. */
const valuesMax = 1_000;

/** The values of a row in a dimension, as `ValueSql.of` collects them. */
export function severalIn(json: string): string[] {
  const found = JSON.parse(json) as readonly (string | number | null)[];
  const values = found.flatMap((value) => (value === null ? [] : [String(value)]));
  return [...new Set(values)].sort().slice(0, valuesMax);
}

import { asText, decode, readSql } from '../sql/column-values.js';
import type { Dialect } from '../tables/dialect.js';
import {
  columnName,
  conditionSql,
  orderSql,
  quote,
  tupleSql,
  type Condition,
  type Sql,
} from '../sql/condition.js';
import type { PageQuery } from './page.js';
import type { StatementShape } from './statement-shape.js';
import type { Found, SharedRead } from '../sql/shared-reads.js';
import type { RowKey } from '../tables/row-key.js';
import type { Table } from '../tables/table.js';

/**
 * How rows are linked to their parents: by a column of their own, by columns that hold the values of the parents' key,
 * or by a table of pairs. `among` gives a further condition that all children of these parents fulfil, for a column
 * without an index of its own.
 */
export type Link<Row> =
  | {
      readonly column: keyof Row & string;
      readonly among?: (parents: readonly string[]) => Condition<Row>;
    }
  | { readonly columns: readonly (keyof Row & string)[]; readonly parentKey: RowKey }
  | { readonly pairs: { readonly name: string }; readonly mine: string; readonly theirs: string };

/** The maximum number of rows of one statement that several operations share. */
const sharedRowsMax = 10_000;

/** For each parent, one page and one row more, by a window function that both databases support. */
export class ChildrenByParent<Row> implements SharedRead<Row[]> {
  readonly key: string;
  readonly valuesMax: number;
  private readonly before: string;
  private readonly after: string;

  constructor(
    private readonly table: Table<Row>,
    private readonly link: Link<Row>,
    private readonly dialect: Dialect,
    private readonly shape: StatementShape,
    { order, size }: Pick<PageQuery<Row>, 'order' | 'size'>,
    /** The condition, including the boundary. */
    private readonly condition: Sql,
  ) {
    const { from, parent, select } = linkSql(table, link);
    const numbers = `ROW_NUMBER() OVER (PARTITION BY ${parent.join(', ')} ORDER BY ${orderSql(order, dialect)})`;
    this.before = `SELECT * FROM (SELECT ${shape.select}, ${select}, ${numbers} AS \`@n\` FROM ${from} WHERE`;
    this.after = `AND ${condition.text}) w WHERE w.\`@n\` <= ${String(size + 1)} ORDER BY w.\`@n\``;
    this.key = JSON.stringify(['windows', shape.key, this.before, this.after, condition.params]);
    this.valuesMax = Math.ceil(sharedRowsMax / (size + 1));
  }

  sql(parents: readonly string[]): Sql {
    const { text, params } = parentsSql(this.table, this.link, parents, this.dialect);
    return { text: `${this.before} ${text} ${this.after}`, params: [...params, ...this.condition.params] };
  }

  /** A parent without rows is missing. */
  decode(raw: Record<string, unknown>[]): Found<Row[]> {
    const byParent = new Map<string, Row[]>();
    for (const one of raw) {
      const parent = parentOf(this.table, this.link, one);
      const row = this.shape.decode(one) as Row;
      const known = byParent.get(parent);
      if (known === undefined) byParent.set(parent, [row]);
      else known.push(row);
    }
    return byParent;
  }
}

/** The condition that a row is a child of one of these parents, and the further condition on their children. */
export function parentsSql<Row>(
  table: Table<Row>,
  link: Link<Row>,
  parents: readonly string[],
  dialect: Dialect,
): Sql {
  if ('columns' in link) {
    const rows = parents.flatMap((id) => {
      const values = link.parentKey.valuesOf(id);
      return values === undefined ? [] : [values];
    });
    return tupleSql(table, 't', link.columns, rows, dialect);
  }
  const { parent } = linkSql(table, link);
  const text = `${parent[0]} IN (${parents.map(() => '?').join(', ')})`;
  if (!('column' in link) || link.among === undefined) return { text, params: parents };
  const among = conditionSql(table, 't', link.among(parents), dialect);
  return { text: `${text} AND (${among.text})`, params: [...parents, ...among.params] };
}

interface LinkSql {
  readonly from: string;
  /** The expressions that name the parent. */
  readonly parent: readonly [string, ...string[]];
  /** The same, with the names under which `parentOf` finds them. */
  readonly select: string;
}

export function linkSql<Row>(table: Table<Row>, link: Link<Row>): LinkSql {
  const from = `${quote(table.name)} t`;
  if ('columns' in link) {
    const [first = 'NULL', ...others] = link.columns.map((column) => `t.${columnName(column)}`);
    // Children of two parents are not one group where the collation takes their keys for equal.
    const byBytes = (one: string, at: number): string =>
      table.columns[link.columns[at] as keyof Row & string].isCollated === true ? `HEX(${one})` : one;
    // As the key of the parent is read.
    const named = [first, ...others].map((one, at) => {
      const column = table.columns[link.columns[at] as keyof Row & string];
      return `${readSql(column, one)} AS ${parentName(at)}`;
    });
    return {
      from,
      parent: [byBytes(first, 0), ...others.map((one, at) => byBytes(one, at + 1))],
      select: named.join(', '),
    };
  }
  if ('column' in link) {
    const parent = `t.${columnName(link.column)}`;
    return { from, parent: [parent], select: `${parent} AS \`@parent\`` };
  }
  const parent = `l.${columnName(link.theirs)}`;
  const pairs = `JOIN ${quote(link.pairs.name)} l ON l.${columnName(link.mine)} = t.\`id\``;
  return { from: `${from} ${pairs}`, parent: [parent], select: `${parent} AS \`@parent\`` };
}

const parentName = (at: number): string => `\`@parent${String(at)}\``;

/** The id of the parent of a driver's row. */
export const parentOf = <Row>(
  { columns }: Table<Row>,
  link: Link<Row>,
  raw: Readonly<Record<string, unknown>>,
): string =>
  'columns' in link
    ? link.parentKey.idFrom(
        link.columns.map((column, at) => decode(columns[column], raw[`@parent${String(at)}`])),
      )
    : asText(raw['@parent']);

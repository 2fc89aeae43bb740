import {
  asText,
  columnName,
  conditionSql,
  orderSql,
  quote,
  type Condition,
  type Dialect,
  type Sql,
} from '../sql/condition.js';
import type { PageQuery } from './page.js';
import type { StatementShape } from './statement-shape.js';
import type { Found, SharedRead } from '../sql/shared-reads.js';
import type { Table } from '../tables/table.js';

/**
 * How rows are linked to their parents: by a column of their own, or by a table of pairs. `among` gives a
 * further condition that all children of these parents fulfil, for a column without an index of its own.
 */
export type Link<Row> =
  | {
      readonly column: keyof Row & string;
      readonly among?: (parents: readonly string[]) => Condition<Row>;
    }
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
    const { from, parent } = linkSql(table, link);
    const numbers = `ROW_NUMBER() OVER (PARTITION BY ${parent} ORDER BY ${orderSql(order)})`;
    this.before =
      `SELECT * FROM (SELECT ${shape.select}, ${parent} AS \`@parent\`, ${numbers} AS \`@n\` ` +
      `FROM ${from} WHERE ${parent}`;
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
      const parent = asText(one['@parent']);
      const row = this.shape.decode(one) as Row;
      const known = byParent.get(parent);
      if (known === undefined) byParent.set(parent, [row]);
      else known.push(row);
    }
    return byParent;
  }
}

/** The SQL after the parent's column: the list of parents, and the further condition on their children. */
export function parentsSql<Row>(
  table: Table<Row>,
  link: Link<Row>,
  parents: readonly string[],
  dialect: Dialect,
): Sql {
  const text = `IN (${parents.map(() => '?').join(', ')})`;
  if (!('column' in link) || link.among === undefined) return { text, params: parents };
  const among = conditionSql(table, 't', link.among(parents), dialect);
  return { text: `${text} AND (${among.text})`, params: [...parents, ...among.params] };
}

export function linkSql<Row>(table: Table<Row>, link: Link<Row>): { from: string; parent: string } {
  const from = `${quote(table.name)} t`;
  if ('column' in link) return { from, parent: `t.${columnName(link.column)}` };
  const pairs = `JOIN ${quote(link.pairs.name)} l ON l.${columnName(link.mine)} = t.\`id\``;
  return { from: `${from} ${pairs}`, parent: `l.${columnName(link.theirs)}` };
}

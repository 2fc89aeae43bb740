import { asText, columnName, orderSql, quote, type Sql } from './condition.js';
import type { PageQuery } from './page.js';
import type { Shape } from './shape.js';
import type { Found, SharedRead } from './shared-reads.js';
import type { Table } from './table.js';

/** How rows hang on their parents: by a column of their own, or by a table of pairs. */
export type Link<Row> =
  | { readonly column: keyof Row & string }
  | { readonly pairs: { readonly name: string }; readonly mine: string; readonly theirs: string };

/** How many rows a statement may come to that several operations share. */
const sharedRowsMax = 10_000;

/** One page and one row more for each parent, by a window function that both databases have. */
export class Windows<Row> implements SharedRead<Row[]> {
  readonly key: string;
  readonly valuesMax: number;
  private readonly before: string;
  private readonly after: string;

  constructor(
    table: Table<Row>,
    link: Link<Row>,
    private readonly shape: Shape,
    { order, size }: Pick<PageQuery<Row>, 'order' | 'size'>,
    /** What must hold, the boundary included. */
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
    const text = `${this.before} IN (${parents.map(() => '?').join(', ')}) ${this.after}`;
    return { text, params: [...parents, ...this.condition.params] };
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

export function linkSql<Row>(table: Table<Row>, link: Link<Row>): { from: string; parent: string } {
  const from = `${quote(table.name)} t`;
  if ('column' in link) return { from, parent: `t.${columnName(link.column)}` };
  const pairs = `JOIN ${quote(link.pairs.name)} l ON l.${columnName(link.mine)} = t.\`id\``;
  return { from: `${from} ${pairs}`, parent: `l.${columnName(link.theirs)}` };
}

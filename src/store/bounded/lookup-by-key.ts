import { asText } from '../sql/column-values.js';
import type { Dialect } from '../tables/dialect.js';
import { columnName, keySql, quote, type Sql } from '../sql/condition.js';
import type { StatementShape } from './statement-shape.js';
import type { Found, SharedRead } from '../sql/shared-reads.js';
import type { RowKey } from '../tables/row-key.js';
import type { AnyTable } from '../tables/table.js';

/** Looks up rows by one unique column. */
export class LookupByKey implements SharedRead<object> {
  readonly key: string;
  readonly valuesMax = 1_000;
  private readonly before: string;
  /** Set where the column is the id of a table with a key of its own. */
  private readonly rowKey: RowKey | undefined;

  constructor(
    private readonly table: AnyTable,
    private readonly column: string,
    private readonly shape: StatementShape,
    /** The further condition, including the boundary. */
    private readonly condition: Sql,
    private readonly dialect: Dialect,
  ) {
    this.rowKey = column === 'id' ? table.key : undefined;
    this.before = `SELECT ${shape.select} FROM ${quote(table.name)} t WHERE`;
    this.key = JSON.stringify(['lookup', shape.key, column, condition]);
  }

  sql(values: readonly string[]): Sql {
    const wanted = this.wanted(values);
    const text = `${this.before} ${wanted.text} AND (${this.condition.text})`;
    return { text, params: [...wanted.params, ...this.condition.params] };
  }

  private wanted(values: readonly string[]): Sql {
    if (this.rowKey !== undefined) return keySql(this.table, 't', values, this.dialect);
    return { text: `t.${columnName(this.column)} IN (${values.map(() => '?').join(', ')})`, params: values };
  }

  decode(raw: Record<string, unknown>[]): Found<object> {
    return new Map(
      raw.map((one) => {
        const value = one[this.column];
        const row = this.shape.decode(one);
        return [this.rowKey === undefined ? asText(value) : (row as { id: string }).id, row];
      }),
    );
  }
}

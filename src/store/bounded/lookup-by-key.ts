import { asText, columnName, quote, type Sql } from '../sql/condition.js';
import type { StatementShape } from './statement-shape.js';
import type { Found, SharedRead } from '../sql/shared-reads.js';
import type { AnyTable } from '../tables/table.js';

/** Looks up rows by one unique column. */
export class LookupByKey implements SharedRead<object> {
  readonly key: string;
  readonly valuesMax = 1_000;
  private readonly before: string;

  constructor(
    table: AnyTable,
    private readonly column: string,
    private readonly shape: StatementShape,
    /** The further condition, including the boundary. */
    private readonly condition: Sql,
  ) {
    this.before = `SELECT ${shape.select} FROM ${quote(table.name)} t WHERE t.${columnName(column)}`;
    this.key = JSON.stringify(['lookup', shape.key, column, condition]);
  }

  sql(values: readonly string[]): Sql {
    const text = `${this.before} IN (${values.map(() => '?').join(', ')}) AND (${this.condition.text})`;
    return { text, params: [...values, ...this.condition.params] };
  }

  decode(raw: Record<string, unknown>[]): Found<object> {
    return new Map(raw.map((row) => [asText(row[this.column]), this.shape.decode(row)]));
  }
}

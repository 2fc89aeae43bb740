import * as sql from '../../store/sql/condition.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { Condition } from './domain.js';

type Row = Readonly<Record<string, unknown>>;

const comparisons: ReadonlySet<unknown> = new Set<sql.Operator>(['=', '<', '<=', '>', '>=']);

/**
 * A condition of a company's code as one of ours. It is made anew from its parts, because any object can say that it is a
 * condition, and ours may hold SQL. Throws for a column that the table does not have.
 */
export function ownCondition(table: AnyTable, given: Condition): sql.Condition<Row> {
  const { kind, column, op, value, values, of } = given as unknown as Readonly<Record<string, unknown>>;
  switch (kind as Condition['kind']) {
    case 'compare':
      if (!comparisons.has(op)) throw new Error(`There is no comparison ${String(op)}.`);
      return sql.compare(knownColumn(table, column), op as sql.Operator, value);
    case 'in':
      return sql.isIn(knownColumn(table, column), list(values));
    case 'null':
      return sql.isNull(knownColumn(table, column));
    case 'prefix':
      return { kind: 'prefix', column: knownColumn(table, column), value: String(value) };
    case 'all':
      return sql.all(...list(of).map((one) => ownCondition(table, one as Condition)));
    case 'any':
      return sql.any(...list(of).map((one) => ownCondition(table, one as Condition)));
    case 'not':
      return sql.not(ownCondition(table, of as Condition));
    default:
      throw new Error(
        `There is no condition of the kind ${String(kind)}: the functions of behalf/domain make them.`,
      );
  }
}

/** The name of a column, or `id`. */
export function knownColumn(table: AnyTable, column: unknown): string {
  if (typeof column === 'string' && (column === 'id' || Object.hasOwn(table.columns, column))) return column;
  const names = Object.keys(table.columns).join(', ');
  throw new Error(`${table.type} has no column ${String(column)}. It has ${names}.`);
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error('A condition has no list where it needs one.');
}

import { badInput } from '../../core/errors.js';
import * as sql from '../../store/sql/condition.js';
import { usesOf } from '../../store/tables/foreign-kinds.js';
import type { AnyTable } from '../../store/tables/table.js';
import { comparedValue } from '../declared/compared-values.js';
import type { Condition } from './domain.js';
import { formed } from './value-form.js';

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
      return sql.compare(knownColumn(table, column), op as sql.Operator, compared(table, column, value));
    case 'in':
      return sql.isIn(
        knownColumn(table, column),
        list(values).map((one) => compared(table, column, one)),
      );
    case 'null':
      return sql.isNull(knownColumn(table, column));
    case 'prefix':
      return {
        kind: 'prefix',
        column: textColumn(table, column),
        value: String(compared(table, column, value)),
      };
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

/** A value as a filter of callers would compare it, so that neither database takes it for another one. */
function compared(table: AnyTable, name: unknown, value: unknown): unknown {
  const column = table.columns[knownColumn(table, name)];
  if (column === undefined) return id(value);
  // An integer is compared with any number.
  if (column.kind === 'int' && Number.isFinite(value)) return value;
  const path = String(name).slice(1);
  return comparedValue(column, formed(column, value, path), path);
}

function id(value: unknown): string {
  if (typeof value === 'string') return value;
  throw badInput('`id` is no text.', 'id');
}

function textColumn(table: AnyTable, name: unknown): string {
  const known = knownColumn(table, name);
  const column = table.columns[known];
  if (column !== undefined && usesOf(column).filters.includes('STARTS_WITH')) return known;
  throw new Error(`${table.type}.${known} is no column of text, and only a text begins with another one.`);
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error('A condition has no list where it needs one.');
}

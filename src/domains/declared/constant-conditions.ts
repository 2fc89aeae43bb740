import { BehalfError } from '../../core/errors.js';
import type { Dialect } from '../../store/tables/dialect.js';
import { all, any, conditionSql, eq, isIn, isNull, not, type Condition } from '../../store/sql/condition.js';
import { inlined } from '../../store/sql/inlined.js';
import { usesOf } from '../../store/tables/foreign-kinds.js';
import { propertyOf } from '../../store/tables/foreign-table.js';
import type { AnyTable, Table } from '../../store/tables/table.js';
import { comparedValue } from './compared-values.js';
import type { ConstantCondition } from './declaration.js';
import type { Row } from './list-query.js';

/** What a type says of all its rows, as SQL for an alias, and what is wrong with it. */
interface Constants {
  readonly within: ((alias: string) => string) | undefined;
  readonly faults: readonly string[];
}

/** A row of a view without a value in its key could not be named, so it is not there either. */
export function constantsOf(
  table: AnyTable,
  where: readonly ConstantCondition[],
  dialect: Dialect,
): Constants {
  const faults: string[] = [];
  const conditions = where.flatMap((one) => {
    const made = conditionOf(table, one);
    if (typeof made !== 'string') return [made];
    faults.push(made);
    return [];
  });
  for (const property of table.isView === true ? table.primaryKey : [])
    if (table.columns[property]?.nullable === true) conditions.push(not(isNull<Row>(property)));
  if (conditions.length === 0) return { within: undefined, faults };
  const condition = all(...conditions);
  return {
    within: (alias) =>
      `(${inlined(conditionSql(table as unknown as Table<Row>, alias, condition, dialect), dialect)})`,
    faults,
  };
}

/** The condition, or why it cannot be. */
function conditionOf(table: AnyTable, { column: name, isNull: isMissing, equals, oneOf }: ConstantCondition) {
  const property = propertyOf(name);
  const column = table.columns[property];
  if (column === undefined)
    return `the column ${table.name}.${name}, which does not exist or cannot be shown`;
  const given = [isMissing, equals, oneOf].filter((one) => one !== undefined);
  if (given.length !== 1) return `the column ${name}: say one of isNull, equals and oneOf`;
  if (isMissing !== undefined) return isMissing ? isNull<Row>(property) : not(isNull<Row>(property));
  if (!usesOf(column).filters.includes('EQUALS'))
    return `the column ${table.name}.${name}, which compares inexactly`;
  try {
    const values = (oneOf ?? [equals ?? '']).map((value) => comparedValue(column, value, 'where'));
    const [only] = values;
    if (values.length === 0) return `the column ${name} with no values`;
    return values.length === 1 ? eq<Row>(property, only) : anyOf(property, values, column.kind === 'flag');
  } catch (error) {
    if (!(error instanceof BehalfError)) throw error;
    return `the column ${name} with a value of another form: ${error.message}`;
  }
}

const anyOf = (property: string, values: readonly unknown[], isFlag: boolean): Condition<Row> =>
  isFlag ? any(...values.map((value) => eq<Row>(property, value))) : isIn<Row>(property, values);

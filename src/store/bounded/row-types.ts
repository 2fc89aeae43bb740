import type { Authority } from '../../authority/authority.js';
import type { Boundaries } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import type { CacheState } from '../../core/lru.js';
import type { Dialect } from '../tables/dialect.js';
import { exactlyIn, type Sql } from '../sql/condition.js';
import { isInteger64, isUuid } from '../tables/canonical.js';
import { LookupByKey } from './lookup-by-key.js';
import type { RowType, ValueSql } from './row-type.js';
import { StatementShapes, type StatementShape } from './statement-shape.js';
import { TableChanges } from './table-changes.js';
import { valueSql } from './value-sql.js';
import type { AnyTable } from '../tables/table.js';

/** The SDL's `@rows` of one type. */
export interface RowDeclaration {
  readonly type: string;
  readonly scope: Scope;
  /** Maps dimensions to paths. A dimension that does not apply to the type is missing. */
  readonly bounds: ReadonlyMap<string, string>;
}

type Tables = readonly AnyTable[];

/** Combines the SDL's declarations with the tables. Throws where paths lead nowhere, and names them. */
export class RowTypes {
  /** Rows of tables that have changed are refused. */
  readonly changes = new TableChanges();
  private readonly byTable = new Map<string, RowType>();
  private readonly shapes = new StatementShapes();
  private readonly bounds = new WeakMap<Boundaries, Map<RowType, Sql>>();
  /** Entries live as long as both keys. Callers determine the shapes, and boundaries live long. */
  private readonly lookups = new WeakMap<Boundaries, WeakMap<StatementShape, Map<string, LookupByKey>>>();

  constructor(declarations: readonly RowDeclaration[], tables: Tables) {
    const byType = new Map(tables.map((table) => [table.type, table]));
    const byName = new Map(tables.map((table) => [table.name, table]));
    const faults: string[] = [];
    for (const declared of declarations) {
      const table = byType.get(declared.type);
      if (table === undefined) {
        faults.push(`${declared.type} is marked @rows and has no table`);
        continue;
      }
      try {
        const dimensions = new Map(
          [...declared.bounds].map(([dimension, path]) => [
            dimension,
            valueSql(table, path.split('.'), byName),
          ]),
        );
        const on = new Set([table.name, ...[...dimensions.values()].flatMap(({ tables: over }) => over)]);
        this.byTable.set(table.name, {
          type: declared.type,
          scope: declared.scope,
          table,
          dimensions,
          tables: on,
        });
      } catch (error) {
        faults.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (faults.length > 0) throw new Error(`Boundaries do not fit the tables:\n- ${faults.join('\n- ')}`);
  }

  /** Throws `UNAVAILABLE` where the table, or one on which its boundary rests, has changed since the start. */
  of(table: Pick<AnyTable, 'name' | 'type'>): RowType {
    const found = this.byTable.get(table.name);
    if (found === undefined) throw new Error(`${table.type} is not declared @rows`);
    this.changes.refuse(found.tables);
    return found;
  }

  /** Undefined for a type whose objects are not rows. */
  named(type: string): RowType | undefined {
    return this.all.find((rowType) => rowType.type === type);
  }

  /** The columns to read of the table's rows; all where `columns` is undefined. */
  shape(table: AnyTable, columns: ReadonlySet<string> | undefined, withDimensions: boolean): StatementShape {
    return this.shapes.of(this.of(table), columns, withDimensions);
  }

  /** The boundary of a scope over the table `t`. Equal boundaries share one result. */
  boundary(rowType: RowType, scope: Scope, authority: Authority, dialect: Dialect): Sql {
    const boundaries = authority.boundaries(scope);
    const known = this.bounds.get(boundaries) ?? new Map<RowType, Sql>();
    this.bounds.set(boundaries, known);
    const sql = known.get(rowType) ?? boundarySql(rowType, 't', boundaries, dialect);
    known.set(rowType, sql);
    return sql;
  }

  /**
   * The look-up of rows by the values of a column, inside the boundary of the type's own scope. Cached like
   * `boundary`.
   */
  lookup(
    table: AnyTable,
    column: string,
    shape: StatementShape,
    authority: Authority,
    dialect: Dialect,
  ): LookupByKey {
    const rowType = this.of(table);
    const boundaries = authority.boundaries(rowType.scope);
    const known = this.lookups.get(boundaries) ?? new WeakMap<StatementShape, Map<string, LookupByKey>>();
    this.lookups.set(boundaries, known);
    const ofShape = known.get(shape) ?? new Map<string, LookupByKey>();
    known.set(shape, ofShape);
    const lookup =
      ofShape.get(column) ??
      new LookupByKey(
        table,
        column,
        shape,
        boundarySql(rowType, 't', boundaries, dialect, 'checked'),
        dialect,
      );
    ofShape.set(column, lookup);
    return lookup;
  }

  get caches(): Readonly<Record<string, CacheState>> {
    return { shapes: this.shapes.byContent };
  }

  get all(): readonly RowType[] {
    return [...this.byTable.values()];
  }
}

/**
 * The one place where a boundary becomes SQL. A row is inside if one of the boundaries allows its value in
 * every dimension of its type, or one of several values, and if it fulfils the conditions of its table. NULL is in no set. An empty list allows no
 * row.
 * @param use `checked` where rows are found by a unique column. Otherwise SQLite might choose an index of a
 * boundary's column and try each of its values for each row. The unary `+` excludes that index.
 */
export function boundarySql(
  rowType: RowType,
  alias: string,
  boundaries: Boundaries,
  dialect: Dialect,
  use: 'free' | 'checked' = 'free',
): Sql {
  const sign = use === 'checked' ? '+' : '';
  const params: unknown[] = [];
  const alternatives = boundaries.flatMap((boundary): string[] => {
    const mine: unknown[] = [];
    const conditions: string[] = [];
    for (const [dimension, value] of rowType.dimensions) {
      const set = boundary.get(dimension);
      if (set === undefined || (set !== 'all' && set.size === 0)) return [];
      if (set === 'all') continue;
      const test = (expression: string): Sql => isOneOf(value, expression, set, dialect);
      const { text, params: values } = value.among?.exists(alias, test) ?? test(`${sign}${value.of(alias)}`);
      conditions.push(text);
      mine.push(...values);
    }
    params.push(...mine);
    return [conditions.length === 0 ? '1 = 1' : conditions.join(' AND ')];
  });
  if (alternatives.length === 0) return { text: '1 = 0', params: [] };
  const text = alternatives.map((alternative) => `(${alternative})`).join(' OR ');
  const { within } = rowType.table;
  return { text: within === undefined ? text : `${within(alias)} AND (${text})`, params };
}

/** Whether a value is in a set, exactly: no database may take one value for another. */
function isOneOf({ column }: ValueSql, expression: string, set: ReadonlySet<string>, dialect: Dialect): Sql {
  const { kind } = column;
  if (column.isCollated === true) return exactlyIn(column, expression, [...set], dialect);
  if (kind !== 'int' && kind !== 'bigint') {
    const values = kind === 'uuid' ? [...set].filter((value) => isUuid(value)) : [...set];
    if (values.length === 0) return { text: '1 = 0', params: [] };
    return { text: `${expression} IN (${values.map(() => '?').join(', ')})`, params: values };
  }
  // Compared with a number, the text `1x` would be 1, and numbers beyond 64 bits the largest one.
  const numbers = [...set].filter((value) => isInteger.test(value) && isStorable(value, dialect));
  if (numbers.length === 0) return { text: '1 = 0', params: [] };
  const number = wholeNumber[dialect];
  return { text: `${expression} IN (${numbers.map(() => number).join(', ')})`, params: numbers };
}

const isInteger = /^(?:0|-?[1-9]\d*)$/;
const isStorable = (value: string, dialect: Dialect): boolean =>
  isInteger64(value) && (dialect === 'mysql' || BigInt(value) < 2n ** 63n);
const wholeNumber = { sqlite: 'CAST(? AS INTEGER)', mysql: 'CAST(? AS DECIMAL(20, 0))' } as const;

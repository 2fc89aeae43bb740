import type { Authority } from '../../authority/authority.js';
import type { Boundaries } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import type { CacheState } from '../../core/lru.js';
import { columnName, quote, type Sql } from '../sql/condition.js';
import { LookupByKey } from './lookup-by-key.js';
import type { RowType, ValueSql } from './row-type.js';
import { StatementShapes, type StatementShape } from './statement-shape.js';
import type { AnyTable } from '../tables/table.js';

/** The SDL's `@rows` of one type. */
export interface RowDeclaration {
  readonly type: string;
  readonly scope: Scope;
  /** Maps dimensions to paths. A dimension that does not apply to the type is missing. */
  readonly bounds: ReadonlyMap<string, string>;
}

type Tables = readonly AnyTable[];

/**
 * Follows a path such as `customer.region`: the column `customerId` leads to the table that it references.
 */
function valueSql(table: AnyTable, path: readonly string[], tables: ReadonlyMap<string, AnyTable>): ValueSql {
  const [head = '', ...rest] = path;
  const columns = table.columns;
  if (rest.length === 0) {
    if (columns[head] === undefined) throw new Error(`${table.type} has no column ${head}`);
    return (alias) => `${alias}.${columnName(head)}`;
  }
  const key = `${head}Id`;
  const target = tables.get(columns[key]?.references ?? '');
  if (target === undefined) throw new Error(`${table.type} has no relation ${head}`);
  const inner = valueSql(target, rest, tables);
  return (alias) => {
    const next = `${alias}_${head}`;
    return `(SELECT ${inner(next)} FROM ${quote(target.name)} ${next} WHERE ${next}.\`id\` = ${alias}.${columnName(key)})`;
  };
}

/** Combines the SDL's declarations with the tables. Throws where paths lead nowhere, and names them. */
export class RowTypes {
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
        this.byTable.set(table.name, { type: declared.type, scope: declared.scope, table, dimensions });
      } catch (error) {
        faults.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (faults.length > 0) throw new Error(`Boundaries do not fit the tables:\n- ${faults.join('\n- ')}`);
  }

  of(table: Pick<AnyTable, 'name' | 'type'>): RowType {
    const found = this.byTable.get(table.name);
    if (found === undefined) throw new Error(`${table.type} is not declared @rows`);
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
  boundary(rowType: RowType, scope: Scope, authority: Authority): Sql {
    const boundaries = authority.boundaries(scope);
    const known = this.bounds.get(boundaries) ?? new Map<RowType, Sql>();
    this.bounds.set(boundaries, known);
    const sql = known.get(rowType) ?? boundarySql(rowType, 't', boundaries);
    known.set(rowType, sql);
    return sql;
  }

  /**
   * The look-up of rows by the values of a column, inside the boundary of the type's own scope. Cached like
   * `boundary`.
   */
  lookup(table: AnyTable, column: string, shape: StatementShape, authority: Authority): LookupByKey {
    const rowType = this.of(table);
    const boundaries = authority.boundaries(rowType.scope);
    const known = this.lookups.get(boundaries) ?? new WeakMap<StatementShape, Map<string, LookupByKey>>();
    this.lookups.set(boundaries, known);
    const ofShape = known.get(shape) ?? new Map<string, LookupByKey>();
    known.set(shape, ofShape);
    const lookup =
      ofShape.get(column) ??
      new LookupByKey(table, column, shape, boundarySql(rowType, 't', boundaries, 'checked'));
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
 * every dimension of its type. NULL is in no set. An empty list allows no row.
 * @param use `checked` where rows are found by a unique column. Otherwise SQLite might choose an index of a
 * boundary's column and try each of its values for each row. The unary `+` excludes that index.
 */
export function boundarySql(
  rowType: RowType,
  alias: string,
  boundaries: Boundaries,
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
      conditions.push(`${sign}${value(alias)} IN (${[...set].map(() => '?').join(', ')})`);
      mine.push(...set);
    }
    params.push(...mine);
    return [conditions.length === 0 ? '1 = 1' : conditions.join(' AND ')];
  });
  if (alternatives.length === 0) return { text: '1 = 0', params: [] };
  return { text: alternatives.map((alternative) => `(${alternative})`).join(' OR '), params };
}

import type { Authority } from '../../authority/authority.js';
import type { Scope } from '../../authority/scope.js';
import { asText } from '../sql/column-values.js';
import {
  all,
  columnName,
  conditionSql,
  isIn,
  orderSql,
  quote,
  type Condition,
  type Sql,
} from '../sql/condition.js';
import type { Connection } from '../sql/connection.js';
import { OperationStatements } from './operation-statements.js';
import { readBy, type PageQuery } from './page.js';
import { boundarySql, type RowTypes } from './row-types.js';
import type { AggregateQuery, RowQuery } from './row-query.js';
import type { RowType } from './row-type.js';
import type { StatementShape } from './statement-shape.js';
import type { Found, SharedRead } from '../sql/shared-reads.js';
import { stepOf } from './step-of.js';
import type { AnyTable, Table } from '../tables/table.js';
import { linkSql, ChildrenByParent, parentOf, parentsSql, type Link } from './children-by-parent.js';
import type { RowAccessObserver } from './row-access-observer.js';
import type { WordIndex, WordQuery } from './word-index.js';

/**
 * `plain` reads only the selected columns. `placed` also reads each row's dimension values, for rules that
 * look at rows. `whole` reads all columns, for mutations, whose answers are stored.
 */
export type ReadMode = 'plain' | 'placed' | 'whole';

/**
 * The statements behind `Rows`. Each carries the boundary of its scopes and reports the rows that it read to
 * the row access observer.
 */
export class BoundedReads {
  readonly statements: OperationStatements;

  constructor(
    private readonly connection: Connection,
    private readonly authority: Authority,
    private readonly observer: RowAccessObserver,
    private readonly types: RowTypes,
    private readonly mode: ReadMode,
  ) {
    this.statements = new OperationStatements(connection, observer, types.changes);
  }

  /** Returns the same object for the same columns, so that it can be used as a key. */
  shape<Row>(table: Table<Row>, columns: ReadonlySet<string> | undefined): StatementShape {
    const { mode } = this;
    return this.types.shape(table, mode === 'whole' ? undefined : columns, mode !== 'plain');
  }

  /**
   * Rows by a unique column; null for a missing row. Equal look-ups of the same moment share one statement.
   */
  async lookUp<Row extends { id: string }>(
    table: Table<Row>,
    column: keyof Row & string,
    values: readonly string[],
    columns: ReadonlySet<string> | undefined,
  ): Promise<(Row | null)[]> {
    const shared = this.statements.sharedFor(table);
    if (shared === undefined) {
      const rows = await this.rows(table, { where: isIn<Row>(column, values), columns });
      const byValue = new Map(rows.map((row) => [asText(row[column]), row]));
      const missing = values.length - byValue.size;
      if (byValue.size > 0 && missing > 0) this.observer.looked(table.type, 'read', missing);
      return values.map((value) => byValue.get(value) ?? null);
    }
    this.observer.asking();
    const { dialect } = this.connection;
    const lookup = this.types.lookup(table, column, this.shape(table, columns), this.authority, dialect);
    const found = await this.statements.shared(shared, lookup, values);
    const mine = values.map((value) => (found.get(value) ?? null) as Row | null);
    this.readEach(
      table,
      mine.map((row) => (row === null ? [] : [row])),
    );
    return mine;
  }

  async rows<Row extends { id: string }>(table: Table<Row>, query: RowQuery<Row>): Promise<Row[]> {
    const where = this.where(table, query.where, query.scopes);
    const order =
      query.order === undefined ? '' : ` ORDER BY ${orderSql(query.order, this.connection.dialect)}`;
    const limit = query.limit === undefined ? '' : ` LIMIT ${String(query.limit)}`;
    const lock = query.lock === true && this.connection.dialect === 'mysql' ? ' FOR UPDATE' : '';
    const shape = this.shape(table, query.columns);
    const raw = await this.statements.queryOf(
      table,
      `SELECT ${shape.select} FROM ${quote(table.name)} t WHERE ${where.text}${order}${limit}${lock}`,
      where.params,
    );
    const rows = this.decoded<Row>(shape, raw);
    this.read(table, query.shown === undefined ? rows : rows.slice(0, query.shown));
    return rows;
  }

  private decoded<Row>(shape: StatementShape, raw: readonly Record<string, unknown>[]): Row[] {
    try {
      return raw.map((row) => shape.decode(row) as Row);
    } catch (error) {
      throw this.statements.asUnavailable(error);
    }
  }

  /** For each parent, one page and one row more. Equal reads of the same moment share one statement. */
  async children<Row extends { id: string }>(
    table: Table<Row>,
    link: Link<Row>,
    parents: readonly string[],
    query: PageQuery<Row> & Pick<RowQuery<Row>, 'columns'>,
  ): Promise<Row[][]> {
    const shared = this.statements.sharedFor(table);
    const condition = this.where(table, query.where, query.scopes);
    const children = new ChildrenByParent(
      table,
      link,
      this.connection.dialect,
      this.shape(table, query.columns),
      query,
      condition,
    );
    const found = await (shared === undefined
      ? this.alone(table, children, parents)
      : this.statements.shared(shared, children, parents));
    const pages = parents.map((id) => found.get(id) ?? []);
    this.readEach(
      table,
      pages.map((rows) => rows.slice(0, readBy(query.size))),
    );
    return pages;
  }

  private async alone<T>(table: AnyTable, read: SharedRead<T>, values: readonly string[]): Promise<Found<T>> {
    const { text, params } = read.sql(values);
    return read.decode(await this.statements.queryOf(table, text, params));
  }

  async count<Row>(table: Table<Row>, condition: Condition<Row>, scopes: readonly Scope[]): Promise<number> {
    const where = this.bounded(table, condition, scopes);
    const rows = await this.statements.queryOf(
      table,
      `SELECT COUNT(*) AS n FROM ${quote(table.name)} t WHERE ${where.text}`,
      where.params,
    );
    return Number(rows[0]?.n ?? 0);
  }

  /** The number of rows of each parent. A parent without rows is missing. */
  async counts<Row>(
    table: Table<Row>,
    link: Link<Row>,
    parents: readonly string[],
    query: Pick<RowQuery<Row>, 'where' | 'scopes'>,
  ): Promise<Map<string, number>> {
    const { from, parent, select } = linkSql(table, link);
    const children = parentsSql(table, link, parents, this.connection.dialect);
    const where = this.where(table, query.where, query.scopes);
    const rows = await this.statements.queryOf(
      table,
      `SELECT ${select}, COUNT(*) AS n FROM ${from} WHERE ${children.text} AND ${where.text} ` +
        `GROUP BY ${parent.join(', ')}`,
      [...children.params, ...where.params],
    );
    return new Map(rows.map((row) => [parentOf(table, link, row), Number(row.n)]));
  }

  /**
   * Candidate rows that a word index finds, sorted by id. The row access observer is not told; `shown`
   * reports the rows that the caller gets. The inner query selects row numbers only, because a sort of whole
   * rows would copy all their text.
   */
  async candidates<Row extends { id: string }>(
    index: WordIndex<Row>,
    query: WordQuery,
    scopes: readonly Scope[],
  ): Promise<Row[]> {
    const { table } = index;
    const where = this.where(table, all<Row>(), scopes);
    const shape = this.shape(table, undefined);
    const { dialect } = this.connection;
    const join = dialect === 'mysql' ? 'STRAIGHT_JOIN' : 'CROSS JOIN';
    const rows: Row[] = [];
    for (const { text, params } of index.find(query, dialect)) {
      const raw = await this.statements.heavyQuery(
        `SELECT ${shape.select} FROM (${text}) c ${join} ${quote(table.name)} t ON t.\`row_no\` = c.n WHERE ${where.text}`,
        [...params, ...where.params],
      );
      rows.push(...raw.map((row) => shape.decode(row) as Row));
    }
    return rows.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, query.limit);
  }

  /** The values of a column in the rows inside a scope's boundary. */
  async values<Row>(table: Table<Row>, column: keyof Row & string, scope: Scope): Promise<string[]> {
    const where = this.bounded(table, all<Row>(), [scope]);
    const rows = await this.statements.query(
      `SELECT t.${columnName(column)} AS \`value\` FROM ${quote(table.name)} t WHERE ${where.text}`,
      where.params,
      true,
    );
    return rows.map((row) => asText(row.value));
  }

  shown(table: { readonly type: string }, rows: readonly { id: string }[]): void {
    this.read(table, rows);
  }

  async groups<Row>(table: Table<Row>, query: AggregateQuery): Promise<Record<string, unknown>[]> {
    const joins = query.joins ?? [];
    const { dialect } = this.connection;
    const joined = joins.map((join) => ` JOIN ${quote(join.table.name)} ${quote(join.name)} ON ${join.on}`);
    const parts: Sql[] = [...this.counted(table), ...(query.where === undefined ? [] : [query.where])];
    for (const scope of [query.scope, ...(query.scopes ?? [])]) {
      for (const at of [{ name: 't', table }, ...joins]) {
        parts.push(boundarySql(this.types.of(at.table), at.name, this.authority.boundaries(scope), dialect));
      }
    }
    const select = Object.entries(query.select).map(([name, sql]) => `${sql} AS ${quote(name)}`);
    const where = parts.map((part) => `(${part.text})`).join(' AND ');
    const groupBy = query.groupBy.length === 0 ? '' : ` GROUP BY ${query.groupBy.join(', ')}`;
    const sql =
      `SELECT ${select.join(', ')} FROM ${quote(table.name)} t${joined.join('')} WHERE ${where}${groupBy}` +
      ` LIMIT ${String(Math.trunc(query.limit))}`;
    const params = parts.flatMap((part) => part.params);
    return this.statements.aggregate(sql, params);
  }

  typeNamed(type: string): RowType | undefined {
    return this.types.named(type);
  }

  typeOf(table: AnyTable): RowType {
    return this.types.of(table);
  }

  /** The condition, then the boundaries of the type's own scope and of each further scope. */
  private where<Row>(table: Table<Row>, condition: Condition<Row>, scopes: readonly Scope[] = []): Sql {
    return this.bounded(table, condition, [this.types.of(table).scope, ...scopes]);
  }

  private bounded<Row>(table: Table<Row>, condition: Condition<Row>, scopes: readonly Scope[]): Sql {
    this.observer.asking();
    const rowType = this.types.of(table);
    const own = conditionSql(table, 't', condition, this.connection.dialect);
    const bounds = [...new Set(scopes)].map((scope) =>
      this.types.boundary(rowType, scope, this.authority, this.connection.dialect),
    );
    const parts = [...this.counted(table), own, ...bounds];
    return {
      text: parts.map((part) => `(${part.text})`).join(' AND '),
      params: parts.flatMap((part) => part.params),
    };
  }

  /**
   * Comes first, so that rows that later conditions reject are counted too. On MySQL a time limit ends
   * statements instead.
   */
  private counted(table: AnyTable): readonly Sql[] {
    return this.connection.dialect === 'sqlite' ? [{ text: stepOf(table), params: [] }] : [];
  }

  private read(table: { readonly type: string }, rows: readonly { id: string }[]): void {
    this.readEach(table, [rows]);
  }

  /**
   * Reports the rows of several answers. An answer without rows reveals that there are none, so it is
   * reported too.
   */
  private readEach(table: { readonly type: string }, answers: readonly (readonly { id: string }[])[]): void {
    const ids = answers.flatMap((rows) => rows.map((row) => row.id));
    if (ids.length > 0) this.observer.touched(table.type, ids, 'read');
    const empty = answers.filter((rows) => rows.length === 0).length;
    if (empty > 0) this.observer.looked(table.type, 'read', empty);
  }
}

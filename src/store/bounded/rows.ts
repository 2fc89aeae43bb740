import DataLoader from 'dataloader';
import type { Authority } from '../../authority/authority.js';
import { isInside, type DimensionValues } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import { notFound } from '../../core/errors.js';
import type { TextSeal } from '../../core/text-seal.js';
import { isId } from '../../core/ids.js';
import type { ColumnSelection } from './column-selection.js';
import { BoundedReads, type ReadMode } from './bounded-reads.js';
import { all, type Condition } from '../sql/condition.js';
import type { Connection } from '../sql/connection.js';
import { Cursors } from './cursor.js';
import { withDimensionValues, dimensionValuesOf } from './dimension-values.js';
import { pageColumns, pageOf, pageQuery, pageSizeOf, readBy, type ListQuery, type Page } from './page.js';
import type { AggregateQuery } from './row-query.js';
import type { RowTypes } from './row-types.js';
import type { StatementShape } from './statement-shape.js';
import type { StoredDimensionValues } from '../tables/identity.js';
import type { AnyTable, Table } from '../tables/table.js';
import type { Link } from './children-by-parent.js';
import { mayReadWritten, type Written } from './may-read-written.js';
import { scanned, wholeRow, type Scanned } from './scanned.js';
import type { RowAccessObserver } from './row-access-observer.js';
import type { WordIndex, WordQuery } from './word-index.js';

/**
 * The only way from a resolver to rows. Every statement carries the caller's boundary, and every row read or
 * written is reported to the row access observer. One instance serves one operation.
 */
export class Rows {
  protected readonly reads: BoundedReads;
  private loaders = new Map<string | StatementShape, DataLoader<string, unknown>>();
  private sharedWork = new Map<string, Promise<unknown>>();

  constructor(
    protected readonly connection: Connection,
    readonly authority: Authority,
    protected readonly observer: RowAccessObserver,
    types: RowTypes,
    private readonly pageSizeMax: number,
    private readonly seal: TextSeal,
    mode: ReadMode,
  ) {
    this.reads = new BoundedReads(connection, authority, observer, types, mode);
  }

  /**
   * One row, or null where it does not exist or is outside the boundary. Calls of one tick share a statement.
   */
  get<R extends { id: string }>(
    table: Table<R>,
    id: string | null,
    selection?: ColumnSelection,
  ): Promise<R | null> {
    return id === null || !isIdOf(table, id) ? nothing : this.getBy(table, 'id', id, selection);
  }

  /** As `get`, by another unique column. */
  getBy<R extends { id: string }>(
    table: Table<R>,
    column: keyof R & string,
    value: string,
    selection?: ColumnSelection,
  ): Promise<R | null> {
    // A look-up by another column is rare. It reads the whole row, which keeps the loader's keys few.
    const columns = column === 'id' ? selection?.columns(table) : undefined;
    const key = column === 'id' ? this.reads.shape(table, columns) : `get ${table.name} ${column}`;
    const loader = this.loader(key, (values) => this.reads.lookUp(table, column, values, columns));
    return loader.load(value) as Promise<R | null>;
  }

  /**
   * The first row that fulfils the condition, or null.
   * @param scopes of the fields that the condition looks at
   */
  async find<R extends { id: string }>(
    table: Table<R>,
    where: Condition<R>,
    selection?: ColumnSelection,
    scopes: readonly Scope[] = [],
  ): Promise<R | null> {
    const query = { where, scopes, limit: 1, columns: selection?.columns(table) };
    return (await this.reads.rows(table, query))[0] ?? null;
  }

  /** One row. Throws `NOT_FOUND` where there is none. */
  async need<R extends { id: string }>(table: Table<R>, id: string, selection?: ColumnSelection): Promise<R> {
    const row = await this.get(table, id, selection);
    if (row === null) throw notFound(table.type);
    return row;
  }

  /**
   * An earlier version of a row. Throws `NOT_FOUND` where it was outside today's boundary then, or is now.
   * @param storedValues its dimension values of that time; a dimension added since has none
   */
  async earlier<R extends { id: string }>(
    table: Table<R>,
    row: R,
    storedValues: StoredDimensionValues,
  ): Promise<R> {
    const { scope, dimensions } = this.reads.typeOf(table);
    const values: DimensionValues = new Map(
      [...dimensions.keys()].map((name) => [name, storedValues[name] ?? null]),
    );
    if (!isInside(this.authority.boundaries(scope), values)) throw notFound(table.type);
    const now = await this.need(table, row.id);
    return withDimensionValues(row, values, ...(dimensionValuesOf(now) ?? []));
  }

  /** A page of rows in a total order. */
  async list<R extends { id: string }>(
    table: Table<R>,
    query: ListQuery<R>,
    selection?: ColumnSelection,
  ): Promise<Page<R>> {
    const paged = this.paged(table, query, null);
    const page = paged.query;
    const columns = pageColumns(page, selection?.columns(table));
    const rows = await this.reads.rows(table, {
      columns,
      limit: page.size + 1,
      shown: readBy(page.size),
      ...page,
    });
    return pageOf(rows, paged, () => this.count(table, query));
  }

  /** A page for each parent. Equal calls of one tick share a statement for all their parents. */
  children<R extends { id: string }>(
    table: Table<R>,
    column: keyof R & string,
    parentId: string,
    query: ListQuery<R>,
    selection?: ColumnSelection,
  ): Promise<Page<R>> {
    return this.linked(table, { column }, parentId, query, selection);
  }

  /** As `children`, for rows linked to their parents in another way, such as by a table of pairs. */
  async linked<R extends { id: string }>(
    table: Table<R>,
    link: Link<R>,
    parent: string,
    query: ListQuery<R>,
    selection?: ColumnSelection,
  ): Promise<Page<R>> {
    const paged = this.paged(table, query, [link, parent]);
    const page = paged.query;
    const columns = pageColumns(page, selection?.columns(table));
    const shape = this.reads.shape(table, columns);
    const loader = this.loader(JSON.stringify(['linked', link, page, shape.key]), (parents) =>
      this.reads.children(table, link, parents, { columns, ...page }),
    );
    const rows = (await loader.load(parent)) as R[];
    return pageOf(rows, paged, () => this.countLinked(table, link, parent, query));
  }

  /** @param below identifies the parent of the list */
  private paged<R extends { id: string }>(table: Table<R>, query: ListQuery<R>, below: unknown) {
    const cursors = (list: readonly unknown[]): Cursors => this.cursors([...list, below]);
    return pageQuery(table, query, { sizeMax: this.pageSizeMax, cursors });
  }

  /** The cursors of a list for this caller only: the person and the delegations of the chain. */
  cursors(list: readonly unknown[]): Cursors {
    const { chain, task } = this.authority;
    return new Cursors(this.seal, [...list, chain.person.id, task?.delegationIds ?? []]);
  }

  private async countLinked<R extends { id: string }>(
    table: Table<R>,
    link: Link<R>,
    parent: string,
    query: ListQuery<R>,
  ): Promise<number> {
    this.observer.touched(table.type, [], 'aggregate');
    const { where = all<R>(), scopes = [] } = query;
    const key = JSON.stringify(['counts', table.name, link, where, scopes]);
    const loader = this.loader(key, async (parents) => {
      const counts = await this.reads.counts(table, link, parents, { where, scopes });
      return parents.map((id) => counts.get(id) ?? 0);
    });
    return (await loader.load(parent)) as number;
  }

  /** The number of rows in a list. The charge for its page covers it. */
  private async count<R>(table: Table<R>, query: Pick<ListQuery<R>, 'where' | 'scopes'>): Promise<number> {
    this.observer.touched(table.type, [], 'aggregate');
    const scopes = [this.reads.typeOf(table).scope, ...(query.scopes ?? [])];
    return this.reads.count(table, query.where ?? all<R>(), scopes);
  }

  /**
   * Rows to choose from, such as candidates that a search ranks: the first rows with the words, in the order
   * of their ids. The caller of `scan` reads only the named columns. The boundary applies. The row access
   * observer learns of one look; `show` reports the rows that the caller gets.
   */
  async scan<R extends { id: string }, K extends keyof R & string>(
    index: WordIndex<R>,
    columns: readonly K[],
    query: WordQuery,
    scopes: readonly Scope[],
  ): Promise<Scanned<R, K>[]> {
    this.observer.touched(index.table.type, [], 'aggregate');
    const rows = await this.reads.candidates(index, query, scopes);
    return rows.map((row) => scanned(row, columns));
  }

  /**
   * The values of a column in all rows inside a scope's boundary, such as keys for a further look-up. They
   * are not part of any answer, so the row access observer is not told.
   */
  values<R>(table: Table<R>, column: keyof R & string, scope: Scope): Promise<string[]> {
    return this.reads.values(table, column, scope);
  }

  /** The whole rows chosen from a scan. They count as read. */
  show<R extends { id: string }>(table: Table<R>, chosen: readonly Scanned<R, never>[]): R[] {
    const rows = chosen.map(wholeRow);
    this.reads.shown(table, rows);
    return rows;
  }

  /** Shares work between fields of the operation: it runs once for a key, until rows change. */
  shared<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.sharedWork.get(key) ?? work();
    this.sharedWork.set(key, known);
    return known as Promise<T>;
  }

  /** Throws `LIMIT_EXCEEDED` where the operation has used up its time. */
  inTime(): void {
    this.observer.asking();
  }

  /** The dimensions of a table's rows, from the SDL. */
  dimensionsOf(table: AnyTable): string[] {
    return [...this.reads.typeOf(table).dimensions.keys()];
  }

  /** Groups and sums inside the boundary of one scope. Values are returned as the driver gives them. */
  aggregate<R>(table: Table<R>, query: AggregateQuery): Promise<Record<string, unknown>[]> {
    this.observer.looked(table.type, 'aggregate', 1);
    return this.reads.groups(table, query);
  }

  /** Whether the caller may read, under this scope, values written to rows of a type. */
  mayRead(type: string, scope: Scope, written: Written): Promise<boolean> {
    return mayReadWritten(this.reads, this.authority, this.reads.typeNamed(type), scope, written);
  }

  /** The scope that reads rows of a type. Undefined where the type has none. */
  scopeOfType(type: string): Scope | undefined {
    return this.reads.typeNamed(type)?.scope;
  }

  /**
   * Resolves when no read is under way. An answer with errors may be ready before all resolvers have ended.
   */
  settled(): Promise<void> {
    return this.reads.statements.settled();
  }

  /** The number of rows in a page: the requested size, up to the maximum. */
  pageSize(first: number | null | undefined): number {
    return pageSizeOf(first, this.pageSizeMax);
  }

  /** Drops all cached reads after a change. Code that changes rows without `Rows` calls it too. */
  forget(): void {
    this.loaders = new Map();
    this.sharedWork = new Map();
  }

  private loader(
    key: string | StatementShape,
    batch: (keys: readonly string[]) => Promise<unknown[]>,
  ): DataLoader<string, unknown> {
    const known = this.loaders.get(key);
    if (known !== undefined) return known;
    const made = new DataLoader<string, unknown>(batch, { maxBatchSize: 1_000 });
    this.loaders.set(key, made);
    return made;
  }
}

const nothing = Promise.resolve(null);

/** Whether the text has the form of an id of the table's rows. */
export const isIdOf = ({ key }: Pick<AnyTable, 'key'>, id: string): boolean =>
  key === undefined ? isId(id) : key.valuesOf(id) !== undefined;

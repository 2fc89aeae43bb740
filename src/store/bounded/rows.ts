import DataLoader from 'dataloader';
import type { Authority } from '../../authority/authority.js';
import { isInside, type DimensionValues } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import { BehalfError, notFound } from '../../core/errors.js';
import type { TextSeal } from '../../core/text-seal.js';
import { isId } from '../../core/ids.js';
import type { ColumnSelection } from './column-selection.js';
import { BoundedReads, type AggregateQuery, type ReadMode } from './bounded-reads.js';
import { all, eq, isIn, type Condition } from '../sql/condition.js';
import type { Connection } from '../sql/connection.js';
import { Cursors } from './cursor.js';
import { withDimensionValues, dimensionValuesOf } from './dimension-values.js';
import { pageOf, pageQuery, pageSizeOf, readBy, type ListQuery, type Page } from './page.js';
import { refusedByRule, writeFault } from '../sql/write-faults.js';
import type { RowTypes } from './row-types.js';
import type { StatementShape } from './statement-shape.js';
import type { StoredDimensionValues } from '../tables/identity.js';
import type { AnyTable, Table } from '../tables/table.js';
import type { Link } from './children-by-parent.js';
import type { RowAccessObserver } from './row-access-observer.js';
import type { WordIndex, WordQuery } from './word-index.js';

const whole = Symbol('whole');

/** The maximum number of rows that are checked for the values written to them. */
const writtenMax = 100;

/** The rows to which values were written. */
export interface Written {
  readonly ids: readonly string[];
  readonly places: readonly DimensionValues[];
  /** Whether the caller is the person on whose behalf, and within whose rights, it was written. */
  readonly isOwn: boolean;
}

/** A scanned row: some of its columns, and the whole row under a symbol that only `Rows` knows. */
export type Scanned<R, K extends keyof R> = Pick<R, K> & { readonly [whole]: R };

/**
 * The only way from a resolver to rows. Every statement carries the caller's boundary, and every row read or
 * written is reported to the row access observer. One instance serves one operation.
 */
export class Rows {
  private readonly reads: BoundedReads;
  private loaders = new Map<string | StatementShape, DataLoader<string, unknown>>();
  private sharedWork = new Map<string, Promise<unknown>>();
  private readonly writesUnderWay: Promise<unknown>[] = [];
  private failedWrite: Error | undefined;

  constructor(
    private readonly connection: Connection,
    readonly authority: Authority,
    private readonly observer: RowAccessObserver,
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
    const rows = chosen.map((one) => one[whole]);
    this.reads.shown(table, rows);
    return rows;
  }

  /**
   * Whether a row that a write under `scope` refers to is inside that scope's boundary. The type's own scope
   * is not needed, because the row is not read.
   */
  async exists<R>(table: Table<R>, where: Condition<R>, scope: Scope): Promise<boolean> {
    this.observer.looked(table.type, 'aggregate', 1);
    return (await this.reads.count(table, where, [scope])) > 0;
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

  /** Adds a row, which must lie inside the boundary of `scope`. */
  insert<R extends { id: string }>(table: Table<R>, row: R, scope: Scope): Promise<R> {
    return this.writing(table, async () => {
      await this.connection.insert(table, [row]);
      return this.created(table, row.id, [scope]);
    });
  }

  /**
   * Adds a row of which some values are given; the database has the others. It must lie inside the boundaries of all
   * `scopes`.
   */
  create<R extends { id: string }>(
    table: Table<R>,
    values: Partial<R>,
    scopes: readonly Scope[],
  ): Promise<R> {
    return this.writing(table, async () => {
      const id = await this.connection.insertValues(table, values);
      if (id === undefined) throw refusedByRule();
      return this.created(table, id, scopes);
    });
  }

  /** Changes a row, which must lie inside the boundary of `scope` before and after; else `NOT_FOUND`. */
  update<R extends { id: string }>(
    table: Table<R>,
    id: string,
    changes: Partial<R>,
    scope: Scope,
    expectedVersion?: number,
  ): Promise<R> {
    return this.change(table, id, [scope], (before) => {
      const version = (before as { version?: number }).version;
      if (expectedVersion !== undefined && version !== expectedVersion)
        throw changedMeanwhile(table, version);
      return version === undefined ? changes : { ...changes, version: version + 1 };
    });
  }

  /**
   * Changes a row as `decide` says of the row as it is. It must lie inside the boundaries of all `scopes` before and
   * after; else `NOT_FOUND`.
   */
  change<R extends { id: string }>(
    table: Table<R>,
    id: string,
    scopes: readonly Scope[],
    decide: (before: R) => Partial<R>,
  ): Promise<R> {
    return this.writing(table, async () => {
      const before = this.written(table, await this.inside(table, id, scopes, true));
      const changed = await this.connection.update(table, eq<R>('id', id), decide(before));
      if (changed !== 1) throw refusedByRule();
      this.forget();
      this.observer.touched(table.type, [id], 'update');
      return this.written(table, await this.inside(table, id, scopes));
    });
  }

  /** Deletes a row that lies inside the boundary of `scope`, unless `check` throws. */
  remove<R extends { id: string }>(
    table: Table<R>,
    id: string,
    scope: Scope,
    check: (before: R) => void,
  ): Promise<void> {
    return this.writing(table, async () => {
      check(this.written(table, await this.inside(table, id, scope, true)));
      const deleted = await this.connection.delete(table, eq<R>('id', id));
      if (deleted !== 1) throw refusedByRule();
      this.forget();
      this.observer.touched(table.type, [id], 'delete');
    });
  }

  private async created<R extends { id: string }>(
    table: Table<R>,
    id: string,
    scopes: readonly Scope[],
  ): Promise<R> {
    this.forget();
    this.observer.touched(table.type, [id], 'create');
    return this.written(table, await this.inside(table, id, scopes));
  }

  /** A write that fails undoes the whole operation, also where the failure is caught: see `writes`. */
  private writing<T>({ type }: { readonly type: string }, write: () => Promise<T>): Promise<T> {
    const done = write().catch((error: unknown) => {
      const fault = this.reads.asUnavailable(writeFault(error, type));
      this.failedWrite ??= fault instanceof Error ? fault : new Error(String(fault));
      throw fault;
    });
    this.writesUnderWay.push(done);
    return done;
  }

  /** Resolves when no write is under way. Throws where one has failed: what was written must not be kept. */
  async writes(): Promise<void> {
    while (this.writesUnderWay.length > 0) await Promise.allSettled(this.writesUnderWay.splice(0));
    if (this.failedWrite !== undefined) throw this.failedWrite;
  }

  /**
   * Whether a message may show figures from rows that this scope reads and that belong to this row. A caller
   * who may only write them learns that a change is refused, but not by how much.
   */
  mayTell(row: object, scope: Scope): boolean {
    return (dimensionValuesOf(row) ?? []).some((values) =>
      isInside(this.authority.boundaries(scope), values),
    );
  }

  private written<R extends object>(table: Table<R>, row: R): R {
    for (const values of dimensionValuesOf(row) ?? []) this.observer.wrote(table.type, values);
    return row;
  }

  /**
   * Whether the caller may read, under this scope, values written to rows of a type: where the scope is held
   * without bounds, or where all these rows are inside its boundary, as they were then and as they are now.
   * The rows count as read.
   */
  async mayRead(type: string, scope: Scope, written: Written): Promise<boolean> {
    const rowType = this.reads.typeNamed(type);
    const scopes = [scope, ...(rowType === undefined ? [] : [rowType.scope])];
    if (!scopes.every((one) => this.authority.allows(one))) return false;
    const dimensions = [...(rowType?.dimensions.keys() ?? [])];
    const isEverywhere = (one: Scope): boolean =>
      this.authority
        .boundaries(one)
        .some((boundary) => dimensions.every((dimension) => boundary.get(dimension) === 'all'));
    if (rowType === undefined || scopes.every(isEverywhere)) return true;
    const { ids, places } = written;
    if (ids.length === 0) return written.isOwn;
    const isIn = (values: DimensionValues): boolean =>
      scopes.every((one) => isInside(this.authority.boundaries(one), values));
    return ids.length <= writtenMax && places.every(isIn) && this.reaches(rowType.table, ids, scope);
  }

  /** The scope that reads rows of a type. Undefined where the type has none. */
  scopeOfType(type: string): Scope | undefined {
    return this.reads.typeNamed(type)?.scope;
  }

  private async reaches(table: AnyTable, ids: readonly string[], scope: Scope): Promise<boolean> {
    const where = isIn<{ id: string }>('id', ids);
    const query = { where, scopes: [scope], columns: new Set(['id']) };
    const rows = await this.reads.rows(table as unknown as Table<{ id: string }>, query);
    return rows.length === ids.length;
  }

  /**
   * Adds rows that the server derives from a parent row, such as a document's version. Throws `NOT_FOUND`
   * where the parent or the added rows are outside the boundary of `scope`. They are part of the parent: the
   * row access observer is told of the parent only.
   */
  addParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly table: Table<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
  ): Promise<void> {
    return this.writeParts(parent, parts, rows, scope, () => this.connection.insert(parts.table, rows));
  }

  /** As `addParts`, but replaces the parent's earlier rows. For rows of a word index. */
  replaceParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly index: WordIndex<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
  ): Promise<void> {
    const { index, column } = parts;
    return this.writeParts(parent, { table: index.table, column }, rows, scope, () =>
      index.replace(this.connection, column, parent.id, rows),
    );
  }

  private writeParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly table: Table<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
    write: () => Promise<void>,
  ): Promise<void> {
    return this.writing(parent.table, async () => {
      await this.inside(parent.table, parent.id, scope);
      if (rows.some((row) => row[parts.column] !== parent.id))
        throw new Error('A part names another parent.');
      await write();
      this.forget();
      const ids = rows.map((row) => row.id);
      const inside = await this.reads.count(parts.table, isIn<R>('id', ids), [scope]);
      if (inside !== rows.length) throw notFound(parent.table.type);
    });
  }

  /**
   * Reads a row for a change under one or several scopes. Throws `NOT_FOUND` where it is outside of a boundary.
   */
  async inside<R extends { id: string }>(
    table: Table<R>,
    id: string,
    under: Scope | readonly Scope[],
    lock = false,
  ): Promise<R> {
    if (!isIdOf(table, id)) throw notFound(table.type);
    const scopes = typeof under === 'string' ? [under] : under;
    const rows = await this.reads.rows(table, { where: eq<R>('id', id), scopes, limit: 1, lock });
    const row = rows[0];
    if (row === undefined) throw notFound(table.type);
    return row;
  }

  /**
   * Resolves when no read is under way. An answer with errors may be ready before all resolvers have ended.
   */
  settled(): Promise<void> {
    return this.reads.settled();
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

/** Somebody changed the row after the caller read it. @param version of now, where callers know it by that */
export const changedMeanwhile = ({ type }: { readonly type: string }, version?: number): BehalfError =>
  new BehalfError(
    'CONFLICT',
    `${type} has changed meanwhile${version === undefined ? '' : `: it is at version ${String(version)}`}.`,
    { hint: 'Read it again and repeat the change on what you find.' },
  );

/** Whether the text has the form of an id of the table's rows. */
const isIdOf = ({ key }: Pick<AnyTable, 'key'>, id: string): boolean =>
  key === undefined ? isId(id) : key.valuesOf(id) !== undefined;

/** The selected columns plus those of the order, which cursors need. */
const pageColumns = (
  page: { readonly order: readonly { readonly column: string }[] },
  columns: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined => page.order.reduce((all, by) => withColumns(all, by.column), columns);

const withColumns = (columns: ReadonlySet<string> | undefined, column: string) =>
  columns === undefined || columns.has(column) ? columns : new Set([...columns, column]);

function scanned<R, K extends keyof R & string>(row: R, columns: readonly K[]): Scanned<R, K> {
  const seen: Record<string, unknown> & { readonly [whole]: R } = { [whole]: row };
  for (const key of columns) seen[key] = row[key];
  return seen as unknown as Scanned<R, K>;
}

import DataLoader from 'dataloader';
import type { Authority } from '../../authority/authority.js';
import { isInside, type DimensionValues } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import { BehalfError, conflict, notFound } from '../../core/errors.js';
import type { Seal } from '../../core/seal.js';
import { isId } from '../../core/ids.js';
import type { ColumnSelection } from './column-selection.js';
import { BoundedReads, type AggregateQuery, type ReadMode } from './bounded-reads.js';
import { all, eq, isIn, type Condition } from '../sql/condition.js';
import type { Connection } from '../sql/connection.js';
import { Cursors } from './cursor.js';
import { withDimensionValues, dimensionValuesOf } from './dimension-values.js';
import { pageOf, pageQuery, pageSizeOf, readBy, type ListQuery, type Page } from './page.js';
import { isDuplicate } from '../sql/database.js';
import type { RowTypes } from './row-types.js';
import type { StatementShape } from './statement-shape.js';
import type { StoredDimensionValues } from '../tables/identity.js';
import type { AnyTable, Table } from '../tables/table.js';
import type { Link } from './windows.js';
import type { RowAccessObserver } from './row-access-observer.js';
import type { WordIndex, WordQuery } from './word-index.js';

const whole = Symbol('whole');

/** How many rows are looked at for the values that were written to them. */
const writtenMax = 100;

/** Where something was written. */
export interface Written {
  readonly ids: readonly string[];
  readonly places: readonly DimensionValues[];
  /** Whether the caller is the person on whose behalf it was done, within whose rights it was. */
  readonly isOwn: boolean;
}

/** A row of a scan: some of its columns, and the rest under a name that only `Rows` knows. */
export type Scanned<R, K extends keyof R> = Pick<R, K> & { readonly [whole]: R };

/**
 * The only way from a resolver to rows. Every statement carries the caller's boundary, whichever path led to
 * it, and every row that comes or goes is told to the witness. One instance serves one operation.
 */
export class Rows {
  private readonly reads: BoundedReads;
  private loaders = new Map<string | StatementShape, DataLoader<string, unknown>>();
  private works = new Map<string, Promise<unknown>>();

  constructor(
    private readonly connection: Connection,
    readonly authority: Authority,
    private readonly observer: RowAccessObserver,
    types: RowTypes,
    private readonly pageSizeMax: number,
    private readonly seal: Seal,
    mode: ReadMode,
  ) {
    this.reads = new BoundedReads(connection, authority, observer, types, mode);
  }

  /** One row, or null where it is not there or outside the boundary. Calls of one tick share a statement. */
  get<R extends { id: string }>(
    table: Table<R>,
    id: string | null,
    selection?: ColumnSelection,
  ): Promise<R | null> {
    return id === null || !isId(id) ? nothing : this.getBy(table, 'id', id, selection);
  }

  /** As `get`, by another column that is unique. */
  getBy<R extends { id: string }>(
    table: Table<R>,
    column: keyof R & string,
    value: string,
    selection?: ColumnSelection,
  ): Promise<R | null> {
    // By another column the whole row is read, which is rare and keeps the keys few.
    const columns = column === 'id' ? selection?.columns(table) : undefined;
    const key = column === 'id' ? this.reads.shape(table, columns) : `get ${table.name} ${column}`;
    const loader = this.loader(key, (values) => this.reads.lookUp(table, column, values, columns));
    return loader.load(value) as Promise<R | null>;
  }

  /** One row by a unique column, or null. */
  async find<R extends { id: string }>(
    table: Table<R>,
    where: Condition<R>,
    selection?: ColumnSelection,
  ): Promise<R | null> {
    return (await this.reads.rows(table, { where, limit: 1, columns: selection?.columns(table) }))[0] ?? null;
  }

  /** One row, or `NOT_FOUND`. */
  async need<R extends { id: string }>(table: Table<R>, id: string, selection?: ColumnSelection): Promise<R> {
    const row = await this.get(table, id, selection);
    if (row === null) throw notFound(table.type);
    return row;
  }

  /**
   * A row as it stood earlier, or `NOT_FOUND` where it was outside today's boundary then, or is now.
   * @param stood its value in each dimension of then; in a dimension that is newer it has none
   */
  async earlier<R extends { id: string }>(table: Table<R>, row: R, stood: StoredDimensionValues): Promise<R> {
    const { scope, dimensions } = this.reads.typeOf(table);
    const values: DimensionValues = new Map(
      [...dimensions.keys()].map((name) => [name, stood[name] ?? null]),
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

  /** A page for each parent, in one statement for all parents of a tick that ask alike. */
  children<R extends { id: string }>(
    table: Table<R>,
    column: keyof R & string,
    parentId: string,
    query: ListQuery<R>,
    selection?: ColumnSelection,
  ): Promise<Page<R>> {
    return this.linked(table, { column }, parentId, query, selection);
  }

  /** As `children`, for rows that hang on their parents in any way, such as by a table of pairs. */
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
      this.reads.windows(table, link, parents, { columns, ...page }),
    );
    const rows = (await loader.load(parent)) as R[];
    return pageOf(rows, paged, () => this.countLinked(table, link, parent, query));
  }

  /** @param below what the list hangs on */
  private paged<R extends { id: string }>(table: Table<R>, query: ListQuery<R>, below: unknown) {
    const cursors = (list: readonly unknown[]): Cursors => this.cursors([...list, below]);
    return pageQuery(table, query, { sizeMax: this.pageSizeMax, cursors });
  }

  /** The cursors of a list, for this caller alone: the person, and the delegations of the chain. */
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

  /** How many rows a list has: told with a page, which costs at least one row. */
  private async count<R>(table: Table<R>, query: Pick<ListQuery<R>, 'where' | 'scopes'>): Promise<number> {
    this.observer.touched(table.type, [], 'aggregate');
    const scopes = [this.reads.typeOf(table).scope, ...(query.scopes ?? [])];
    return this.reads.count(table, query.where ?? all<R>(), scopes);
  }

  /**
   * Rows to choose from, such as what a search ranks: the first that have the words, in the order of their ids, and of
   * each only some columns can be looked at. They carry the boundary, and the witness learns only that there was a
   * look, until `show` opens those that the caller gets.
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
   * A column's values of all rows inside the boundary of a scope, such as keys under which to look further. No caller
   * gets them, so the witness hears nothing.
   */
  values<R>(table: Table<R>, column: keyof R & string, scope: Scope): Promise<string[]> {
    return this.reads.values(table, column, scope);
  }

  /** The whole rows that were chosen from a scan; they count as read. */
  show<R extends { id: string }>(table: Table<R>, chosen: readonly Scanned<R, never>[]): R[] {
    const rows = chosen.map((one) => one[whole]);
    this.reads.shown(table, rows);
    return rows;
  }

  /**
   * Whether a row that a write under `scope` is going to name is inside that scope's boundary. The type's own
   * scope is not asked for: it is not read.
   */
  async exists<R>(table: Table<R>, where: Condition<R>, scope: Scope): Promise<boolean> {
    this.observer.looked(table.type, 'aggregate', 1);
    return (await this.reads.count(table, where, [scope])) > 0;
  }

  /** Work that several fields of the operation share: done once for a key, until rows are changed. */
  shared<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.works.get(key) ?? work();
    this.works.set(key, known);
    return known as Promise<T>;
  }

  /** Throws `LIMIT_EXCEEDED` where the operation has used up its time. */
  inTime(): void {
    this.observer.asking();
  }

  /** The dimensions that a table's rows have, as the SDL says. */
  dimensionsOf(table: AnyTable): string[] {
    return [...this.reads.typeOf(table).dimensions.keys()];
  }

  /** Groups and sums inside the boundary of one scope. Values come as the driver gives them. */
  aggregate<R>(table: Table<R>, query: AggregateQuery): Promise<Record<string, unknown>[]> {
    this.observer.looked(table.type, 'aggregate', 1);
    return this.reads.groups(table, query);
  }

  /** Adds a row, which must lie inside the boundary of `scope`. */
  async insert<R extends { id: string }>(table: Table<R>, row: R, scope: Scope): Promise<R> {
    await this.connection.insert(table, [row]).catch((error: unknown) => {
      throw isDuplicate(error) ? conflict(`${table.type} with this number or name exists already.`) : error;
    });
    this.forget();
    this.observer.touched(table.type, [row.id], 'create');
    return this.written(table, await this.inside(table, row.id, scope));
  }

  /** Changes a row, which must lie inside the boundary of `scope` before and after; else `NOT_FOUND`. */
  async update<R extends { id: string }>(
    table: Table<R>,
    id: string,
    changes: Partial<R>,
    scope: Scope,
    expectedVersion?: number,
  ): Promise<R> {
    const before = this.written(table, await this.inside(table, id, scope, true));
    const version = (before as { version?: number }).version;
    if (expectedVersion !== undefined && version !== expectedVersion) {
      throw new BehalfError(
        'CONFLICT',
        `${table.type} has changed meanwhile: it is at version ${String(version)}.`,
        {
          hint: 'Read it again and repeat the change on what you find.',
        },
      );
    }
    const next = version === undefined ? changes : { ...changes, version: version + 1 };
    await this.connection.update(table, eq<R>('id', id), next);
    this.forget();
    this.observer.touched(table.type, [id], 'update');
    return this.written(table, await this.inside(table, id, scope));
  }

  /**
   * Whether a message may tell what follows from rows that this scope reads and that hang on this row. Who may only
   * change them learns that a change does not go, and not by how much.
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
   * Whether the caller may read, under this scope, what was written to rows of a type: everywhere, or at all these rows
   * as they stood then and as they stand now; those count as read.
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

  /** The scope by which rows of a type come; undefined for a type that has none. */
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
   * Adds rows that the server makes out of a parent row, such as a document's version. The parent must lie inside the
   * boundary of `scope`, and so must what is added; else `NOT_FOUND`. They are part of the parent: the witness is told
   * of that one.
   */
  addParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly table: Table<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
  ): Promise<void> {
    return this.writeParts(parent, parts, rows, scope, () => this.connection.insert(parts.table, rows));
  }

  /** As `addParts`, in place of those before, for rows that an index of words finds. */
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

  private async writeParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly table: Table<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
    write: () => Promise<void>,
  ): Promise<void> {
    await this.inside(parent.table, parent.id, scope);
    if (rows.some((row) => row[parts.column] !== parent.id)) throw new Error('A part names another parent.');
    await write();
    this.forget();
    const ids = rows.map((row) => row.id);
    const inside = await this.reads.count(parts.table, isIn<R>('id', ids), [scope]);
    if (inside !== rows.length) throw notFound(parent.table.type);
  }

  /** Locks and reads a row for a change under `scope`; `NOT_FOUND` where the boundary leaves it out. */
  async inside<R extends { id: string }>(
    table: Table<R>,
    id: string,
    scope: Scope,
    lock = false,
  ): Promise<R> {
    if (!isId(id)) throw notFound(table.type);
    const rows = await this.reads.rows(table, { where: eq<R>('id', id), scopes: [scope], limit: 1, lock });
    const row = rows[0];
    if (row === undefined) throw notFound(table.type);
    return row;
  }

  /** Resolves when nothing is being read any more: an answer with errors may come before all resolvers ended. */
  settled(): Promise<void> {
    return this.reads.settled();
  }

  /** How many rows a page may have: what was asked for, within the cap. */
  pageSize(first: number | null | undefined): number {
    return pageSizeOf(first, this.pageSizeMax);
  }

  /** After a change nothing read before may be given again; those who change rows elsewhere call it too. */
  forget(): void {
    this.loaders = new Map();
    this.works = new Map();
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

/** The columns and those of the order, from which cursors are made. */
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

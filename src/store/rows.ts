import DataLoader from 'dataloader';
import type { Authority } from '../authority/authority.js';
import type { Place } from '../authority/boundary.js';
import type { Scope } from '../authority/scope.js';
import { BehalfError, badInput, notFound } from '../core/errors.js';
import { isId } from '../core/ids.js';
import {
  all,
  asText,
  columnName,
  conditionSql,
  decode,
  eq,
  isIn,
  quote,
  type Condition,
  type Sql,
} from './condition.js';
import { decodeRow, type Connection, type Order } from './connection.js';
import { afterCursor, encodeCursor, totalOrder } from './cursor.js';
import { boundarySql, rowColumns, type RowType, type RowTypes } from './row-types.js';
import type { Table } from './table.js';

/** Who learns which rows an operation touched; the audit trail. */
export interface Witness {
  touched(type: string, ids: readonly string[], action: TouchAction): void;
}
export type TouchAction = 'read' | 'create' | 'update' | 'delete' | 'aggregate';

export interface ListQuery<Row> {
  readonly where?: Condition<Row>;
  /** Scopes of the fields that `where` and `order` look at, beside the type's own: each one's boundary applies. */
  readonly scopes?: readonly Scope[];
  readonly order?: readonly Order<Row>[];
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

export interface Page<Row> {
  readonly edges: readonly { readonly cursor: string; readonly node: Row }[];
  readonly nodes: readonly Row[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  /** Counted only when asked for, inside the same boundary. */
  totalCount(): Promise<number>;
}

export interface AggregateQuery {
  /** The scope whose boundary applies to the table and to everything joined. */
  readonly scope: Scope;
  readonly scopes?: readonly Scope[];
  /** Result name to SQL; the table is `t`, a joined one its join's name. */
  readonly select: Readonly<Record<string, string>>;
  readonly joins?: readonly { readonly name: string; readonly table: Table<never>; readonly on: string }[];
  readonly where?: Sql;
  readonly groupBy: readonly string[];
  readonly limit: number;
}

const placeKey = Symbol('place');

/** A row's value in each of its dimensions, as read with it. */
export const placeOf = (row: object): Place | undefined => (row as { [placeKey]?: Place })[placeKey];

/** Gives a row kept from earlier the place where the row stands now. */
export const placedLike = (kept: object, now: object): object =>
  Object.assign(kept, { [placeKey]: placeOf(now) });

export const pageSizeDefault = 20;

/**
 * The only way from a resolver to rows. Every statement carries the caller's boundary, whichever path led to
 * it, and every row that comes or goes is told to the witness. One instance serves one operation.
 */
export class Rows {
  private loaders = new Map<string, DataLoader<string, unknown>>();

  constructor(
    private readonly connection: Connection,
    readonly authority: Authority,
    private readonly witness: Witness,
    private readonly types: RowTypes,
    private readonly pageSizeMax: number,
  ) {}

  /** One row, or null where it is not there or outside the boundary. Calls of one tick share a statement. */
  async get<R extends { id: string }>(table: Table<R>, id: string | null): Promise<R | null> {
    return id === null || !isId(id) ? null : this.getBy(table, 'id', id);
  }

  /** As `get`, by another column that is unique. */
  async getBy<R extends { id: string }>(
    table: Table<R>,
    column: keyof R & string,
    value: string,
  ): Promise<R | null> {
    const loader = this.loader(`get ${table.name} ${column}`, async (values) => {
      const rows = await this.read(table, { where: isIn<R>(column, values) });
      const byValue = new Map(rows.map((row) => [String(row[column]), row]));
      return values.map((key) => byValue.get(key) ?? null);
    });
    return (await loader.load(value)) as R | null;
  }

  /** One row by a unique column, or null. */
  async find<R extends { id: string }>(table: Table<R>, where: Condition<R>): Promise<R | null> {
    return (await this.read(table, { where, limit: 1 }))[0] ?? null;
  }

  /** One row, or `NOT_FOUND`. */
  async need<R extends { id: string }>(table: Table<R>, id: string): Promise<R> {
    const row = await this.get(table, id);
    if (row === null) throw notFound(table.type);
    return row;
  }

  /** A page of rows in a total order. */
  async list<R extends { id: string }>(table: Table<R>, query: ListQuery<R>): Promise<Page<R>> {
    const order = totalOrder(query.order ?? []);
    const size = this.pageSize(query.first);
    const after = query.after ?? null;
    const where = all<R>(
      ...(query.where === undefined ? [] : [query.where]),
      ...(after === null ? [] : [afterCursor(table, order, after)]),
    );
    const rows = await this.read(table, { where, scopes: query.scopes, order, limit: size + 1 }, size);
    return this.page(rows, order, size, after !== null, () => this.count(table, query));
  }

  /** A page for each parent, in one statement for all parents of a tick that ask alike. */
  async children<R extends { id: string }>(
    table: Table<R>,
    column: keyof R & string,
    parentId: string,
    query: ListQuery<R>,
  ): Promise<Page<R>> {
    const order = totalOrder(query.order ?? []);
    const size = this.pageSize(query.first);
    const after = query.after ?? null;
    const mine = query.where === undefined ? [] : [query.where];
    const where = all<R>(...mine, ...(after === null ? [] : [afterCursor(table, order, after)]));
    const key = JSON.stringify(['children', table.name, column, where, query.scopes ?? [], order, size]);
    const loader = this.loader(key, async (parents) => {
      const rows = await this.readWindows(
        table,
        column,
        parents,
        { where, scopes: query.scopes, order },
        size,
      );
      return parents.map((parent) => rows.get(parent) ?? []);
    });
    const rows = (await loader.load(parentId)) as R[];
    return this.page(rows, order, size, after !== null, () =>
      this.count(table, {
        where: all(...mine, eq<R>(column, parentId)),
        ...(query.scopes && { scopes: query.scopes }),
      }),
    );
  }

  async count<R>(table: Table<R>, query: Pick<ListQuery<R>, 'where' | 'scopes'>): Promise<number> {
    this.witness.touched(table.type, [], 'aggregate');
    return this.countInside(table, query.where ?? all<R>(), [
      this.types.of(table).scope,
      ...(query.scopes ?? []),
    ]);
  }

  /**
   * Some columns of rows to choose from, in order of their ids, such as what a search ranks. They carry the
   * boundary, and the witness learns only that there was a look: who shows one of them reads it by `get`.
   */
  async scan<R extends { id: string }, K extends keyof R & string>(
    table: Table<R>,
    columns: readonly K[],
    query: { readonly where: Condition<R>; readonly scopes?: readonly Scope[]; readonly limit: number },
  ): Promise<Pick<R, K>[]> {
    const where = this.where(table, query.where, query.scopes);
    const select = columns.map((key) => `t.${columnName(key)} AS ${quote(key)}`).join(', ');
    const raw = await this.connection.query(
      `SELECT ${select} FROM ${quote(table.name)} t WHERE ${where.text} ORDER BY t.\`id\` LIMIT ${String(Math.trunc(query.limit))}`,
      where.params,
    );
    this.witness.touched(table.type, [], 'aggregate');
    return raw.map(
      (row) =>
        Object.fromEntries(columns.map((key) => [key, decode(table.columns[key], row[key])])) as Pick<R, K>,
    );
  }

  /**
   * Whether a row that a write under `scope` is going to name is inside that scope's boundary. The type's own
   * scope is not asked for: it is not read.
   */
  async exists<R>(table: Table<R>, where: Condition<R>, scope: Scope): Promise<boolean> {
    return (await this.countInside(table, where, [scope])) > 0;
  }

  /** Groups and sums inside the boundary of one scope. Values come as the driver gives them. */
  async aggregate<R>(table: Table<R>, query: AggregateQuery): Promise<Record<string, unknown>[]> {
    const joins = query.joins ?? [];
    const joined = joins.map((join) => ` JOIN ${quote(join.table.name)} ${quote(join.name)} ON ${join.on}`);
    const parts: Sql[] = query.where === undefined ? [] : [query.where];
    for (const scope of [query.scope, ...(query.scopes ?? [])]) {
      for (const at of [{ name: 't', table: table as unknown as Table<never> }, ...joins]) {
        parts.push(boundarySql(this.types.of(at.table), at.name, this.authority.boundaries(scope)));
      }
    }
    const select = Object.entries(query.select).map(([name, sql]) => `${sql} AS ${quote(name)}`);
    const where = parts.map((part) => `(${part.text})`).join(' AND ');
    const groupBy = query.groupBy.length === 0 ? '' : ` GROUP BY ${query.groupBy.join(', ')}`;
    this.witness.touched(table.type, [], 'aggregate');
    return this.connection.query(
      `SELECT ${select.join(', ')} FROM ${quote(table.name)} t${joined.join('')} WHERE ${where}${groupBy}` +
        ` LIMIT ${String(Math.trunc(query.limit))}`,
      parts.flatMap((part) => part.params),
    );
  }

  /** Adds a row, which must lie inside the boundary of `scope`. */
  async insert<R extends { id: string }>(table: Table<R>, row: R, scope: Scope): Promise<R> {
    await this.connection.insert(table, [row]);
    this.forget();
    this.witness.touched(table.type, [row.id], 'create');
    return this.inside(table, row.id, scope);
  }

  /** Changes a row, which must lie inside the boundary of `scope` before and after; else `NOT_FOUND`. */
  async update<R extends { id: string }>(
    table: Table<R>,
    id: string,
    changes: Partial<R>,
    scope: Scope,
    expectedVersion?: number,
  ): Promise<R> {
    const before = await this.inside(table, id, scope, true);
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
    this.witness.touched(table.type, [id], 'update');
    return this.inside(table, id, scope);
  }

  /**
   * Adds rows that the server makes out of a parent row, such as a document's passages, in place of the ones
   * before where `replace` says so. The parent must lie inside the boundary of `scope`, and so must what is
   * added; else `NOT_FOUND`. They are part of the parent: the witness is told of that one.
   */
  async addParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly table: Table<R>; readonly column: keyof R & string; readonly replace: boolean },
    rows: readonly R[],
    scope: Scope,
  ): Promise<void> {
    await this.inside(parent.table, parent.id, scope);
    if (rows.some((row) => row[parts.column] !== parent.id)) throw new Error('A part names another parent.');
    const { table, column } = parts;
    if (parts.replace) await this.connection.delete(table, eq<R>(column, parent.id));
    await this.connection.insert(table, rows);
    this.forget();
    const ids = rows.map((row) => row.id);
    const inside = await this.countInside(table, isIn<R>('id', ids), [scope]);
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
    const rows = await this.read(table, { where: eq<R>('id', id), scopes: [scope], limit: 1, lock });
    const row = rows[0];
    if (row === undefined) throw notFound(table.type);
    return row;
  }

  private async read<R extends { id: string }>(
    table: Table<R>,
    query: {
      where: Condition<R>;
      scopes?: readonly Scope[] | undefined;
      order?: readonly Order<R>[];
      limit?: number;
      lock?: boolean;
    },
    shown = Number.POSITIVE_INFINITY,
  ): Promise<R[]> {
    const where = this.where(table, query.where, query.scopes);
    const order = query.order === undefined ? '' : ` ORDER BY ${orderSql(query.order)}`;
    const limit = query.limit === undefined ? '' : ` LIMIT ${String(query.limit)}`;
    const lock = query.lock === true && this.connection.dialect === 'mysql' ? ' FOR UPDATE' : '';
    const raw = await this.connection.query(
      `SELECT ${rowColumns(this.types.of(table), 't')} FROM ${quote(table.name)} t WHERE ${where.text}${order}${limit}${lock}`,
      where.params,
    );
    const rows = raw.map((row) => this.decode(table, row));
    this.touch(table, rows.slice(0, shown));
    return rows;
  }

  /** The first `size + 1` rows of each parent, by a window function that both databases have. */
  private async readWindows<R extends { id: string }>(
    table: Table<R>,
    column: keyof R & string,
    parents: readonly string[],
    query: { where: Condition<R>; scopes: readonly Scope[] | undefined; order: readonly Order<R>[] },
    size: number,
  ): Promise<Map<string, R[]>> {
    const where = this.where(table, all(query.where, isIn<R>(column, parents)), query.scopes);
    const order = orderSql(query.order);
    const numbered =
      `SELECT ${rowColumns(this.types.of(table), 't')}, ROW_NUMBER() OVER ` +
      `(PARTITION BY t.${columnName(column)} ORDER BY ${order}) AS \`@n\` FROM ${quote(table.name)} t WHERE ${where.text}`;
    const raw = await this.connection.query(
      `SELECT * FROM (${numbered}) w WHERE w.\`@n\` <= ${String(size + 1)} ORDER BY w.\`@n\``,
      where.params,
    );
    const byParent = new Map<string, R[]>();
    for (const one of raw) {
      const row = this.decode(table, one);
      const parent = String(row[column]);
      byParent.set(parent, [...(byParent.get(parent) ?? []), row]);
    }
    this.touch(
      table,
      [...byParent.values()].flatMap((rows) => rows.slice(0, size)),
    );
    return byParent;
  }

  private async countInside<R>(
    table: Table<R>,
    condition: Condition<R>,
    scopes: readonly Scope[],
  ): Promise<number> {
    const where = this.bounded(table, condition, scopes);
    const rows = await this.connection.query(
      `SELECT COUNT(*) AS n FROM ${quote(table.name)} t WHERE ${where.text}`,
      where.params,
    );
    return Number(rows[0]?.n ?? 0);
  }

  /** The condition, and last the boundary of the type's own scope and of each further scope. */
  private where<R>(table: Table<R>, condition: Condition<R>, scopes: readonly Scope[] = []): Sql {
    return this.bounded(table, condition, [this.types.of(table).scope, ...scopes]);
  }

  private bounded<R>(table: Table<R>, condition: Condition<R>, scopes: readonly Scope[]): Sql {
    const rowType: RowType = this.types.of(table);
    const own = conditionSql(table, 't', condition, this.connection.dialect);
    const bounds = [...new Set(scopes)].map((scope) =>
      boundarySql(rowType, 't', this.authority.boundaries(scope)),
    );
    return {
      text: [own, ...bounds].map((part) => `(${part.text})`).join(' AND '),
      params: [own, ...bounds].flatMap((part) => part.params),
    };
  }

  private decode<R>(table: Table<R>, raw: Record<string, unknown>): R {
    const row = decodeRow(table, raw);
    const place = new Map<string, string | null>();
    for (const dimension of this.types.of(table).dimensions.keys()) {
      const value = raw[`@${dimension}`];
      place.set(dimension, value === null || value === undefined ? null : asText(value));
    }
    return Object.assign(row as object, { [placeKey]: place }) as R;
  }

  private page<R extends { id: string }>(
    found: readonly R[],
    order: readonly Order<R>[],
    size: number,
    hasPreviousPage: boolean,
    totalCount: () => Promise<number>,
  ): Page<R> {
    const nodes = found.slice(0, size);
    const edges = nodes.map((node) => ({ cursor: encodeCursor(order, node), node }));
    return {
      edges,
      nodes,
      pageInfo: {
        hasNextPage: found.length > size,
        hasPreviousPage,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      },
      totalCount,
    };
  }

  /** How many rows a page may have: what was asked for, within the cap. */
  pageSize(first: number | null | undefined): number {
    const size = first ?? pageSizeDefault;
    if (size < 1 || size > this.pageSizeMax) {
      throw badInput(`\`first\` must be between 1 and ${String(this.pageSizeMax)}.`, 'first');
    }
    return size;
  }

  private loader(
    key: string,
    batch: (keys: readonly string[]) => Promise<unknown[]>,
  ): DataLoader<string, unknown> {
    const known = this.loaders.get(key);
    if (known !== undefined) return known;
    const made = new DataLoader<string, unknown>(batch, { maxBatchSize: 1_000 });
    this.loaders.set(key, made);
    return made;
  }

  /** After a change nothing read before may be given again; those who change rows elsewhere call it too. */
  forget(): void {
    this.loaders = new Map();
  }

  private touch(table: { readonly type: string }, rows: readonly { id: string }[]): void {
    if (rows.length === 0) return;
    this.witness.touched(
      table.type,
      rows.map((row) => row.id),
      'read',
    );
  }
}

const orderSql = <R>(order: readonly Order<R>[]): string =>
  order.map((by) => `t.${columnName(by.column)} ${by.direction === 'asc' ? 'ASC' : 'DESC'}`).join(', ');

import type { Scope } from '../authority/scope.js';
import { badInput } from '../core/errors.js';
import { all, type Condition } from './condition.js';
import type { Order } from './connection.js';
import { afterCursor, encodeCursor, totalOrder } from './cursor.js';
import type { Table } from './table.js';

export interface ListQuery<Row> {
  readonly where?: Condition<Row>;
  /** Scopes of the fields that `where` and `order` look at, beside the type's own: each one's boundary applies. */
  readonly scopes?: readonly Scope[];
  readonly order?: readonly Order<Row>[];
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** A page of a Relay connection. */
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

export const pageSizeDefault = 20;

/** How many rows a page may have: what was asked for, within the cap. */
export function pageSizeOf(first: number | null | undefined, max: number): number {
  const size = first ?? Math.min(pageSizeDefault, max);
  if (size < 1 || size > max) throw badInput(`\`first\` must be between 1 and ${String(max)}.`, 'first');
  return size;
}

/** A list query with its order made total and its cursor read: one more row than the page has tells of a next one. */
export interface PageQuery<Row> {
  readonly where: Condition<Row>;
  readonly scopes: readonly Scope[];
  readonly order: readonly Order<Row>[];
  readonly size: number;
  readonly isFirst: boolean;
}

export function pageQuery<Row extends { id: string }>(
  table: Table<Row>,
  query: ListQuery<Row>,
  sizeMax: number,
): PageQuery<Row> {
  const order = totalOrder(table, query.order ?? []);
  const after = query.after ?? null;
  return {
    where: all<Row>(
      ...(query.where === undefined ? [] : [query.where]),
      ...(after === null ? [] : [afterCursor(table, order, after)]),
    ),
    scopes: query.scopes ?? [],
    order,
    size: pageSizeOf(query.first, sizeMax),
    isFirst: after === null,
  };
}

export const pageOf = <Row extends { id: string }>(
  found: readonly Row[],
  query: PageQuery<Row>,
  totalCount: () => Promise<number>,
): Page<Row> => new FoundPage(found, query, totalCount);

/** Cursors are made only where they are asked for. */
class FoundPage<Row extends { id: string }> implements Page<Row> {
  readonly nodes: readonly Row[];

  constructor(
    private readonly found: readonly Row[],
    private readonly query: PageQuery<Row>,
    readonly totalCount: () => Promise<number>,
  ) {
    this.nodes = found.length > query.size ? found.slice(0, query.size) : found;
  }

  get edges(): { readonly cursor: string; readonly node: Row }[] {
    return this.nodes.map((node) => ({ cursor: encodeCursor(this.query.order, node), node }));
  }

  get pageInfo(): Page<Row>['pageInfo'] {
    const [first, last] = [this.nodes[0], this.nodes.at(-1)];
    const cursorOf = (row: Row | undefined) =>
      row === undefined ? null : encodeCursor(this.query.order, row);
    return {
      hasNextPage: this.found.length > this.query.size,
      hasPreviousPage: !this.query.isFirst,
      startCursor: cursorOf(first),
      endCursor: cursorOf(last),
    };
  }
}

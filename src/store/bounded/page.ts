import type { Scope } from '../../authority/scope.js';
import { badInput } from '../../core/errors.js';
import { all, type Condition } from '../sql/condition.js';
import type { Order } from '../sql/connection.js';
import { afterCursor, cursorOf, totalOrder, type Cursors } from './cursor.js';
import type { Table } from '../tables/table.js';

export interface ListQuery<Row> {
  readonly where?: Condition<Row>;
  /** Scopes of the fields in `where` and `order`, beside the type's own. The boundary of each applies. */
  readonly scopes?: readonly Scope[];
  readonly order?: readonly Order<Row>[];
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  /** Identifies the list for its cursors, where `where` changes from one page to the next. JSON-safe. */
  readonly list?: unknown;
}

/** A page of a Relay connection. */
export interface Page<Row> {
  readonly edges: readonly { readonly cursor: string; readonly node: Row }[];
  readonly nodes: readonly Row[];
  readonly pageInfo: PageInfo;
  /** Computed only when requested, inside the same boundary. */
  totalCount(): Promise<number>;
}

export const pageSizeDefault = 20;

/** The number of rows in a page: the requested size, up to the maximum. */
export function pageSizeOf(first: number | null | undefined, max: number): number {
  const size = first ?? Math.min(pageSizeDefault, max);
  if (size < 0 || size > max) throw badInput(`\`first\` must be between 0 and ${String(max)}.`, 'first');
  return size;
}

/**
 * How many rows a page counts as read. A page of size 0 counts as one, because its `hasNextPage` reveals a
 * row.
 */
export const readBy = (size: number): number => Math.max(1, size);

/**
 * A list query with a total order and its cursor decoded. It reads one more row than the page has, to see
 * whether there is a next page.
 */
export interface PageQuery<Row> {
  readonly where: Condition<Row>;
  readonly scopes: readonly Scope[];
  readonly order: readonly Order<Row>[];
  readonly size: number;
  readonly isFirst: boolean;
}

interface PageParts {
  readonly sizeMax: number;
  /** Makes the cursors of a list in this order. */
  readonly cursors: (list: readonly unknown[]) => Cursors;
}

interface Paged<Row> {
  readonly query: PageQuery<Row>;
  readonly cursors: Cursors;
}

export function pageQuery<Row extends { id: string }>(
  table: Table<Row>,
  query: ListQuery<Row>,
  { sizeMax, cursors: cursorsOf }: PageParts,
): Paged<Row> {
  const order = totalOrder(table, query.order ?? []);
  const after = query.after ?? null;
  const cursors = cursorsOf([table.name, order, query.list ?? query.where]);
  return {
    cursors,
    query: {
      where: all<Row>(
        ...(query.where === undefined ? [] : [query.where]),
        ...(after === null ? [] : [afterCursor(table, cursors, order, after)]),
      ),
      scopes: query.scopes ?? [],
      order,
      size: pageSizeOf(query.first, sizeMax),
      isFirst: after === null,
    },
  };
}

export const pageOf = <Row extends { id: string }>(
  found: readonly Row[],
  { query, cursors }: Paged<Row>,
  totalCount: () => Promise<number>,
): Page<Row> => new FoundPage(found, query, cursors, totalCount);

/** Makes its cursor on first use and keeps it, because execution reads a property several times. */
class Edge<Row> {
  private made: string | undefined;

  constructor(
    readonly node: Row,
    private readonly order: readonly Order<Row>[],
    private readonly cursors: Cursors,
  ) {}

  get cursor(): string {
    return (this.made ??= cursorOf(this.cursors, this.order, this.node));
  }
}

/** The end of a page. */
export class PageInfo {
  constructor(
    private readonly edges: readonly { readonly cursor: string }[],
    readonly hasNextPage: boolean,
    readonly hasPreviousPage: boolean,
  ) {}

  get startCursor(): string | null {
    return this.edges[0]?.cursor ?? null;
  }

  get endCursor(): string | null {
    return this.edges.at(-1)?.cursor ?? null;
  }
}

class FoundPage<Row extends { id: string }> implements Page<Row> {
  readonly nodes: readonly Row[];
  private madeEdges: readonly Edge<Row>[] | undefined;
  private madeInfo: PageInfo | undefined;

  constructor(
    private readonly found: readonly Row[],
    private readonly query: PageQuery<Row>,
    private readonly cursors: Cursors,
    readonly totalCount: () => Promise<number>,
  ) {
    this.nodes = found.length > query.size ? found.slice(0, query.size) : found;
  }

  get edges(): readonly Edge<Row>[] {
    return (this.madeEdges ??= this.nodes.map((node) => new Edge(node, this.query.order, this.cursors)));
  }

  get pageInfo(): PageInfo {
    const hasNextPage = this.found.length > this.query.size;
    return (this.madeInfo ??= new PageInfo(this.edges, hasNextPage, !this.query.isFirst));
  }
}

/** The selected columns plus those of the order, which cursors need. */
export const pageColumns = (
  page: { readonly order: readonly { readonly column: string }[] },
  columns: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined => page.order.reduce((all, by) => withColumns(all, by.column), columns);

const withColumns = (columns: ReadonlySet<string> | undefined, column: string) =>
  columns === undefined || columns.has(column) ? columns : new Set([...columns, column]);

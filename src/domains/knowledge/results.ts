import { badInput } from '../../core/errors.js';
import { sha256 } from '../../core/digest.js';
import type { Term } from './query.js';
import type { Ranked } from './rank.js';
import type { PassageRow } from './tables.js';

export interface Hit {
  readonly passage: PassageRow;
  readonly score: number;
  /** The stems that were looked for; the snippet marks them. */
  readonly terms: readonly string[];
}

/** Where a hit stands among all of its search. */
export type Place = Pick<Ranked, 'id' | 'score'>;

/** What a cursor belongs to: the pages of one search. Most answers ask for no cursor, so its digest waits. */
export class Series {
  private digest: string | undefined;

  constructor(
    private readonly terms: readonly Term[],
    private readonly collection: string | null,
  ) {}

  cursor({ score, id }: Place): string {
    return Buffer.from(JSON.stringify(['search', this.name, score, id])).toString('base64url');
  }

  /** `BAD_USER_INPUT` for a cursor of another search. */
  place(cursor: string): Place {
    const [kind, series, score, id] = parts(cursor);
    if (kind !== 'search' || series !== this.name || typeof score !== 'number' || typeof id !== 'string') {
      throw badInput('This cursor does not belong to this search. Start again without `after`.', 'after');
    }
    return { score, id };
  }

  private get name(): string {
    return (this.digest ??= sha256(JSON.stringify([this.terms, this.collection])).slice(0, 8));
  }
}

export class SearchEdge {
  constructor(
    readonly node: Hit,
    private readonly series: Series,
  ) {}

  get cursor(): string {
    const { passage, score } = this.node;
    return this.series.cursor({ id: passage.id, score });
  }
}

class PageInfo {
  constructor(
    private readonly edges: readonly SearchEdge[],
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

export class SearchPage {
  readonly nodes: readonly Hit[];
  readonly pageInfo: PageInfo;

  constructor(
    readonly edges: readonly SearchEdge[],
    hasNextPage: boolean,
    hasPreviousPage: boolean,
  ) {
    this.nodes = edges.map((edge) => edge.node);
    this.pageInfo = new PageInfo(edges, hasNextPage, hasPreviousPage);
  }
}

function parts(cursor: string): unknown[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(values) ? values : [];
  } catch {
    return [];
  }
}

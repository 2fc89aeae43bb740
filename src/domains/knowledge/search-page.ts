import type { Cursors } from '../../store/bounded/cursor.js';
import { PageInfo } from '../../store/bounded/page.js';
import type { Ranked } from './ranking.js';
import type { PassageRow } from './tables.js';

export interface Hit {
  readonly passage: PassageRow;
  readonly score: number;
  /** The stems of the query. The snippet marks them. */
  readonly terms: readonly string[];
}

/** The rank of a hit in its search. */
export type RankPosition = Pick<Ranked, 'id' | 'score'>;

export class SearchEdge {
  private made: string | undefined;

  constructor(
    readonly node: Hit,
    private readonly cursors: Cursors,
  ) {}

  get cursor(): string {
    const { passage, score } = this.node;
    return (this.made ??= this.cursors.cursor([score, passage.id]));
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

import type { Operation } from '../../delegation/resolver-context.js';
import { readBy } from '../../store/bounded/page.js';
import type { Scanned } from '../../store/bounded/scanned.js';
import type { MatchMode } from '../../store/bounded/word-index.js';
import { visibleParts } from './visible-parts.js';
import { queryTerms, type Term } from './query-terms.js';
import { rank } from './ranking.js';
import { SearchEdge, SearchPage, type RankPosition } from './search-page.js';
import { passages, passageWords, type PassageRow } from './tables.js';
import { encode, type Field } from './index-tokens.js';

export interface SearchArgs {
  readonly query: string;
  readonly collection?: string | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

type Found = Scanned<PassageRow, 'id' | 'tokens'>;

const candidatesMax = 300;
const titledMax = 100;

/** Finds, ranks and returns one page of passages. Only those of the page count as read. */
export async function search(operation: Operation, args: SearchArgs): Promise<SearchPage> {
  const terms = queryTerms(args.query);
  const size = operation.rows.pageSize(args.first);
  const collection = args.collection ?? null;
  const cursors = operation.rows.cursors(['search', terms, collection]);
  const after = args.after ?? null;
  const begins = after === null ? undefined : positionOf(cursors.values(after));
  const found = rank(await candidatesOf(operation, terms, collection), terms);
  const ranked = begins === undefined ? found : found.filter((one) => isAfter(one, begins));
  const shown = ranked.slice(0, size);
  const forms = terms.flat();
  const chosen = ranked.slice(0, readBy(size)).map((one) => one.candidate);
  const edges = operation.rows
    .show(passages, chosen)
    .slice(0, size)
    .map(
      (passage, index) => new SearchEdge({ passage, score: shown[index]?.score ?? 0, terms: forms }, cursors),
    );
  return new SearchPage(edges, ranked.length > size, after !== null);
}

const positionOf = ([score, id]: readonly unknown[]): RankPosition => ({
  score: Number(score),
  id: String(id),
});

const isAfter = (one: RankPosition, other: RankPosition): boolean =>
  one.score < other.score || (one.score === other.score && one.id > other.id);

/**
 * A bounded number of passages inside the boundary with any of the terms, the same on both databases. Where
 * more match, ids alone would decide. So passages with all terms come first, then a share for each term, so
 * that a frequent term does not crowd out a rare one. Where even those with all terms exceed the bound,
 * passages with the terms in title or heading are added.
 */
async function candidatesOf(
  operation: Operation,
  terms: readonly Term[],
  collection: string | null,
): Promise<Found[]> {
  const { scopeOf } = operation;
  const narrowing = collection === null ? [] : [scopeOf('Query.search(collection:)')];
  const scopes = [scopeOf('Query.search(query:)'), ...narrowing] as const;
  const parts = await visibleParts(operation, scopes, collection);
  const read = (wanted: readonly Term[], field: Field, mode: MatchMode, limit: number): Promise<Found[]> => {
    const words = wanted.map((term) => term.map((form) => encode(form, field)));
    return operation.rows.scan(passageWords, ['id', 'tokens'], { parts, words, mode, limit }, scopes);
  };
  const withAny = await read(terms, 'word', 'any', candidatesMax);
  if (withAny.length < candidatesMax) return withAny;
  const withAll = terms.length === 1 ? withAny : await read(terms, 'word', 'all', candidatesMax);
  const found = [withAll];
  if (withAll.length === candidatesMax) {
    found.push(await read(terms, 'title', 'all', titledMax), await read(terms, 'heading', 'all', titledMax));
  } else {
    const share = Math.ceil(candidatesMax / terms.length);
    found.push(withAny);
    for (const term of terms) found.push(await read([term], 'word', 'all', share));
  }
  return [...new Map(found.flat().map((row) => [row.id, row])).values()];
}

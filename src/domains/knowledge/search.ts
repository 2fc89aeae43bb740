import { sha256 } from '../../core/digest.js';
import { badInput } from '../../core/errors.js';
import type { Operation } from '../../delegation/operation.js';
import { all, match } from '../../store/condition.js';
import { queryTerms } from './query.js';
import { rank, type Candidate, type Ranked } from './rank.js';
import { passages, type PassageRow } from './tables.js';
import { encode, type Field } from './tokenize.js';
import { inCollection } from './write.js';

export interface SearchArgs {
  readonly query: string;
  readonly collection?: string | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

export interface Hit {
  readonly passage: PassageRow;
  readonly score: number;
  /** The stems that were looked for; the snippet marks them. */
  readonly terms: readonly string[];
}

export interface SearchPage {
  readonly edges: readonly { readonly cursor: string; readonly node: Hit }[];
  readonly nodes: readonly Hit[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

const candidatesMax = 300;
const titledMax = 100;

/** Finds, ranks and reads one page of passages. Only those of the page count as read. */
export async function search(operation: Operation, args: SearchArgs): Promise<SearchPage> {
  const terms = queryTerms(args.query);
  const size = operation.rows.pageSize(args.first);
  const collection = args.collection ?? null;
  const series = once(() => sha256(JSON.stringify([terms, collection])).slice(0, 8));
  const after = args.after ?? null;
  const begins = after === null ? undefined : parseCursor(after, series());
  const ranked = rank(await candidatesOf(operation, terms, collection), terms).filter(
    (one) =>
      begins === undefined || one.score < begins.score || (one.score === begins.score && one.id > begins.id),
  );
  const shown = ranked.slice(0, size);
  const rows = await Promise.all(shown.map((one) => operation.rows.get(passages, one.id)));
  const edges = shown.flatMap((one, index) => {
    // A passage that was rewritten since it was ranked is not there any more.
    const passage = rows[index];
    if (passage === null || passage === undefined) return [];
    const node = { passage, score: one.score, terms };
    return [
      {
        get cursor() {
          return cursorOf(series(), one);
        },
        node,
      },
    ];
  });
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: ranked.length > size,
      hasPreviousPage: after !== null,
      get startCursor() {
        return edges[0]?.cursor ?? null;
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null;
      },
    },
  };
}

/**
 * A bounded number of passages inside the boundary, the same on both databases: those with any of the terms. Where
 * there are more than the bound, the ids alone would choose, so those with all terms come first, and of any terms a
 * share for each, lest a frequent one crowd out a rare one; and where even those are more, passages with the terms
 * in title or heading come as well.
 */
async function candidatesOf(
  operation: Operation,
  terms: readonly string[],
  collection: string | null,
): Promise<Candidate[]> {
  const scopes = collection === null ? [] : [operation.scopeOf('Query.search(collection:)')];
  const narrowing = collection === null ? [] : [inCollection<PassageRow>(collection)];
  const read = (
    wanted: readonly string[],
    field: Field,
    mode: 'all' | 'any',
    limit: number,
  ): Promise<Candidate[]> => {
    const tokens = wanted.map((term) => encode(term, field));
    const where = all<PassageRow>(match(tokens, mode), ...narrowing);
    return operation.rows.scan(passages, ['id', 'tokens'], { where, scopes, limit });
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

/** Most answers ask for no cursor. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const cursorOf = (series: string, at: Ranked): string =>
  Buffer.from(JSON.stringify(['search', series, at.score, at.id])).toString('base64url');

function parseCursor(cursor: string, series: string): Ranked {
  const [kind, of, score, id] = parts(cursor);
  if (kind !== 'search' || of !== series || typeof score !== 'number' || typeof id !== 'string') {
    throw badInput('This cursor does not belong to this search. Start again without `after`.', 'after');
  }
  return { score, id };
}

function parts(cursor: string): unknown[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(values) ? values : [];
  } catch {
    return [];
  }
}

import { badInput } from '../../core/errors.js';
import { oneLine } from '../../core/checked-text.js';
import { spans } from './word-spans.js';
import { stem } from './index-tokens.js';

const lengthMax = 500;
const termsMax = 16;

/** English words that are in almost every passage. */
const stopWords: ReadonlySet<string> = new Set(
  (
    'a about all also am an and any are as at be been but by can could d did do does doing for from get had has ' +
    'have he her here him his how i if in into is it its just ll m me my no of on or our out re s she should so ' +
    'some t than that the their them then there these they this those to too up ve was we were what when where ' +
    'which while who whom why will with would you your'
  ).split(' '),
);

/** Equivalent stems, any of which matches: `mail` or `email` for the query `e-mail`. */
export type Term = readonly [string, ...string[]];

/**
 * The distinct terms of a query, in order. Stop words count only where there are no others, or where they
 * stand out in capitals (`IT`). Throws `BAD_USER_INPUT` for a query without a word.
 */
export function queryTerms(query: string): Term[] {
  const text = oneLine(query.replace(/\s+/g, ' '), lengthMax, 'query');
  const isLoud = text === text.toUpperCase();
  const found = [...spans(text)];
  const forms = found.filter(({ kind }) => kind === 'form');
  const words = found.flatMap((span) => {
    if (span.kind !== 'word') return [];
    const standsOut = !isLoud && /^[A-Z]{2,}$/.test(text.slice(span.start, span.end));
    const around = forms.filter(({ start, end }) => start <= span.start && span.end <= end);
    const others = around.flatMap((form) => form.words).map(stem);
    return span.words.map((word) => ({
      term: [...new Set([stem(word), ...others])] as unknown as Term,
      telling: standsOut || !stopWords.has(word),
    }));
  });
  const telling = words.filter((word) => word.telling);
  const terms = new Map((telling.length > 0 ? telling : words).map(({ term }) => [term[0], term]));
  if (terms.size === 0) throw badInput('The query has no word that could be looked for.', 'query');
  return [...terms.values()].slice(0, termsMax);
}

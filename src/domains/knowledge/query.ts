import { badInput } from '../../core/errors.js';
import { oneLine } from '../../core/text.js';
import { spans, stem } from './tokenize.js';

const lengthMax = 500;
const termsMax = 16;

/** English words that stand in almost every passage. */
const stopWords: ReadonlySet<string> = new Set(
  (
    'a about all also am an and any are as at be been but by can could d did do does doing for from get had has ' +
    'have he her here him his how i if in into is it its just ll m me my no of on or our out re s she should so ' +
    'some t than that the their them then there these they this those to too up ve was we were what when where ' +
    'which while who whom why will with would you your'
  ).split(' '),
);

/**
 * The stems to look for, each once, in the order of the query. Stop words count only where there is nothing
 * else, or where they stand out in capitals (`IT`). `BAD_USER_INPUT` for a query without a word.
 */
export function queryTerms(query: string): string[] {
  const text = oneLine(query.replace(/\s+/g, ' '), lengthMax, 'query');
  const isLoud = text === text.toUpperCase();
  const words = [...spans(text)].flatMap(({ start, end, words: folded }) => {
    const written = text.slice(start, end);
    const standsOut = !isLoud && /^[A-Z]{2,}$/.test(written);
    return folded.map((word) => ({ stem: stem(word), telling: standsOut || !stopWords.has(word) }));
  });
  const telling = words.filter((word) => word.telling);
  const terms = new Set((telling.length > 0 ? telling : words).map((word) => word.stem));
  if (terms.size === 0) throw badInput('The query has no word that could be looked for.', 'query');
  return [...terms].slice(0, termsMax);
}

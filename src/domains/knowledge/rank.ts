import { encode } from './tokenize.js';

/** A passage that might fit: its id, and its tokens as `indexTokens` made them. */
export interface Candidate {
  readonly id: string;
  readonly tokens: string;
}

export interface Ranked {
  readonly id: string;
  /** Of use only in comparison with others of the same search. */
  readonly score: number;
}

/** What one term is in one candidate. */
interface Occurrence {
  readonly body: number;
  readonly title: number;
  readonly heading: number;
  /** Where it begins, counted in characters of the tokens. */
  readonly at: readonly number[];
}

const saturation = 1.2;
const titleWeight = 3;
const headingWeight = 4;
/** Characters of tokens that an ordinary passage has; a longer one needs more occurrences for the same score. */
const lengthUsual = 800;
/** About ten words. */
const nearMax = 80;
const titleTokens = /\b[yz]t/g;
const headingTokens = /\b[yz]h/g;

/**
 * Orders candidates, the best first; ties by id. The score of each is BM25's with weights for title and
 * heading, lowered for missing terms, raised where neighbours in the query are neighbours in the text. How rare
 * a term is, is judged from the candidates alone, which the caller may all read. Candidates without any of the
 * terms are left out.
 */
export function rank(candidates: readonly Candidate[], terms: readonly string[]): Ranked[] {
  const wanted = terms.map(needlesOf);
  const found = candidates.map((candidate) => {
    const parts = partsOf(candidate.tokens);
    return { parts, id: candidate.id, occurrences: wanted.map((needles) => occurrenceOf(parts, needles)) };
  });
  const weights = terms.map((_, index) => {
    const having = found.filter(({ occurrences }) => isThere(occurrences[index])).length;
    return Math.log(1 + (candidates.length + 1) / (having + 1));
  });
  return found
    .filter(({ occurrences }) => occurrences.some(isThere))
    .map(({ id, parts, occurrences }) => ({
      id,
      score: Math.round(scoreOf(parts, wanted, occurrences, weights) * 10_000) / 10_000,
    }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

const isThere = (occurrence: Occurrence | undefined): boolean => (occurrence?.at.length ?? 0) > 0;

/** A term's tokens with a space at each end: a plain search of the text finds whole ones. */
interface Needles {
  readonly word: string;
  readonly title: string;
  readonly heading: string;
}

const needlesOf = (term: string): Needles => ({
  word: ` ${encode(term, 'word')} `,
  title: ` ${encode(term, 'title')} `,
  heading: ` ${encode(term, 'heading')} `,
});

/** The tokens of title and heading, which come first, and those of all words. */
interface Parts {
  readonly names: string;
  readonly words: string;
}

function partsOf(tokens: string): Parts {
  const at = tokens.search(/\b[yz]w/);
  return at < 0
    ? { names: ` ${tokens} `, words: '' }
    : { names: ` ${tokens.slice(0, at)}`, words: ` ${tokens.slice(at)} ` };
}

function places(text: string, needle: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length - 1))
    found.push(at);
  return found;
}

function occurrenceOf({ names, words }: Parts, needles: Needles): Occurrence {
  const at = places(words, needles.word);
  if (at.length === 0) return { body: 0, title: 0, heading: 0, at };
  const title = places(names, needles.title).length;
  const heading = places(names, needles.heading).length;
  return { body: at.length - title - heading, title, heading, at };
}

function scoreOf(
  { names, words }: Parts,
  wanted: readonly Needles[],
  occurrences: readonly Occurrence[],
  weights: readonly number[],
): number {
  const length = 0.5 + 0.5 * (words.length / lengthUsual);
  let score = 0;
  let covered = 0;
  let whole = 0;
  occurrences.forEach((occurrence, index) => {
    const weight = weights[index] ?? 0;
    whole += weight;
    if (!isThere(occurrence)) return;
    covered += weight;
    const often =
      occurrence.body / length + titleWeight * occurrence.title + headingWeight * occurrence.heading;
    score += (weight * often * (saturation + 1)) / (often + saturation);
    const next = occurrences[index + 1];
    if (next !== undefined && isThere(next)) {
      score += closeness(occurrence.at, next.at, (wanted[index]?.word.length ?? 0) - 1) * weight;
    }
  });
  const inTitle = likeness(names.match(titleTokens)?.length ?? 0, occurrences, 'title');
  const inHeading = likeness(names.match(headingTokens)?.length ?? 0, occurrences, 'heading');
  return (score + Math.max(inTitle, inHeading / 2) * covered) * (covered / whole);
}

/** 1 where title or heading are the terms and nothing else: somebody asks for a page by its name. */
function likeness(length: number, occurrences: readonly Occurrence[], field: 'title' | 'heading'): number {
  const inside = occurrences.filter((one) => one[field] > 0).length;
  return length === 0 ? 0 : (inside / length) * (inside / occurrences.length);
}

/** 1 where the second term follows the first at once, less where it is only near, 0 where it is not. */
function closeness(first: readonly number[], second: readonly number[], step: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0, j = 0; i < first.length && j < second.length;) {
    const distance = (second[j] ?? 0) - (first[i] ?? 0);
    if (distance === step) return 1;
    nearest = Math.min(nearest, Math.abs(distance));
    if (distance < step) j += 1;
    else i += 1;
  }
  return nearest <= nearMax ? 0.4 : 0;
}

import type { Term } from './query-terms.js';
import { encode } from './index-tokens.js';

/** A candidate passage: its id and its tokens from `indexTokens`. */
export interface Candidate {
  readonly id: string;
  readonly tokens: string;
}

export interface Ranked<C extends Candidate = Candidate> {
  readonly id: string;
  /** Comparable only within one search. */
  readonly score: number;
  readonly candidate: C;
}

/** The occurrences of one term in one candidate. */
interface Occurrence {
  readonly body: number;
  readonly title: number;
  readonly heading: number;
  /** The offsets of its occurrences in the tokens, in characters. */
  readonly at: readonly number[];
  /** The distance from the beginning of an occurrence to that of the next word. */
  readonly step: number;
}

const saturation = 1.2;
const titleWeight = 3;
const headingWeight = 4;
/** The token length of a usual passage. A longer passage needs more occurrences for the same score. */
const lengthUsual = 800;
/** About ten words. */
const nearMax = 80;

/**
 * Sorts candidates, the best first, ties by id. The score is BM25 with weights for title and heading. It is
 * lowered for missing terms and raised where terms adjacent in the query are adjacent in the text. A term's
 * rarity is judged from the candidates alone, all of which the caller may read. Candidates without any of the
 * terms are left out.
 */
export function rank<C extends Candidate>(candidates: readonly C[], terms: readonly Term[]): Ranked<C>[] {
  const wanted = terms.map((term) => term.map(needlesOf));
  const found = candidates.map((candidate) => {
    const parts = partsOf(candidate.tokens);
    return {
      parts,
      candidate,
      occurrences: wanted.map((forms) => best(forms.map((needles) => occurrenceOf(parts, needles)))),
    };
  });
  const weights = terms.map((_, index) => {
    const having = found.filter(({ occurrences }) => isThere(occurrences[index])).length;
    return Math.log(1 + (candidates.length + 1) / (having + 1));
  });
  return found
    .filter(({ occurrences }) => occurrences.some(isThere))
    .map(({ candidate, parts, occurrences }) => ({
      id: candidate.id,
      score: Math.round(scoreOf(parts, occurrences, weights) * 10_000) / 10_000,
      candidate,
    }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

const isThere = (occurrence: Occurrence | undefined): boolean => (occurrence?.at.length ?? 0) > 0;

/** The most frequent form of a term. A tie goes to the first form, which is the one in the query. */
const best = (forms: readonly Occurrence[]): Occurrence =>
  forms.reduce((most, form) => (form.at.length > most.at.length ? form : most));

/** A term's tokens with a space at each end, so that a plain text search finds whole tokens. */
interface Needles {
  readonly word: string;
  readonly title: string;
  readonly heading: string;
}

const needlesOf = (form: string): Needles => ({
  word: ` ${encode(form, 'word')} `,
  title: ` ${encode(form, 'title')} `,
  heading: ` ${encode(form, 'heading')} `,
});

/** The tokens of title and heading, which come first, with their number, and the tokens of all words. */
interface Parts {
  readonly names: string;
  readonly titleLength: number;
  readonly headingLength: number;
  readonly words: string;
}

function partsOf(tokens: string): Parts {
  let titleLength = 0;
  let headingLength = 0;
  let at = 0;
  // A token's second letter names its field.
  while (tokens.charAt(at + 1) !== 'w') {
    if (tokens.charAt(at + 1) === 't') titleLength += 1;
    else if (tokens.charAt(at + 1) === 'h') headingLength += 1;
    const end = tokens.indexOf(' ', at);
    if (end < 0) return { names: ` ${tokens} `, titleLength, headingLength, words: '' };
    at = end + 1;
  }
  return { names: ` ${tokens.slice(0, at)}`, titleLength, headingLength, words: ` ${tokens.slice(at)} ` };
}

function places(text: string, needle: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length - 1))
    found.push(at);
  return found;
}

function occurrenceOf({ names, words }: Parts, needles: Needles): Occurrence {
  const at = places(words, needles.word);
  const step = needles.word.length - 1;
  if (at.length === 0) return { body: 0, title: 0, heading: 0, at, step };
  const title = places(names, needles.title).length;
  const heading = places(names, needles.heading).length;
  return { body: Math.max(0, at.length - title - heading), title, heading, at, step };
}

function scoreOf(
  { titleLength, headingLength, words }: Parts,
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
      score += closeness(occurrence.at, next.at, occurrence.step) * weight;
    }
  });
  const inTitle = likeness(titleLength, occurrences, 'title');
  const inHeading = likeness(headingLength, occurrences, 'heading');
  return (score + Math.max(inTitle, inHeading / 2) * covered) * (covered / whole);
}

/** 1 where the title or the heading consists of exactly the terms: the caller asks for a page by its name. */
function likeness(length: number, occurrences: readonly Occurrence[], field: 'title' | 'heading'): number {
  const inside = occurrences.filter((one) => one[field] > 0).length;
  return length === 0 ? 0 : (inside / length) * (inside / occurrences.length);
}

/** 1 where the second term directly follows the first, less where it is near, 0 where it is not. */
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

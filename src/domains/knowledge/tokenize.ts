import { stemmer } from 'stemmer';
import { spans, type Span } from './spans.js';

/** English endings go; words of other scripts, and those with digits, stay as they are. */
export const stem = (word: string): string => (/^[a-z]+$/.test(word) ? stemmer(word) : word);

/** Where a word stands. Words of titles and headings are indexed once more under these names. */
export type Field = 'word' | 'title' | 'heading';

const lengthMax = 60;

/**
 * A stem as the indexes of both databases take it as it is: small letters and digits only, from 3 to 60 of them.
 */
export function encode(stemmed: string, field: Field): string {
  const place = field.charAt(0);
  const text = /^[a-z0-9]+$/.test(stemmed) ? `z${place}${stemmed}` : `y${place}${numbered(stemmed)}`;
  return text.slice(0, lengthMax);
}

/** Each unit of UTF-16 as four digits of base 36. */
function numbered(text: string): string {
  let digits = '';
  for (let at = 0; at < text.length; at += 1) digits += text.charCodeAt(at).toString(36).padStart(4, '0');
  return digits;
}

/** What a text says: its words in their order, and apart from them other ways to write them. */
interface Stems {
  readonly words: string[];
  readonly forms: Set<string>;
  /** Of scripts that put no space between words. */
  readonly letters: Set<string>;
}

function stemsOf(text: string): Stems {
  const known = new Map<string, string>();
  const stemOf = (word: string): string => {
    const stemmed = known.get(word) ?? stem(word);
    known.set(word, stemmed);
    return stemmed;
  };
  const found: Stems = { words: [], forms: new Set(), letters: new Set() };
  const add: Record<Span['kind'], (stemmed: string) => unknown> = {
    word: (one) => found.words.push(one),
    form: (one) => found.forms.add(one),
    letter: (one) => found.letters.add(one),
  };
  for (const { words, kind } of spans(text)) for (const word of words) add[kind](stemOf(word));
  return found;
}

/** The stems of a text in their order. */
export const stems = (text: string): string[] => stemsOf(text).words;

/**
 * What the index sees of a passage: its words, and once more those of its title and heading. Other forms and letters
 * come last, each once, so that neighbours in the text stay neighbours here.
 */
export function indexTokens(passage: { title: string; heading: string; text: string }): string {
  const [title, heading, text] = [passage.title, passage.heading, passage.text].map(stemsOf) as [
    Stems,
    Stems,
    Stems,
  ];
  const all = [title, heading, text];
  const words = all.flatMap((part) => part.words);
  const said = new Set(words);
  const further = new Set(all.flatMap((part) => [...part.forms, ...part.letters]));
  return [
    ...[...title.words, ...title.forms].map((one) => encode(one, 'title')),
    ...[...heading.words, ...heading.forms].map((one) => encode(one, 'heading')),
    ...[...words, ...[...further].filter((one) => !said.has(one))].map((one) => encode(one, 'word')),
  ].join(' ');
}

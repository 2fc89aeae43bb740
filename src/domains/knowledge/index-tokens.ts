import { stemmer } from 'stemmer';
import { spans, type Span } from './word-spans.js';

/** Removes English endings. Words in other scripts or with digits stay as they are. */
export const stem = (word: string): string => (/^[a-z]+$/.test(word) ? stemmer(word) : word);

/** The position of a word. Words of titles and headings are indexed once more under these names. */
export type Field = 'word' | 'title' | 'heading';

const lengthMax = 60;

/**
 * A stem in a form that the indexes of both databases store unchanged: 3 to 60 lower-case letters and digits.
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

/** The words of a text in order, and, separately, their other spellings. */
interface Stems {
  readonly words: string[];
  readonly forms: Set<string>;
  /** Letters of scripts without spaces between words. */
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

/** The stems of a text, in order. */
export const stems = (text: string): string[] => stemsOf(text).words;

/**
 * The indexed tokens of a passage: its words, with those of its title and heading once more. Other forms and
 * single letters come last, each once, so that words adjacent in the text stay adjacent here.
 */
export function indexTokens(passage: { title: string; heading: string; text: string }): string {
  const [title, heading, text] = [passage.title, passage.heading, passage.text].map(stemsOf) as [
    Stems,
    Stems,
    Stems,
  ];
  const all = [title, heading, text];
  const words = all.flatMap((part) => part.words);
  const inText = new Set(words);
  const further = new Set(all.flatMap((part) => [...part.forms, ...part.letters]));
  return [
    ...[...title.words, ...title.forms].map((one) => encode(one, 'title')),
    ...[...heading.words, ...heading.forms].map((one) => encode(one, 'heading')),
    ...[...words, ...[...further].filter((one) => !inText.has(one))].map((one) => encode(one, 'word')),
  ].join(' ');
}

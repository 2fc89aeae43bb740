import { fold, invisible, spelling } from './fold.js';

/** A place in a text with words that it stands for, folded but not stemmed. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly words: readonly string[];
  /**
   * `word` is one of the text's words in their order; `form` is another way to write what the words around it say:
   * `email` for `e-mail`, `Mueller` for `Müller`; `letter` is one of a script that puts no space between words.
   */
  readonly kind: 'word' | 'form' | 'letter';
}

const tail = `\\p{L}\\p{N}\\p{M}${invisible}`;
const run = `[\\p{L}\\p{N}][${tail}]*`;
/** Between letters a part of the word: hyphens, apostrophes, and the marks of Hebrew acronyms. */
const joiner = `(?:[-\\u2010\\u2011'\\u2018\\u2019\\uff07\\u055a\\u05f3\\u05f4]|(?<=\\p{sc=Hebrew})"(?=\\p{sc=Hebrew}))`;
const compounds = new RegExp(`${run}(?:${joiner}${run})*`, 'gu');
const partsOf = new RegExp(run, 'gu');

/** Scripts that put no space between words, and Hangul, which puts none before particles. */
const unspacedScripts = [
  ...[
    'Han',
    'Hiragana',
    'Katakana',
    'Hangul',
    'Bopomofo',
    'Thai',
    'Lao',
    'Khmer',
    'Myanmar',
    'Tibetan',
    'Yi',
  ],
  ...['Tai_Le', 'New_Tai_Lue', 'Tai_Tham', 'Tai_Viet', 'Javanese', 'Balinese'],
];
const halfWidthMarks = '\\uff9e\\uff9f';
/** A letter with its marks. */
const unspacedLetter = `(?!\\p{Nd})[${unspacedScripts.map((script) => `\\p{sc=${script}}`).join('')}\\u30fc\\uff70][\\p{M}${halfWidthMarks}${invisible}]*`;
const pieces = new RegExp(`(?<unspaced>(?:${unspacedLetter})+)|(?:(?!${unspacedLetter})[${tail}])+`, 'gu');
const lettersOf = new RegExp(unspacedLetter, 'gu');

/** What has more parts is no word that anybody writes in one. */
const partsMax = 5;

/** The words of a text with their places in it; what others lie within comes before them. */
export function* spans(text: string): Generator<Span> {
  for (const { 0: compound, index } of text.matchAll(compounds)) {
    const parts = [...compound.matchAll(partsOf)]
      .map(({ 0: part, index: at }) => ({ text: part, start: index + at }))
      // The genitive's s is no word of its own.
      .filter(({ text: part, start }) => !/^s$/i.test(part) || !/['’]/.test(text.charAt(start - 1)));
    const last = parts.at(-1);
    if (last !== undefined && parts.length > 1 && parts.length <= partsMax) {
      const words = fold(parts.map((part) => part.text).join(''));
      yield { start: index, end: last.start + last.text.length, words, kind: 'form' };
    }
    for (const part of parts) yield* spansOf(part.text, part.start);
  }
}

/** Of a run of letters without anything between. */
function* spansOf(part: string, start: number): Generator<Span> {
  if (/^[a-zA-Z0-9]+$/.test(part)) {
    yield { start, end: start + part.length, words: [part.toLowerCase()], kind: 'word' };
    return;
  }
  for (const { 0: piece, index, groups } of part.matchAll(pieces)) {
    const at = start + index;
    if (groups?.unspaced !== undefined) yield* pairs(piece, at);
    else {
      const place = { start: at, end: at + piece.length };
      const other = spelling(piece);
      if (other.length > 0) yield { ...place, words: other, kind: 'form' };
      // What stands at a place where a word may be broken is a word as well.
      const broken = piece.split('\u200b');
      if (broken.length > 1) yield { ...place, words: broken.flatMap(fold), kind: 'form' };
      yield { ...place, words: fold(piece), kind: 'word' };
    }
  }
}

/** Text of an unspaced script as overlapping pairs of letters, and as letters: whatever part is asked for is there. */
function* pairs(piece: string, start: number): Generator<Span> {
  const known = new Map<string, string>();
  const letters = [...piece.matchAll(lettersOf)].map(({ 0: letter, index }) => {
    const text = known.get(letter) ?? fold(letter).join('');
    known.set(letter, text);
    return { start: start + index, end: start + index + letter.length, text };
  });
  const kind = letters.length === 1 ? 'word' : 'letter';
  for (const letter of letters) yield { ...letter, words: wordsOf(letter.text), kind };
  for (let at = 1; at < letters.length; at += 1) {
    const [first, second] = [letters[at - 1], letters[at]];
    if (first === undefined || second === undefined) continue;
    const words = wordsOf(first.text + second.text);
    yield { start: first.start, end: second.end, words, kind: 'word' };
  }
}

const wordsOf = (text: string): string[] => (text === '' ? [] : [text]);

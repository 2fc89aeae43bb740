import { fold, invisible, spelling } from './letter-folding.js';

/** A range of a text, with the words that it stands for, folded but not stemmed. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly words: readonly string[];
  /**
   * `word` is a word of the text, in order. `form` is another spelling of surrounding words: `email` for
   * `e-mail`, `Mueller` for `Müller`. `letter` is a letter of a script without spaces between words.
   */
  readonly kind: 'word' | 'form' | 'letter';
}

const tail = `\\p{L}\\p{N}\\p{M}${invisible}`;
const run = `[\\p{L}\\p{N}][${tail}]*`;
/**
 * Characters that join parts of a word when they are between letters: hyphens, apostrophes, and the marks of
 * Hebrew acronyms.
 */
const joiner = `(?:[-\\u2010\\u2011'\\u2018\\u2019\\uff07\\u055a\\u05f3\\u05f4]|(?<=\\p{sc=Hebrew})"(?=\\p{sc=Hebrew}))`;
const compounds = new RegExp(`${run}(?:${joiner}${run})*`, 'gu');
const partsOf = new RegExp(run, 'gu');

/** Scripts without spaces between words, and Hangul, which has none before particles. */
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

/** More parts are not a word that anybody writes as one. */
const partsMax = 5;

/** The words of a text with their ranges. A range inside another one comes before it. */
export function* spans(text: string): Generator<Span> {
  for (const { 0: compound, index } of text.matchAll(compounds)) {
    const parts = [...compound.matchAll(partsOf)]
      .map(({ 0: part, index: at }) => ({ text: part, start: index + at }))
      // The s of a genitive is not a word.
      .filter(({ text: part, start }) => !/^s$/i.test(part) || !/['’]/.test(text.charAt(start - 1)));
    const last = parts.at(-1);
    if (last !== undefined && parts.length > 1 && parts.length <= partsMax) {
      const words = fold(parts.map((part) => part.text).join(''));
      yield { start: index, end: last.start + last.text.length, words, kind: 'form' };
    }
    for (const part of parts) yield* spansOf(part.text, part.start);
  }
}

/** The spans of an unbroken run of letters. */
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
      // The pieces at a zero-width space, where a word may break, count as words too.
      const broken = piece.split('\u200b');
      if (broken.length > 1) yield { ...place, words: broken.flatMap(fold), kind: 'form' };
      yield { ...place, words: fold(piece), kind: 'word' };
    }
  }
}

/**
 * Text of an unspaced script as overlapping pairs of letters and as single letters, so that any part of it
 * can be found.
 */
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

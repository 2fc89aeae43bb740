import { stemmer } from 'stemmer';

/** Letters that people type as others although Unicode does not take them apart. */
const alike: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};
const alikeLetters = /[ßæœøłđðþı]/g;
const wordRuns = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
/** Scripts that put no space between words. */
const unspacedRuns = /([\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\u30fc]+)/u;

/** A run of letters and digits of a text, and the words that it stands for, folded but not stemmed. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly words: readonly string[];
}

/** Folds case, compatibility forms and accents: `Élan` and `elan` are one word, `ＨＲ` and `hr` another. */
function fold(run: string): string[] {
  const lower = run.toLowerCase();
  if (/^[a-z0-9]+$/.test(lower)) return [lower];
  const folded = run
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .replace(alikeLetters, (letter) => alike[letter] ?? letter);
  return (folded.match(wordRuns) ?? []).flatMap((word) => word.split(unspacedRuns)).flatMap(pairs);
}

/** Text of an unspaced script as overlapping pairs of letters, which is how it can be found. */
function pairs(word: string): string[] {
  if (word === '') return [];
  const letters = unspacedRuns.test(word) ? [...word] : [];
  if (letters.length < 2) return [word];
  return letters.slice(1).map((letter, index) => (letters[index] ?? '') + letter);
}

/** The words of a text with their places in it. */
export function* spans(text: string): Generator<Span> {
  for (const found of text.matchAll(wordRuns)) {
    const [run] = found;
    const start = found.index;
    // The genitive's s is no word of its own.
    if ((run === 's' || run === 'S') && /['’]/.test(text.charAt(start - 1))) continue;
    yield { start, end: start + run.length, words: fold(run) };
  }
}

/** English endings go; words of other scripts, and those with digits, stay as they are. */
export const stem = (word: string): string => (/^[a-z]+$/.test(word) ? stemmer(word) : word);

/** Where a word stands. Words of titles and headings are indexed once more under these names. */
export type Field = 'word' | 'title' | 'heading';

const lengthMax = 60;

/**
 * A stem as the full-text indexes of both databases take it as it is: small letters and digits only, from 3 to
 * 60 of them, and never one of their stop words, for no such word begins with these two letters.
 */
export function encode(stemmed: string, field: Field): string {
  const place = field.charAt(0);
  const text = /^[a-z0-9]+$/.test(stemmed)
    ? `z${place}${stemmed}`
    : `y${place}${Buffer.from(stemmed, 'utf8').toString('hex')}`;
  return text.slice(0, lengthMax);
}

/** The stems of a text in their order. */
export function stems(text: string): string[] {
  const known = new Map<string, string>();
  const found: string[] = [];
  for (const { words } of spans(text)) {
    for (const word of words) {
      const stemmed = known.get(word) ?? stem(word);
      known.set(word, stemmed);
      found.push(stemmed);
    }
  }
  return found;
}

/** The words of a text as the index holds them. */
export const tokenize = (text: string): string[] => stems(text).map((one) => encode(one, 'word'));

/** What the full-text index sees of a passage: its words, and once more those of its title and heading. */
export function indexTokens(passage: { title: string; heading: string; text: string }): string {
  const title = stems(passage.title);
  const heading = stems(passage.heading);
  return [
    ...title.map((one) => encode(one, 'title')),
    ...heading.map((one) => encode(one, 'heading')),
    ...[...title, ...heading, ...stems(passage.text)].map((one) => encode(one, 'word')),
  ].join(' ');
}

/**
 * What is relied on: normalization, case mapping, and the categories and scripts of letters, none of which Unicode ever
 * changes for a letter that it has. Nothing of `Intl`, whose rules for words differ between versions of Node.
 */

/** What a class of a regular expression says of code points, such as `ad 200b-200f`. */
const within = (ranges: string): string =>
  ranges
    .split(' ')
    .map((range) => range.replace(/[0-9a-f]+/g, '\\u{$&}'))
    .join('');

/** Seen by nobody: soft hyphens, joiners, marks of direction, variation selectors. */
export const invisible = within(
  'ad 34f 61c 180b-180e 200b-200f 202a-202e 2060-2069 fe00-fe0f feff e0100-e01ef',
);
const invisibles = new RegExp(`[${invisible}]+`, 'gu');

/** Vowel signs and the like, which Hebrew, Arabic and Syriac may leave out; never the signs that Indic scripts cannot. */
const optional =
  '591-5bd 5bf 5c1-5c2 5c4-5c5 5c7 610-61a 640 64b-65f 670 6d6-6dc 6df-6e8 6ea-6ed 711 730-74a 8d3-8ff';
/** Of any letter, and the dots of Thai and Lao vowels that are also one letter with them. */
const accents = '300-36f 483-487 e4d ecd 1ab0-1aff 1dc0-1dff 20d0-20f0 fe20-fe2f';
const marks = new RegExp(`[${within(`${optional} ${accents}`)}]+`, 'gu');

/** Letters that people type as others although Unicode does not take them apart. */
const alike: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i', ς: 'σ' },
  // Arabic and Persian forms of one letter.
  ...{ ٱ: 'ا', ى: 'ي', ی: 'ي', ک: 'ك', ة: 'ه' },
  // Apostrophes that count as letters.
  ...{ ʼ: '', ʻ: '', ʹ: '', ʾ: '', ʿ: '' },
};
const alikeLetters = new RegExp(`[${Object.keys(alike).join('')}]`, 'g');

/** Zeros of the scripts whose digits are written for 0 to 9. */
const zeros = [
  0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50,
  0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810,
];
const digits = new Map(
  zeros.flatMap((zero) =>
    Array.from({ length: 10 }, (_, digit) => [String.fromCharCode(zero + digit), String(digit)] as const),
  ),
);
const foreignDigits = new RegExp(`[${[...digits.keys()].join('')}]`, 'g');

const letters = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;

/** Without case, compatibility forms and accents: `Élan` and `elan` are alike. Some letters come to several words. */
export function fold(run: string): string[] {
  const lower = run.toLowerCase();
  if (/^[a-z0-9]+$/.test(lower)) return [lower];
  const folded = run
    .replace(invisibles, '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(marks, '')
    .normalize('NFC')
    .replace(alikeLetters, (letter) => alike[letter] ?? letter)
    .replace(foreignDigits, (digit) => digits.get(digit) ?? digit);
  return folded.match(letters) ?? [];
}

/** How vowels are written where their dots or rings cannot be: `Mueller`. */
const spelledOut: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', ø: 'oe', å: 'aa' };

/** A word's other spelling, where it has one. */
export function spelling(run: string): string[] {
  const composed = run.toLowerCase().normalize('NFC');
  const other = composed.replace(/[äöüøå]/g, (letter) => spelledOut[letter] ?? letter);
  return other === composed ? [] : fold(other);
}

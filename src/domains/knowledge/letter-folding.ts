/**
 * Uses only normalization, case mapping, and the categories and scripts of letters. Unicode never changes
 * these for an existing letter. `Intl` is not used, because its word rules differ between versions of Node.
 */

/** The contents of a regular expression's class, from code points such as `ad 200b-200f`. */
const within = (ranges: string): string =>
  ranges
    .split(' ')
    .map((range) => range.replace(/[0-9a-f]+/g, '\\u{$&}'))
    .join('');

/** Invisible characters: soft hyphens, joiners, direction marks, variation selectors. */
export const invisible = within(
  'ad 34f 61c 180b-180e 200b-200f 202a-202e 2060-2069 fe00-fe0f feff e0100-e01ef',
);
const invisibles = new RegExp(`[${invisible}]+`, 'gu');

/**
 * Vowel signs and similar marks that Hebrew, Arabic and Syriac may omit. Marks of Indic scripts, which may
 * not be omitted, are never among them.
 */
const optional =
  '591-5bd 5bf 5c1-5c2 5c4-5c5 5c7 610-61a 640 64b-65f 670 6d6-6dc 6df-6e8 6ea-6ed 711 730-74a 8d3-8ff';
/** Marks on any letter, and the dots of Thai and Lao vowels, which may also be encoded as one letter. */
const accents = '300-36f 483-487 e4d ecd 1ab0-1aff 1dc0-1dff 20d0-20f0 fe20-fe2f';
const marks = new RegExp(`[${within(`${optional} ${accents}`)}]+`, 'gu');

/** Letters that people type as other letters although Unicode does not decompose them. */
const alike: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i', ς: 'σ' },
  // Arabic and Persian variants of one letter.
  ...{ ٱ: 'ا', ى: 'ي', ی: 'ي', ک: 'ك', ة: 'ه' },
  // Letter-like apostrophes.
  ...{ ʼ: '', ʻ: '', ʹ: '', ʾ: '', ʿ: '' },
};
const alikeLetters = new RegExp(`[${Object.keys(alike).join('')}]`, 'g');

/** The zeros of the scripts whose digits are replaced by 0 to 9. */
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

/**
 * Removes case, compatibility forms and accents, so that `Élan` and `elan` are equal. A compatibility form
 * may become several words.
 */
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

/** Spellings of vowels where their dots or rings cannot be typed: `Mueller`. */
const spelledOut: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', ø: 'oe', å: 'aa' };

/** Another spelling of a word, if it has one. */
export function spelling(run: string): string[] {
  const composed = run.toLowerCase().normalize('NFC');
  const other = composed.replace(/[äöüøå]/g, (letter) => spelledOut[letter] ?? letter);
  return other === composed ? [] : fold(other);
}

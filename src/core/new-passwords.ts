import common from '@zxcvbn-ts/language-common';

export const newPasswordLengthMin = 12;
const newPasswordLengthMax = 200;

/** The person whose password it is, in the words that an attacker would guess first. */
interface PasswordOwner {
  readonly name: string;
  readonly displayName: string;
  readonly email: string | null;
}

/** About 49,000 passwords that leaked most often (zxcvbn-ts, MIT licence). */
const known = new Set(common.dictionary['passwords-common'].filter((word) => word.length >= 4));
const product = 'behalf';
/** Sequences of neighbouring letters, digits or keys. */
const runs = [
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
].flatMap((row) => [row + row, reversed(row + row)]);

/** Why an attacker would soon guess this password, as a sentence. Undefined for an acceptable one. */
export function newPasswordFault(password: string, owner: PasswordOwner): string | undefined {
  const length = [...password].length;
  if (length < newPasswordLengthMin) return `Use at least ${String(newPasswordLengthMin)} characters.`;
  if (length > newPasswordLengthMax) return `Use at most ${String(newPasswordLengthMax)} characters.`;
  const own = wordsOf(owner);
  const shapes = shapesOf(password);
  const whole = [owner.name, owner.displayName].map(lettersAndDigits).filter((name) => name.length >= 4);
  if (shapes.some((shape) => whole.some((name) => shape.includes(name)) || isMadeOf(shape, own))) {
    return 'Leave your name, your e-mail address and the name of this program out of the password.';
  }
  const isCommon = shapes.some((shape) => shape === '' || isKnown(shape) || isRun(shape));
  return isCommon ? 'Choose a password that is less common: a few words in a row work well.' : undefined;
}

const lettersAndDigits = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '');

function reversed(text: string): string {
  return [...text].reverse().join('');
}

function wordsOf({ name, displayName, email }: PasswordOwner): readonly string[] {
  const parts = [name, displayName, ...(email?.split('@') ?? [])].map(folded);
  const words = parts.flatMap((part) => [lettersAndDigits(part), ...part.split(/[^\p{L}\p{N}]+/u)]);
  return [...new Set([product, ...words])].filter((word) => word.length >= 3);
}

/** Removes case, accents and variant forms of letters. */
const folded = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** Characters that stand for letters; `1` stands for two. */
const lookAlikes = {
  '0': 'o',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '9': 'g',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
  '+': 't',
  '€': 'e',
};
const asLetters = (text: string, one: string): string =>
  [...text]
    .map((sign) => (sign === '1' ? one : ((lookAlikes as Record<string, string>)[sign] ?? sign)))
    .join('');

/**
 * The words behind a password, without the usual additions: capitals, characters in place of letters, digits
 * and punctuation at either end or between, repetition, reversal.
 */
function shapesOf(password: string): readonly string[] {
  const plain = folded(password);
  const trimmed = [
    plain,
    plain.replace(/^\P{L}+/u, ''),
    plain.replace(/\P{L}+$/u, ''),
    plain.replace(/^\P{L}+|\P{L}+$/gu, ''),
  ];
  const spelled = trimmed.flatMap((text) => [text, asLetters(text, 'i'), asLetters(text, 'l')]);
  const letters = plain.replace(/\P{L}/gu, '');
  const shapes = [...spelled.map(lettersAndDigits), ...(letters.length >= 4 ? [letters] : [])].map(unitOf);
  return [...new Set([...shapes, ...shapes.map(reversed)])];
}

/** The part that a text repeats. Digits alone make no word, so they give the empty text. */
function unitOf(text: string): string {
  if (/^\p{N}*$/u.test(text)) return '';
  const again = `${text}${text}`.indexOf(text, 1);
  return text.slice(0, again);
}

/** How many characters before and after a listed word are ignored. */
const affixLengthMax = 2;
function isKnown(shape: string): boolean {
  for (let from = 0; from <= affixLengthMax; from += 1) {
    for (let to = shape.length; to >= shape.length - affixLengthMax + from; to -= 1) {
      if (known.has(shape.slice(from, to))) return true;
    }
  }
  return false;
}

const isRun = (shape: string): boolean => new Set(shape).size <= 3 || runs.some((row) => row.includes(shape));

/**
 * Whether the password is made of words about its owner and at most a short rest, digits or one common word.
 */
function isMadeOf(shape: string, own: readonly string[]): boolean {
  const rest = own
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, word) => text.replaceAll(word, ' '), shape)
    .trim();
  return rest !== shape && (rest.length <= affixLengthMax || /^\p{N}+$/u.test(rest) || known.has(rest));
}

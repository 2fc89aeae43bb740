import { badInput } from './errors.js';

// eslint-disable-next-line no-control-regex -- the point is to refuse them
const controls = /[\u0000-\u001f\u007f]/;
// eslint-disable-next-line no-control-regex -- the point is to refuse them
const controlsButBreaks = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/**
 * One line of text, trimmed. Databases compare trailing spaces and control characters differently, so neither
 * is stored or searched for.
 */
export function oneLine(value: string, lengthMax: number, path: string): string {
  const text = value.normalize('NFC').trim();
  if (text === '') throw badInput(`\`${path}\` must not be empty.`, path);
  if ([...text].length > lengthMax)
    throw badInput(`\`${path}\` is longer than ${String(lengthMax)} characters.`, path);
  if (controls.test(text) || !text.isWellFormed())
    throw badInput(`\`${path}\` has characters that no line may have.`, path);
  return text;
}

/**
 * One line without invisible characters: for names, titles and other texts by which people tell things apart
 * or decide. An invisible character lets two names look the same; a bidirectional one shows a name in another
 * order. Look-ups use `oneLine`, because older rows may contain such characters.
 */
export function visibleLine(value: string, lengthMax: number, path: string): string {
  // All spaces look alike.
  const text = oneLine(value.replace(/\p{Zs}/gu, ' '), lengthMax, path);
  const code = unseenIn(text);
  if (code !== undefined)
    throw badInput(`\`${path}\` has the character ${code}, which nobody can see: leave it out.`, path);
  if (/^\p{M}/u.test(text))
    throw badInput(`\`${path}\` begins with a mark that belongs to a letter before it.`, path);
  if (stackedMarks.test(text))
    throw badInput(`\`${path}\` has more marks on one letter than anybody can read.`, path);
  return text;
}

/** A text to be found as it is, in a column where others write: nothing of it is trimmed or refused but its length. */
export function anyText(value: string, lengthMax: number, path: string): string {
  if ([...value].length > lengthMax)
    throw badInput(`\`${path}\` is longer than ${String(lengthMax)} characters.`, path);
  if (!value.isWellFormed()) throw badInput(`\`${path}\` has half a character.`, path);
  return value;
}

/** The first invisible character of a text, as `U+200B`. Undefined for none; line breaks and tabs do not count. */
export function unseenIn(text: string): string | undefined {
  const flat = text.replace(/[\t\n\r]/g, ' ');
  const rest = joined.reduce((line, form) => line.replace(form, ({ length }) => 'x'.repeat(length)), flat);
  const at = rest.search(unseen);
  if (at === -1) return undefined;
  return `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * More marks on one letter than any script uses: Hebrew and Tibetan have four, the International Phonetic
 * Alphabet six.
 */
const stackedMarks = /\p{M}{9}/u;

/**
 * Controls, characters that turn a line or leave no trace in it, line separators, the empty Braille pattern,
 * annotations, and three characters that Unicode does not list as ignorable but fonts show as nothing.
 */
const unseen =
  /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u{16fe4}\u2800\ufff9-\ufffc\u{13441}\u{1d159}]/u;

/** Places where an invisible character changes what is shown, so it is allowed. */
const joined = [
  // Emoji, and digits in a keycap.
  /\p{Extended_Pictographic}\p{Emoji_Modifier}?[\ufe0e\ufe0f]?(?:\u200d(?=\p{Extended_Pictographic}))?/gu,
  /[0-9#*]\ufe0f(?=\u20e3)/gu,
  // After a virama (RFC 5892, appendix A.1).
  /(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])[\u200c\u200d]/gu,
  // Between Arabic letters that would join, so not after letters that never join their successor.
  /(?<=\p{Script=Arabic})(?<![\u0621-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf\u06d2-\u06d5])\u200c(?=\p{Script=Arabic})/gu,
];

/** The position of the first character that `paragraphs` refuses; -1 where there is none. */
export const refusedCharacterAt = (text: string): number => text.search(controlsButBreaks);

/** Text with uniform line breaks, trimmed at its end. */
export function paragraphs(value: string, lengthMax: number, path: string): string {
  const text = value.normalize('NFC').replace(/\r\n?/g, '\n').trimEnd();
  if (text === '') throw badInput(`\`${path}\` must not be empty.`, path);
  if ([...text].length > lengthMax)
    throw badInput(`\`${path}\` is longer than ${String(lengthMax)} characters.`, path);
  if (controlsButBreaks.test(text) || !text.isWellFormed()) {
    throw badInput(`\`${path}\` has characters that no text may have.`, path);
  }
  return text;
}

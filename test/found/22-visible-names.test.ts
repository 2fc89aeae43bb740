import { describe, expect, test } from 'vitest';
import { oneLine, visibleLine } from '../../src/core/checked-text.js';

const character = (code: number): string => String.fromCodePoint(code);

/** What shows nothing, or turns what is around it: each once in the middle of a name. */
const refused: readonly (readonly [what: string, code: number])[] = [
  ['a right-to-left override', 0x202e],
  ['a left-to-right override', 0x202d],
  ['an embedding', 0x202b],
  ['the end of one', 0x202c],
  ['an isolate', 0x2066],
  ['the end of one', 0x2069],
  ['a left-to-right mark', 0x200e],
  ['a right-to-left mark', 0x200f],
  ['an Arabic letter mark', 0x061c],
  ['a zero-width space', 0x200b],
  ['a zero-width non-joiner', 0x200c],
  ['a zero-width joiner', 0x200d],
  ['a word joiner', 0x2060],
  ['an invisible plus', 0x2064],
  ['a byte order mark', 0xfeff],
  ['a soft hyphen', 0x00ad],
  ['a grapheme joiner', 0x034f],
  ['a Hangul filler', 0x3164],
  ['another Hangul filler', 0xffa0],
  ['a variation selector', 0xfe0f],
  ['a variation selector of the supplement', 0xe0100],
  ['a tag', 0xe0041],
  ['an empty Braille pattern', 0x2800],
  ['a line separator', 0x2028],
  ['a control of the second block', 0x0085],
  ['an object replacement', 0xfffc],
  ['what is no character', 0xfffe],
  ['a null notehead', 0x1d159],
  ['a blank of Egyptian hieroglyphs', 0x13441],
  ['a Khitan filler', 0x16fe4],
];

describe('22 a name shows all that it has', () => {
  test.each(refused)('refused with its code: %s', (_what, code) => {
    const name = `Rosa${character(code)}Lind`;
    const hex = code.toString(16).toUpperCase().padStart(4, '0');
    expect(() => visibleLine(name, 200, 'displayName')).toThrow(
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        details: { path: 'displayName' },
        message: `\`displayName\` has the character U+${hex}, which nobody can see: leave it out.`,
      }),
    );
  });

  test.each([
    'Rosa Lind',
    'Zoë Ångström-Ñuñez',
    'שרה כהן',
    'محمد العربي',
    // Persian, with the joiners that it is written with.
    'می\u200cخواهم',
    // Devanagari: a virama and a joiner.
    'क्\u200dष',
    '東京営業部',
    'ประเทศไทย',
    'Guide : 50 % — “done” – it’s fine',
    '⚠\ufe0f Warning',
    '1\ufe0f\u20e3 First steps',
    '👩🏽\u200d⚕\ufe0f on call, 👨\u200d👩\u200d👧 at home',
    'C# & C++ <b>',
  ])('taken as it is: %s', (name) => {
    expect(visibleLine(name, 200, 'displayName')).toBe(name.normalize('NFC'));
  });

  test.each([
    ['a joiner after a letter that joins nothing', 'د\u200cار'],
    ['a digit that is no key', '1\ufe0f2'],
    ['a joiner between a picture and a letter', '👩\u200da'],
    ['a flag with a hidden message', '🏴\u{e0067}\u{e0062}\u{e0065}\u{e007f}'],
  ])('refused where the character changes nothing that is seen: %s', (_what, name) => {
    expect(() => visibleLine(name, 200, 'name')).toThrow(/which nobody can see/);
  });

  test('rows that have such a name from before are still found by it', () => {
    expect(oneLine('Rosa\u00adLind', 200, 'filter.name')).toBe('Rosa\u00adLind');
  });

  test('all spaces are one', () => {
    for (const space of ['\u00a0', '\u2003', '\u202f', '\u3000'])
      expect(visibleLine(`Rosa${space}Lind`, 200, 'displayName')).toBe('Rosa Lind');
  });

  test.each([
    ['a mark without its letter', '\u0301Rosa', 'begins with a mark'],
    ['a letter under more marks than any script has', `R${'\u0301'.repeat(10)}osa`, 'more marks'],
  ])('%s is refused', (_what, name, why) => {
    expect(() => visibleLine(name, 200, 'displayName')).toThrow(why);
  });

  test('marks that scripts do have are taken', () => {
    for (const name of ['שָּׁ', 'ཧྐྵྨླྺྼྻྂ', 'x̱̂̃̈'])
      expect(visibleLine(name, 200, 'displayName')).toBe(name.normalize('NFC'));
  });
});

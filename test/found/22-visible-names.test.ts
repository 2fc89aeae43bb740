import { describe, expect, test } from 'vitest';
import { oneLine, visibleLine } from '../../src/core/text.js';

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
});

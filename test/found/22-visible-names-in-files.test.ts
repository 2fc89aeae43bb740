import { describe, expect, test } from 'vitest';
import { readerOf } from '../../src/import/field-values.js';

const read = readerOf({ name: 'name', kind: 'text', length: 200 } as Parameters<typeof readerOf>[0], {});

describe('22 names that come from files show all that they have', () => {
  test.each([
    ['a zero-width space', 'Ac\u200bme'],
    ['a right-to-left override', 'C\u202e1'],
    ['a Hangul filler', 'Ac\u3164me'],
    ['a tag', 'Acme\u{e0041}'],
    ['a byte order mark', 'Ac\ufeffme'],
  ])('%s is refused', (_, text) => {
    expect(() => read(text, undefined)).toThrow(/nobody can see/);
  });

  test.each(['Acme Ltd.', 'Zoë & Søn', '한국 상사', 'می\u200cخواهم', '茶 ☕'])('%s passes', (text) => {
    expect(read(text, undefined)).toBe(text.normalize('NFC'));
  });

  test('breaks of a line become blanks', () => {
    expect(read('1 High Street\r\n London', undefined)).toBe('1 High Street London');
  });
});

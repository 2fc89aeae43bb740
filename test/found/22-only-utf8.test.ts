import { describe, expect, test } from 'vitest';
import { parseJson } from '../../src/core/json.js';
import { isUtf8Form, isUtf8Target, textOf, typeFault } from '../../src/core/utf8.js';

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const escaped = (hex: string): string => hex.replace(/(..) ?/g, '%$1');

const broken: readonly (readonly [what: string, hex: string])[] = [
  ['a lone byte of Latin-1', '63 61 66 e9'],
  ['an overlong slash', 'c0 af'],
  ['an overlong slash of three bytes', 'e0 80 af'],
  ['an overlong NUL', 'c0 80'],
  ['a surrogate', 'ed a0 80'],
  ['a pair of surrogates (CESU-8)', 'ed a0 bd ed b8 80'],
  ['what is beyond U+10FFFF', 'f4 90 80 80'],
  ['the lead of five bytes', 'f8 88 80 80 80'],
  ['half a character', '61 e2 82'],
  ['a continuation without its lead', '80 61'],
  ['UTF-16', 'ff fe 61 00'],
];

describe('22 bytes that are not UTF-8 are no text', () => {
  test.each(broken)('%s', (_what, hex) => {
    expect(textOf(octets(hex))).toBeUndefined();
    expect(isUtf8Form(escaped(hex))).toBe(false);
    expect(isUtf8Form(`a=1&b=${octets(hex).toString('latin1')}`)).toBe(false);
    expect(isUtf8Target(`/graphql?query=${escaped(hex)}`)).toBe(false);
  });

  test('everything else is: what was written as a replacement character too', () => {
    const text = 'e, é, €, 😀, \ufffd';
    expect(textOf(Buffer.from(text))).toBe(text);
    expect(isUtf8Form(`a=${encodeURIComponent(text)}+100%`)).toBe(true);
  });

  test('a byte order mark is no part of the text', () => {
    expect(textOf(octets('ef bb bf 61'))).toBe('a');
  });

  test('an address is of ASCII, or its bytes would be taken for other letters', () => {
    expect(isUtf8Target('/graphql?query=%C3%A9')).toBe(true);
    expect(isUtf8Target('/graphql?query=\u00c3\u00a9')).toBe(false);
  });
});

describe('22 a body says what it is', () => {
  const json = 'application/json';
  test.each([
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; x=y; charset=utf8',
  ])('taken: %s', (type) => {
    expect(typeFault({ 'content-type': type }, json)).toBeUndefined();
    expect(typeFault({ 'content-type': type, 'content-encoding': 'identity' }, json)).toBeUndefined();
  });

  test.each([
    ['application/json; charset=utf-16', /UTF-8/],
    ['application/json; charset=iso-8859-1', /UTF-8/],
    ['application/json; charset=""', /UTF-8/],
    ['text/plain', /application\/json/],
    ['application/jsonx', /application\/json/],
    [undefined, /application\/json/],
  ])('refused: %s', (type, told) => {
    expect(typeFault({ 'content-type': type }, json)).toMatch(told);
  });

  test.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, br'])('refused: compressed by %s', (encoding) => {
    expect(typeFault({ 'content-type': json, 'content-encoding': encoding }, json)).toMatch(/compressed/);
  });
});

describe('22 JSON that could not be kept is refused by its name', () => {
  const told = (text: string): string => {
    try {
      parseJson(text, 'The request');
      return 'taken';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each([
    ['{"a":"\\ud800"}', /half of a character/],
    ['{"a":"x\\uDC00x"}', /half of a character/],
    ['{"\\udbffx":1}', /half of a character/],
    ['["\\ud83d\\ud83d\\ude00"]', /half of a character/],
    ['{"a":{"__proto__":{"x":1}}}', /`__proto__`/],
    ['{"\\u005f_proto__":1}', /`__proto__`/],
    [`${'['.repeat(50_000)}{"__proto__":1}${']'.repeat(50_000)}`, /`__proto__`/],
    ['{"a":', /not well-formed/],
    ['', /not well-formed/],
  ])('%#', (text, reason) => {
    expect(told(text)).toMatch(reason);
  });

  test.each([
    '{"a":"\\ud83d\\ude00"}',
    // Letters that follow an escaped backslash.
    '{"a":"C:\\\\ud800"}',
    '{"a":"__proto__","b":"\\"__proto__\\":"}',
    '{"constructor":{"prototype":1}}',
  ])('taken as it is: %s', (text) => {
    expect(parseJson(text, 'The request')).toEqual(JSON.parse(text));
  });
});

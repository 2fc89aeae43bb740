import { getIntrospectionQuery, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { structureLimits, type StructureLimit } from '../src/graphql/document/structure-limits.js';
import { structureFault, Structures, variablesFault } from '../src/graphql/document/structure.js';

const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nested = (depth: number, open: string, inner: string, close: string): string =>
  open.repeat(depth) + inner + close.repeat(depth);

/** For a limit, a document that holds so much of it. */
const holding: Readonly<Partial<Record<StructureLimit, (count: number) => string>>> = {
  characters: (count) => '{ a }'.padEnd(count),
  lines: (count) => `{ a }${'\n'.repeat(count - 1)}`,
  nameLength: (count) => `{ ${'a'.repeat(count)} }`,
  operations: (count) => times(count, (index) => `query Q${String(index)} { a }`),
  rootFields: (count) => `{ ${times(count, (index) => `a${String(index)}`)} }`,
  depth: (count) => nested(count, '{ a ', '', '}'),
  aliases: (count) => `{ x { ${times(count, (index) => `a${String(index)}: a`)} } }`,
  fragments: (count) => `{ a } ${times(count, (index) => `fragment F${String(index)} on T { a }`)}`,
  spreads: (count) => `{ ${times(count, () => '...F')} } fragment F on T { a }`,
  directives: (count) => `{ x { ${times(count, (index) => `a${String(index)} @d`)} } }`,
  directivesOfOne: (count) => `{ a ${times(count, () => '@d')} }`,
  variables: (count) => `query (${times(count, (index) => `$v${String(index)}: T`)}) { a }`,
  valueDepth: (count) => `{ a(b: ${nested(count, '[', '1', ']')}) }`,
};

const faultOf = (source: string): readonly [string, string | undefined] | undefined => {
  const fault = new Structures().fault(source);
  return fault && [fault.code, fault.details.limit];
};

describe('each limit', () => {
  test.each(Object.entries(holding))('%s: so much is taken, and one more is refused', (limit, document) => {
    const { max } = structureLimits[limit as StructureLimit];
    expect(() => parse(document(max))).not.toThrow();
    expect(faultOf(document(max))).toBeUndefined();
    expect(faultOf(document(max + 1))).toEqual(['QUERY_TOO_COMPLEX', limit]);
  });

  test('selections are counted with fragments written out', () => {
    const fragment = (width: number): string =>
      `fragment F on T { ${times(width, (index) => `f${String(index)}`)} }`;
    const document = (width: number): string =>
      `{ x { ${times(40, (index) => `p${String(index)} { ...F }`)} } } ${fragment(width)}`;
    // 41 fields, and 40 times one spread and so many fields.
    expect(faultOf(document(122))).toBeUndefined();
    expect(faultOf(document(123))).toEqual(['QUERY_TOO_COMPLEX', 'selections']);
  });

  test.each([
    ['in one place', (count: number) => `{ ${'a '.repeat(count)} }`],
    ['in fragments', (count: number) => `{ a ...F } fragment F on T { ${'a '.repeat(count - 1)} }`],
    ['in inline fragments', (count: number) => `{ ${'... { a } '.repeat(count)} }`],
    ['below equal selections', (count: number) => `{ x { ${'a '.repeat(count - 1)} } x { a } }`],
    ['in a fragment that nothing uses', (count: number) => `{ b } fragment F on T { ${'a '.repeat(count)} }`],
  ])('pairs of equal selections are counted %s', (_where, document) => {
    // 77 of one name are 2,926 pairs, 78 are 3,003.
    expect(faultOf(document(77))).toBeUndefined();
    expect(faultOf(document(78))).toEqual(['QUERY_TOO_COMPLEX', 'repeats']);
  });

  test('depth is counted through fragments', () => {
    const chain = (length: number): string =>
      `{ ...F0 } ${times(length, (index) => `fragment F${String(index)} on T { a ${index + 1 < length ? `{ ...F${String(index + 1)} }` : ''} }`)}`;
    expect(faultOf(chain(20))).toBeUndefined();
    expect(faultOf(chain(21))).toEqual(['QUERY_TOO_COMPLEX', 'depth']);
  });

  test('root fields are counted through fragments', () => {
    const document = (count: number): string =>
      `{ ...A ... { a } } fragment A on Query { ${times(count - 1, (index) => `f${String(index)}`)} }`;
    expect(faultOf(document(50))).toBeUndefined();
    expect(faultOf(document(51))).toEqual(['QUERY_TOO_COMPLEX', 'rootFields']);
  });
});

describe('what could pass by the limits', () => {
  test.each([
    ['a fragment around itself', '{ ...A } fragment A on T { ...A }'],
    ['fragments around each other', '{ ...A } fragment A on T { a { ...B } } fragment B on T { ...A }'],
    ['such that nothing uses', '{ a } fragment A on T { ...B } fragment B on T { ...A }'],
    ['two fragments of one name', '{ ...A } fragment A on T { a } fragment A on T { b }'],
    ['a schema', 'type T { a: Int } { a }'],
  ])('%s is refused outright', (_what, document) => {
    expect(structureFault(parse(document))?.code).toBe('BAD_USER_INPUT');
  });

  test('a name that every object has is a name like others', () => {
    const document =
      '{ ...toString ...constructor } fragment constructor on T { __proto__ hasOwnProperty: valueOf }';
    expect(structureFault(parse(document))).toBeUndefined();
  });

  test('a document that was found good is not looked at again, and one that was not, is', () => {
    const structures = new Structures();
    const bad = `{ ${'a '.repeat(100)} }`;
    for (let at = 0; at < 3; at += 1) {
      expect(structures.fault('{ a }')).toBeUndefined();
      expect(structures.fault(bad)?.code).toBe('QUERY_TOO_COMPLEX');
    }
  });

  test('a document that cannot be parsed is left to whoever parses it', () => {
    for (const source of [
      '',
      '{',
      '{ a',
      '\u0000',
      `{ ${'a'.repeat(100)} } }`,
      `{ ${'a '.repeat(5_000)} }`,
    ]) {
      expect(new Structures().fault(source)).toBeUndefined();
    }
  });
});

describe('variables', () => {
  const lists = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

  test('hold values 20 levels deep, and no deeper', () => {
    expect(variablesFault({ v: lists(21) })).toBeUndefined();
    expect(variablesFault({ v: lists(22) })?.details.limit).toBe('valueDepth');
    expect(variablesFault({ v: lists(400_000) })?.details.limit).toBe('valueDepth');
  });

  test('may be 20,000 values', () => {
    expect(variablesFault({ v: Array.from({ length: 19_999 }, () => 1) })).toBeUndefined();
    expect(variablesFault({ v: Array.from({ length: 20_000 }, () => 1) })?.details.limit).toBe(
      'variableValues',
    );
    expect(variablesFault({ v: Array.from({ length: 500_000 }, () => ({})) })?.details.limit).toBe(
      'variableValues',
    );
  });

  test.each([undefined, null, {}, { v: null }, { v: 'text' }])('%j are taken', (variables) => {
    expect(variablesFault(variables)).toBeUndefined();
  });
});

test('introspection as tools ask for it is within all limits', () => {
  const all = {
    descriptions: true,
    inputValueDeprecation: true,
    oneOf: true,
    schemaDescription: true,
    specifiedByUrl: true,
  };
  for (const query of [
    getIntrospectionQuery(),
    getIntrospectionQuery({ ...all, directiveIsRepeatable: true }),
  ]) {
    expect(faultOf(query)).toBeUndefined();
  }
});

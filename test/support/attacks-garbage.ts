import fc from 'fast-check';
import { getIntrospectionQuery, isObjectType, type GraphQLSchema } from 'graphql';
import { argumentsOf, operationAt, selectAll } from './documents.js';

/**
 * Documents of one caller's view: one field of each kind of object, those that tools send, and some that are refused.
 */
export function corpusOf(view: GraphQLSchema): string[] {
  const rows = Object.values(view.getTypeMap()).flatMap((type) => {
    const isReachable = isObjectType(type) && !type.name.startsWith('__') && type.name !== 'Mutation';
    return isReachable && !/Payload$|^Mutation/.test(type.name)
      ? [operationAt(view, type.name, selectAll(type, 0))]
      : [];
  });
  const mutations = Object.values(view.getMutationType()?.getFields() ?? {})
    // A mutation with a key and nothing else would end the attacker's own task.
    .filter((field) => field.args.length > 1)
    .map((field) => `mutation M { ${field.name}${argumentsOf('Mutation', field)} { __typename } }`);
  return [
    ...rows,
    ...mutations,
    getIntrospectionQuery(),
    'query A($first: Int = 2, $after: String) { customers(first: $first, after: $after) { ...F edges { cursor } } } fragment F on CustomerConnection { totalCount nodes { id ... on Customer { name @include(if: true) } } }',
    'query B($filter: CustomerFilter) { customers(filter: $filter, orderBy: { number: ASC }) { nodes { """x""" id } } }',
    '{ a: search(query: "coffee \\u0041", first: 3) { nodes { score } } b: __type(name: "Customer") { fields { name } } }',
  ];
}

const tokenPattern = /"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|\S/g;
const strange = [
  ...[
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ':',
    '$',
    '@',
    '!',
    '...',
    '=',
    '|',
    '&',
    '"',
    '"""',
    '#',
    ',',
    '\\',
    '\u0000',
    '\ud800',
    '\ufeff',
    '\n',
  ],
  ...[
    'query',
    'mutation',
    'subscription',
    'fragment',
    'on',
    'true',
    'null',
    'schema',
    'type',
    'extend',
    '__schema',
    '__type',
    '__typename',
    '__proto__',
    'constructor',
  ],
  ...[
    '1e999',
    '-0',
    '99999999999999999999',
    '1.5',
    '"\\u{110000}"',
    '"\\ud800"',
    '"a',
    '$v',
    '@skip(if: $x)',
    '@include',
    '...F',
    '... on',
  ],
];

/**
 * A document with some of its tokens lost, doubled, swapped, or replaced by strange ones or by tokens of another
 * document.
 */
const mutated = (corpus: readonly string[]): fc.Arbitrary<string> => {
  const change = fc.record({
    kind: fc.constantFrom('lose', 'double', 'swap', 'strange', 'borrow'),
    at: fc.nat(),
    from: fc.nat(),
    other: fc.constantFrom(...corpus),
    token: fc.constantFrom(...strange),
  });
  return fc
    .tuple(
      fc.constantFrom(...corpus),
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(' ', '\n', ', '),
    )
    .map(([document, changes, space]) => {
      const tokens = document.match(tokenPattern) ?? [];
      for (const { kind, at, from, other, token } of changes) {
        const place = at % Math.max(1, tokens.length);
        const near = from % Math.max(1, tokens.length);
        const [here = '', there = ''] = [tokens[place], tokens[near]];
        if (kind === 'lose') tokens.splice(place, 1 + (from % 4));
        else if (kind === 'double') tokens.splice(place, 0, ...tokens.slice(near, near + 8));
        else if (kind === 'swap') [tokens[place], tokens[near]] = [there, here];
        else if (kind === 'strange') tokens.splice(place, from % 2, token);
        else tokens.splice(place, from % 2, (other.match(tokenPattern) ?? [])[near] ?? token);
      }
      return tokens.join(space);
    });
};

const awkward = fc.constantFrom<unknown>(
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    '',
    'x',
    '\u0000',
    '\ud800',
    '2026-02-30T00:00:00Z',
    [],
    [[]],
    {},
    { a: { b: [null] } },
  ],
  ...['__proto__', 'constructor', 'x'.repeat(3_000), ['a', 1, null], { numbers: 'x' }, { email: { a: 1 } }],
);
const variables = fc.oneof(
  fc.dictionary(fc.constantFrom('first', 'after', 'filter', 'id', 'x'), fc.oneof(awkward, fc.jsonValue())),
  awkward,
);

/**
 * Bodies that no client sends on purpose: bytes, halves of JSON, JSON of any shape, and documents that were once valid.
 */
export function garbage(corpus: readonly string[]): fc.Arbitrary<string | Uint8Array> {
  const document = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...corpus) },
    { weight: 1, arbitrary: mutated(corpus) },
  );
  const request = fc
    .tuple(document, variables)
    .map(([query, given]) => JSON.stringify({ query, variables: given }));
  const cut = fc.tuple(request, fc.nat()).map(([text, at]) => text.slice(0, at % text.length));
  const flipped = fc
    .tuple(
      request,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
    )
    .map(([text, changes]) => {
      const bytes = Buffer.from(text);
      for (const [at, bits] of changes) {
        const place = at % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(place) ^ bits, place);
      }
      return new Uint8Array(bytes);
    });
  const tokens = fc
    .array(fc.constantFrom(...strange, 'customers', 'nodes', 'id', 'filter'), { maxLength: 60 })
    .map((some) => JSON.stringify({ query: some.join(' ') }));
  const anyShape = fc
    .record(
      {
        query: fc.anything(),
        variables: fc.anything(),
        operationName: fc.anything(),
        extensions: fc.anything(),
      },
      { requiredKeys: [] },
    )
    .map((value) => asJson(value));
  return fc.oneof(
    { weight: 4, arbitrary: mutated(corpus).map((query) => JSON.stringify({ query })) },
    { weight: 2, arbitrary: request },
    { weight: 1, arbitrary: cut },
    { weight: 2, arbitrary: flipped },
    { weight: 1, arbitrary: tokens },
    { weight: 1, arbitrary: anyShape },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 500 }) },
  );
}

/** JSON of a random value, as far as it has any. */
function asJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? String(inner) : inner,
  ) as string | undefined;
  return text ?? '';
}

// databases: sqlite, mariadb
import { isObjectType, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canary, namesOf, Target, type Reply } from '../support/attacks.js';
import { operationAt } from '../support/documents.js';

/** Attempts to learn of the schema more than one's own view: clairvoyance's way, and by introspection. */

let target: Target;
/** The best list of words that an attacker could have: every name of the whole schema, and near ones. */
let words: string[];

beforeAll(async () => {
  target = await Target.start();
  const names = [...target.hidden, ...namesOf(target.view)];
  words = [...new Set(names.flatMap((name) => [name, name.slice(0, -1), `${name}s`]))].filter((word) =>
    /^[A-Za-z_]\w+$/.test(word),
  );
});
afterAll(() => target.stop());

const ask = (query: string): Promise<Reply> => target.send({ body: JSON.stringify({ query }) });
const messagesOf = ({ text }: Reply): string[] =>
  ((JSON.parse(text) as { errors?: { message: string }[] }).errors ?? []).map(({ message }) => message);

const quote = `['"]`;
const name = String.raw`[_0-9A-Za-z.[\]!]+`;
const several = String.raw`(?<multi>(?:['"]${name}['"],? ?)+(?:or ['"]${name}['"])?)`;
/** What clairvoyance reads from error messages: names that exist, and their types. */
const patterns = [
  `Field ${quote}(?<one>${name})${quote} of type ${quote}(?<two>${name})${quote} must have a (?:selection of subfields|sub selection)`,
  `Field ${quote}(?<one>${name})${quote} must not have a selection since type ${quote}(?<two>${name})${quote} has no subfields`,
  `Cannot query field ${quote}${name}${quote} on type ${quote}(?<one>${name})${quote}\\.(?: Did you mean ${several}\\?)?`,
  `Cannot query field ${quote}${name}${quote} on type ${quote}(?<one>${name})${quote}\\. Did you mean to use an inline fragment on ${several}\\?`,
  `Unknown argument ${quote}${name}${quote} on field ${quote}(?<one>${name})${quote}\\.(?: Did you mean ${several}\\?)?`,
  `Field ${quote}(?<one>${name})${quote} argument ${quote}(?<two>${name})${quote} of type ${quote}(?<three>${name})${quote} is required`,
  `Field ${quote}(?<one>${name})${quote} of required type ${quote}(?<two>${name})${quote} was not provided`,
  `Field ${quote}${name}${quote} is not defined by type ${quote}(?<one>${name})${quote}\\.(?: Did you mean ${several}\\?)?`,
  `Unknown type ${quote}${name}${quote}\\.(?: Did you mean ${several}\\?)?`,
  `Fragment cannot be spread here as objects of type ${quote}(?<one>${name})${quote} can never be of type ${quote}(?<two>${name})${quote}`,
  `Enum ${quote}(?<one>${name})${quote} cannot represent`,
  `Value ${quote}${name}${quote} does not exist in ${quote}(?<one>${name})${quote} enum\\.(?: Did you mean the enum value ${several}\\?)?`,
  `Expected (?:value of )?type ${quote}(?<one>${name})${quote}, found`,
].map((pattern) => new RegExp(pattern));

/** Names that these messages confirm or suggest. */
const learnedFrom = (message: string): string[] =>
  patterns
    .flatMap((pattern): (string | undefined)[] => Object.values(pattern.exec(message)?.groups ?? {}))
    .flatMap((text) => text?.match(/\w+/g) ?? [])
    .filter((word) => word !== 'or');

/** As many at once as are told of in one answer. */
const bucketSize = 15;
const buckets = (): string[][] =>
  Array.from({ length: Math.ceil(words.length / bucketSize) }, (_, at) =>
    words.slice(at * bucketSize, (at + 1) * bucketSize),
  );

describe('error messages, read as clairvoyance reads them with every name of the schema for a word list', () => {
  const lead = (typeName: string): ((selection: string) => string) => {
    return (selection) => operationAt(target.view, typeName, selection);
  };
  const ways: readonly (readonly [what: string, query: (word: string[]) => string])[] = [
    ['fields of queries', (some) => `{ ${some.join(' ')} }`],
    ['fields of mutations', (some) => `mutation { ${some.join(' ')} }`],
    ['fields of a row', (some) => lead('Customer')(some.join(' '))],
    ['fields of a connection', (some) => `{ orders { ${some.join(' ')} } }`],
    ['fields with a selection', (some) => lead('Ticket')(some.map((word) => `${word} { x }`).join(' '))],
    ['arguments', (some) => `{ customers(${some.map((word) => `${word}: 7`).join(' ')}) { totalCount } }`],
    [
      'input fields',
      (some) => `{ customers(filter: { ${some.map((word) => `${word}: 7`).join(' ')} }) { totalCount } }`,
    ],
    [
      'enum values',
      (some) =>
        `{ tickets(filter: { statuses: [${some.join(' ')}], status: [${some.join(' ')}] }) { totalCount } }`,
    ],
    ['types of fragments', (some) => `{ ${some.map((word) => `... on ${word} { x }`).join(' ')} }`],
    [
      'types of variables',
      (some) => `query (${some.map((word) => `$${word}: ${word}`).join(' ')}) { __typename }`,
    ],
  ];

  test.each(ways)('%s: tell of nothing that is hidden', async (_what, query) => {
    let told = 0;
    const learned = new Set<string>();
    for (const bucket of buckets()) {
      const document = query(bucket);
      const reply = await ask(document);
      for (const message of messagesOf(reply)) {
        told += 1;
        // The messages speak of what was asked for, too: that a name was asked for says nothing.
        for (const word of learnedFrom(message)) learned.add(word);
      }
      target.expectNothingLearned(reply, document);
    }
    expect(told).toBeGreaterThan(words.length / 2);
    expect(learned.size).toBeGreaterThan(0);
    expect([...learned].filter((word) => target.hidden.has(word))).toEqual([]);
  });
});

describe('introspection', () => {
  const all =
    'name fields(includeDeprecated: true) { name args { name type { name } } } inputFields { name } enumValues { name }';
  const ways: readonly (readonly [what: string, query: string])[] = [
    ['by an alias', `{ typename: __schema { all: types { n: name f: fields { n: name } } } }`],
    [
      'in a fragment',
      `query viewer { ...viewer } fragment viewer on Query { __schema { types { ${all} } } }`,
    ],
    [
      'in fragments in fragments',
      `{ ...A } fragment A on Query { ...B } fragment B on Query { ... on Query { ...C } } fragment C on Query { __schema { types { ...T } } } fragment T on __Type { ${all} }`,
    ],
    [
      'in an inline fragment',
      `{ ... { ... on Query { ... @include(if: true) { __schema { types { ${all} } } } } } }`,
    ],
    [
      'beside a real field',
      `{ customers { totalCount } __schema { types { ${all} } queryType { ${all} } mutationType { ${all} } } }`,
    ],
    [
      'of possible types and interfaces',
      `{ __schema { types { name possibleTypes { name } interfaces { name } ofType { name } } } }`,
    ],
    [
      'from a value',
      `{ __type(name: "Query") { fields { name type { name ofType { name ofType { name } } } } } }`,
    ],
    ['of directives', `{ __schema { directives { name args { name type { name } } } } }`],
  ];

  /** Every string of an answer's data that is a name. */
  const namesIn = ({ text }: Reply): string[] => {
    const { data } = JSON.parse(text) as { data: unknown };
    return [...JSON.stringify(data).matchAll(/"(\w+)"/g)].map(([, word]) => word ?? '');
  };

  test.each(ways)('%s holds nothing that is hidden', async (_what, query) => {
    const reply = await ask(query);
    expect(reply.status, reply.text).toBe(200);
    const names = namesIn(reply);
    expect(names.length).toBeGreaterThan(10);
    // Keys of the answer itself are the attacker's own.
    expect(names.filter((word) => target.hidden.has(word) && !query.includes(word))).toEqual([]);
  });

  test('of each hidden type by its name gives null', async () => {
    const types = [...target.hidden].filter((word) => /^[A-Z][a-z]/.test(word));
    expect(types.length).toBeGreaterThan(50);
    for (let at = 0; at < types.length; at += 20) {
      const some = types.slice(at, at + 20);
      const query = `{ ${some.map((type, index) => `t${String(index)}: __type(name: "${type}") { name kind }`).join(' ')} }`;
      const { data } = await target.ask(query);
      expect(Object.values(data as object)).toEqual(some.map(() => null));
    }
  });

  test('names by variable, deep or in a second operation change nothing', async () => {
    const [type = ''] = [...target.hidden].filter((word) => word === 'Refund');
    expect(type).toBe('Refund');
    const query = `query A { __typename } query B($n: String!) { a: __type(name: $n) { name } ...F }
      fragment F on Query { b: __type(name: $n) { fields { name } } }`;
    const body = JSON.stringify({ query, operationName: 'B', variables: { n: type } });
    const reply = await target.send({ body });
    expect((JSON.parse(reply.text) as { data: unknown }).data).toEqual({ a: null, b: null });
  });
});

describe('what the task does not include', () => {
  const email = (selection: string): string => `{ customer(id: "${target.ids.customer}") { ${selection} } }`;
  const ways: readonly (readonly [what: string, query: () => string])[] = [
    ['by its name', () => email('email')],
    ['by an alias', () => email('name: email')],
    [
      'in a fragment',
      () => `${email('...F')} fragment F on Customer { ...G } fragment G on Customer { a: email }`,
    ],
    ['in an inline fragment', () => email('... { ... on Customer { __typename: email } }')],
    ['under the name of an allowed operation', () => `query customers ${email('id email')}`],
    ['in a list', () => '{ customers { nodes { email } } }'],
    [
      'over a relation and back',
      () => `{ orders { nodes { customer { orders { nodes { customer { email } } } } } } }`,
    ],
    [
      'behind a variable with a default',
      () => `query ($on: Boolean = true) ${email('email @include(if: $on)')}`,
    ],
    ['in a filter', () => '{ customers(filter: { email: "c-1@example.com" }) { totalCount nodes { id } } }'],
    [
      'in a filter by variable',
      () =>
        'query ($f: CustomerFilter = { email: "c-1@example.com" }) { customers(filter: $f) { totalCount } }',
    ],
  ];

  test.each(ways)('%s is refused', async (_what, query) => {
    const { text } = await ask(query());
    const { errors } = JSON.parse(text) as {
      errors: { extensions: { code: string; missingScopes: string[] } }[];
    };
    expect(errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['customers:read_contact'],
    });
    expect(text).not.toContain('c-1@');
  });

  test('rows out of bounds are not there, whichever way they are asked for', async () => {
    const { unseen } = target.ids;
    const queries = [
      `{ customer(id: "${unseen}") { name } a: customerByNumber(number: "C-${canary}") { name } }`,
      `{ customers { totalCount nodes { name } } orders { nodes { number customer { name } } } }`,
      `{ customers(filter: { regions: ["asia"] }) { totalCount nodes { name } } }`,
      `{ tickets { totalCount nodes { subject customer { name } } } }`,
      `{ customers(filter: { numbers: ["C-${canary}"] }) { totalCount nodes { id } } }`,
    ];
    for (const query of queries) {
      const reply = await ask(query);
      expect(reply.text.replaceAll(unseen, '')).not.toMatch(
        new RegExp(`${canary} Ltd|O-${canary}|"${canary}"`),
      );
      target.expectNothingLearned(reply, query);
    }
    const counted = await target.ask(queries[2] ?? '');
    expect(counted.data.customers).toEqual({ totalCount: 0, nodes: [] });
  });

  test('a token that anybody could make up is none', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = `${part({ alg: 'none', typ: 'JWT' })}.${part({ sub: 'admin', scope: 'refunds:issue' })}.`;
    for (const authorization of [
      `Bearer ${forged}`,
      `Bearer ${target.agent.token}.x`,
      `Bearer ${target.agent.token.toLowerCase()}`,
    ]) {
      expect(
        (await target.send({ headers: { authorization }, body: '{"query":"{__typename}"}' })).status,
      ).toBe(401);
    }
  });
});

/** Kept honest: with the name of a type that has fields, the view itself is what the words are tried on. */
test('the view is the one of a support agent', () => {
  const { view } = target;
  const has = (type: string, field: string): boolean => {
    const found = view.getType(type);
    return isObjectType(found) && field in (found satisfies GraphQLObjectType).getFields();
  };
  expect([has('Customer', 'email'), has('Customer', 'creditLimit'), has('Query', 'refunds')]).toEqual([
    true,
    false,
    false,
  ]);
});

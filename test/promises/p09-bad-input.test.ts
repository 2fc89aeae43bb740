// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BadInput, long, someId, type Case } from '../support/bad-input.js';

let bad: BadInput;

beforeAll(async () => {
  bad = await BadInput.start();
});
beforeEach(() => bad.look());
afterAll(() => bad.server.stop());

const refused = (document: string, code: string, path?: string, variables = {}): Promise<void> =>
  bad.refused(document, code, path, variables);

describe('what the schema refuses', () => {
  const table: readonly Case[] = [
    ['a number for a text', '{ customerByNumber(number: 1) { id } }', 'BAD_USER_INPUT'],
    ['a text for a number', '{ customers(first: "1") { totalCount } }', 'BAD_USER_INPUT'],
    ['a number that is too large', '{ customers(first: 99999999999) { totalCount } }', 'BAD_USER_INPUT'],
    ['a missing argument', '{ customer { id } }', 'BAD_USER_INPUT'],
    ['null for what must not be', '{ customer(id: null) { id } }', 'BAD_USER_INPUT'],
    ['an unknown enum value', '{ orders(filter: { status: [LOST] }) { totalCount } }', 'BAD_USER_INPUT'],
    [
      'a day for a time',
      '{ orders(filter: { placedAfter: "2026-01-01" }) { totalCount } }',
      'BAD_USER_INPUT',
    ],
    [
      'a day that is none',
      '{ orders(filter: { placedAfter: "2026-02-31T00:00:00Z" }) { totalCount } }',
      'BAD_USER_INPUT',
    ],
    [
      'two ways to sort',
      '{ orders(orderBy: { number: ASC, placedAt: ASC }) { totalCount } }',
      'BAD_USER_INPUT',
    ],
    [
      'a float for money',
      '{ orders(filter: { totalAtLeast: { amount: 1.5, currency: "EUR" } }) { totalCount } }',
      'BAD_USER_INPUT',
    ],
    ['no selection', '{ customers }', 'BAD_USER_INPUT'],
    ['a fragment around itself', '{ ...A } fragment A on Query { ...A }', 'BAD_USER_INPUT'],
    ['a mutation without a key', 'mutation X { stopEverything { __typename } }', 'BAD_USER_INPUT'],
  ];
  for (const [what, document, code, path] of table) test(what, () => refused(document, code, path));

  const wrong: readonly (readonly [what: string, type: string, value: unknown])[] = [
    ['null', 'ID!', null],
    ['nothing', 'ID!', undefined],
    ['an object', 'ID!', { id: 1 }],
    ['a list', 'ID!', ['a', 'b']],
    ['a boolean', 'ID!', true],
  ];
  test.each(wrong)('a variable that is %s', (_what, type, value) =>
    refused(`query ($v: ${type}) { customer(id: $v) { id } }`, 'BAD_USER_INPUT', undefined, { v: value }),
  );
});

describe('what reading refuses', () => {
  const cursor = (values: unknown): string => Buffer.from(JSON.stringify(values)).toString('base64url');
  const table: readonly Case[] = [
    ['a page of less', '{ customers(first: -1) { totalCount } }', 'BAD_USER_INPUT', 'first'],
    ['a page beyond the cap', '{ customers(first: 1001) { totalCount } }', 'BAD_USER_INPUT', 'first'],
    [
      'a page of a relation',
      '{ customers { nodes { orders(first: -1) { totalCount } } } }',
      'BAD_USER_INPUT',
    ],
    [
      'a page of a search',
      '{ search(query: "coffee", first: -1) { nodes { score } } }',
      'BAD_USER_INPUT',
      'first',
    ],
    [
      'a cursor that is none',
      '{ customers(after: "zzz") { totalCount nodes { id } } }',
      'BAD_USER_INPUT',
      'after',
    ],
    ['an empty cursor', '{ customers(after: "") { nodes { id } } }', 'BAD_USER_INPUT', 'after'],
    [
      'a cursor with a value of another kind',
      `{ customers(after: "${cursor(['+number+id', 1, someId])}") { nodes { id } } }`,
      'BAD_USER_INPUT',
      'after',
    ],
    [
      'a cursor with an object inside',
      `{ customers(after: "${cursor(['+number+id', { a: 1 }, someId])}") { nodes { id } } }`,
      'BAD_USER_INPUT',
      'after',
    ],
    [
      'a cursor of a time that is none',
      `{ orders(after: "${cursor(['-placedAt-id', "' OR 1=1", someId])}") { nodes { id } } }`,
      'BAD_USER_INPUT',
      'after',
    ],
    [
      'a cursor of a number that is none',
      `{ products(orderBy: { stock: ASC }, after: "${cursor(['+stock+id', 1e300, someId])}") { nodes { id } } }`,
      'BAD_USER_INPUT',
      'after',
    ],
    [
      'a cursor with a character that is none',
      `{ customers(after: "${cursor(['+number+id', '\ud800', someId])}") { nodes { id } } }`,
      'BAD_USER_INPUT',
      'after',
    ],
    [
      'a cursor of a search',
      `{ search(query: "coffee", after: "${cursor(['search', 'x', 1, someId])}") { nodes { score } } }`,
      'BAD_USER_INPUT',
      'after',
    ],
    [
      'too many values',
      `{ customers(filter: { numbers: [${'"x",'.repeat(101)}] }) { totalCount } }`,
      'BAD_USER_INPUT',
      'filter.numbers',
    ],
    [
      'a value that is too long',
      `{ customers(filter: { nameStartsWith: "${long(201)}" }) { totalCount } }`,
      'BAD_USER_INPUT',
      'filter.nameStartsWith',
    ],
    [
      'an empty value',
      '{ customers(filter: { numbers: ["  "] }) { totalCount } }',
      'BAD_USER_INPUT',
      'filter.numbers',
    ],
    [
      'a control character',
      '{ customers(filter: { numbers: ["a\\u0000b"] }) { totalCount } }',
      'BAD_USER_INPUT',
      'filter.numbers',
    ],
    ['half a letter', '{ customers(filter: { numbers: ["\\uD800"] }) { totalCount } }', 'BAD_USER_INPUT'],
    [
      'a currency that is none',
      '{ orders(filter: { totalAtLeast: { amount: "1", currency: "eur" } }) { totalCount } }',
      'BAD_USER_INPUT',
      'filter.totalAtLeast.currency',
    ],
    ['an empty search', '{ search(query: " ") { nodes { score } } }', 'BAD_USER_INPUT', 'query'],
    [
      'a search that is too long',
      `{ search(query: "${long(501)}") { nodes { score } } }`,
      'BAD_USER_INPUT',
      'query',
    ],
    [
      'a time that ends before it begins',
      '{ salesByPeriod(from: "2026-01-01T00:00:00Z", to: "2025-01-01T00:00:00Z", bucket: YEAR) { period } }',
      'BAD_USER_INPUT',
      'to',
    ],
    [
      'a time that is too long',
      '{ salesByPeriod(from: "2001-01-01T00:00:00Z", to: "2025-01-01T00:00:00Z", bucket: YEAR) { period } }',
      'BAD_USER_INPUT',
    ],
  ];
  for (const [what, document, code, path] of table) test(what, () => refused(document, code, path));

  const odd = [
    '',
    ' ',
    'x',
    "' OR 1=1 --",
    '%',
    '\u0000',
    '💥',
    '../../etc/passwd',
    long(5_000),
    someId.toLowerCase(),
    `${someId} `,
    '1e9',
  ];
  test.each(odd)('an id such as %j is of no row', async (id) => {
    const names = [
      'customer',
      'product',
      'order',
      'invoice',
      'payment',
      'refund',
      'ticket',
      'document',
      'user',
      'agent',
      'role',
      'delegation',
      'auditRecord',
    ];
    const query = `query ($id: ID!) { ${names.map((name) => `${name}(id: $id) { id }`).join(' ')} }`;
    const { status, data, errors } = await bad.ask(query, { id });
    expect([status, errors]).toEqual([200, []]);
    expect(data).toEqual(Object.fromEntries(names.map((name) => [name, null])));
  });
});

import { describe, expect, test } from 'vitest';
import { readOperation } from '../src/client/operation-body.js';

const read = (body: object) => {
  const { text, isRepeatable } = readOperation(JSON.stringify(body));
  const { variables = {} } = JSON.parse(text) as { variables?: Record<string, unknown> };
  return { text, isRepeatable, variables };
};
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) as string;

const pay = 'mutation Pay($key: String!) { pay(idempotencyKey: $key) { id } }';
const inFragment = `mutation M($a: String!, $b: String!) { ...Two }
  fragment Two on Mutation { ... on Mutation { one(idempotencyKey: $a) { id } } two(idempotencyKey: $b) { id } }`;

describe('an operation may go out again', () => {
  test.each([
    ['a query', { query: '{ customers { totalCount } }' }],
    ['a query among others', { query: `query A { a } ${pay}`, operationName: 'A' }],
    ['a mutation with a key in its text', { query: 'mutation { pay(idempotencyKey: "k") { id } }' }],
    ['a mutation with a key of the caller', { query: pay, variables: { key: 'mine' } }],
  ])('%s, as it is', (_name, body) => {
    expect(read(body)).toMatchObject({ text: JSON.stringify(body), isRepeatable: true });
  });

  test.each([
    ['with no variables', { query: pay }, { key: uuid }],
    ['with none for the key', { query: pay, variables: { key: null, other: 1 } }, { key: uuid, other: 1 }],
    ['by its name', { query: `${pay} query A { a }`, operationName: 'Pay' }, { key: uuid }],
    ['whose fields are in fragments', { query: inFragment }, { a: uuid, b: uuid }],
    ['of which one has a key', { query: inFragment, variables: { b: 'mine' } }, { a: uuid, b: 'mine' }],
  ])('a mutation %s gets new keys', (_name, body, variables) => {
    const { isRepeatable, variables: sent } = read(body);
    expect([isRepeatable, sent]).toEqual([true, variables]);
    expect(new Set(Object.values(sent)).size).toBe(Object.keys(sent).length);
    expect(read(body).variables).not.toEqual(sent);
  });
});

describe('an operation goes out once, as it is', () => {
  test.each([
    ['a mutation without a key', { query: 'mutation { pay { id } }' }],
    ['a mutation with one key for two fields', { query: 'mutation { a(idempotencyKey: "k") b }' }],
    ['a mutation with a key of another kind', { query: 'mutation { pay(idempotencyKey: 1) }' }],
    ['a subscription', { query: 'subscription { events }' }],
    ['a hash', { extensions: { persistedQuery: { version: 1, sha256Hash: 'ab' } } }],
    ['a registered document', { documentId: 'Pay', variables: {} }],
    ['what cannot be parsed', { query: 'mutation {' }],
    ['an unknown name', { query: '{ a }', operationName: 'B' }],
    ['one of several without a name', { query: 'query A { a } query B { b }' }],
    ['a list of operations', [{ query: '{ a }' }]],
    ['a fragment that never ends', { query: 'mutation { ...A } fragment A on Mutation { ...A ...A x }' }],
  ])('%s', (_name, body) => {
    expect(read(body)).toMatchObject({ text: JSON.stringify(body), isRepeatable: false });
  });

  test('what is no JSON', () => {
    expect(readOperation('query={a}')).toEqual({ text: 'query={a}', isRepeatable: false });
  });
});

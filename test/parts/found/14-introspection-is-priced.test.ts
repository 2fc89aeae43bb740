// databases: sqlite, mariadb
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordOf } from '../../support/records.js';
import { everywhere, TestServer, type AgentFixture } from '../../support/server.js';

let server: TestServer;
let administrator: string;
let small: AgentFixture;

beforeAll(async () => {
  server = await TestServer.start();
  const scopes = server.app.scopes;
  const person = await server.person({ scopes, boundary: everywhere });
  administrator = person.token;
  const rights = { scopes: ['customers:read', 'orders:read'], operationCost: 100 };
  small = await server.agent(person, rights);
});
afterAll(() => server.stop());

async function ask(token: string, query: string, variables: Record<string, unknown> = {}) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  const body = JSON.parse(text) as {
    data?: Record<string, unknown> | null;
    errors?: { message: string; extensions: Record<string, unknown> }[];
    extensions?: { cost: { requested: number; max: number } };
  };
  return { status: response.status, bytes: text.length, ...body };
}

/** Sixty times all fields of all types, in 1.4 kB. */
const flood = `{ __schema { ${Array.from({ length: 60 }, (_, at) => `a${at}: types { ...T }`).join(' ')} } }
  fragment T on __Type { name description fields { name description type { ofType { name description } } } }`;

/** The same by aliases that stand in a fragment and in the fragment that it spreads. */
const nested = `{ __schema { types { ...A } } }
  fragment A on __Type { ${'abcdefghij'.replace(/./g, '$&: fields { ...B } ')} }
  fragment B on __Field { ${'abcdefghij'.replace(/./g, '$&: type { ...C } ')} }
  fragment C on __Type { ${'abcdefghij'.replace(/./g, '$&: name ')} }`;

describe('14 introspection has a price, and the documents of tools a small one', () => {
  test.each([
    ['the whole one', getIntrospectionQuery({ schemaDescription: true, inputValueDeprecation: true })],
    ['without descriptions', getIntrospectionQuery({ descriptions: false })],
    [
      'all that there is',
      getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, oneOf: true }),
    ],
  ])('%s is answered whole, also within the budget of a small role', async (_, query) => {
    for (const token of [administrator, small.token]) {
      for (let time = 1; time <= 3; time += 1) {
        const answer = await ask(token, query);
        expect(answer.errors).toBeUndefined();
        expect(answer.extensions?.cost.requested).toBe(100);
        expect(Object.keys(answer.data?.__schema as object)).toContain('types');
      }
    }
    const sizes = [await ask(administrator, query), await ask(small.token, query)].map(({ bytes }) => bytes);
    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) / 2);
  });

  test.each([
    ['many times the schema', flood],
    ['aliases in fragments of fragments', nested],
  ])('%s is refused, tells nothing and is recorded', async (_, query) => {
    expect(query.length).toBeLessThan(1_800);
    for (let time = 1; time <= 3; time += 1) {
      const answer = await server.query(administrator, query);
      expect(answer.errors.map((error) => error.extensions.code)).toEqual(['QUERY_TOO_COMPLEX']);
      expect(answer.data).toBeUndefined();
      expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'failed' });
    }
  });

  test('it costs what it tells, one for each field', async () => {
    const one = await ask(administrator, '{ __type(name: "Direction") { name enumValues { name } } }');
    expect(one.extensions?.cost.requested).toBe(1 + 2 + 2);
    const two = await ask(
      administrator,
      '{ a: __type(name: "Direction") { enumValues { name } } b: __type(name: "Direction") { name } }',
    );
    expect(two.extensions?.cost.requested).toBe(4 + 2);
  });

  test('beside other fields too, ten times as they run behind their rules', async () => {
    const answer = await ask(
      administrator,
      '{ viewer { scopes } __type(name: "Direction") { enumValues { name } } }',
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.extensions?.cost.requested).toBe(10 * (2 + 4));
    const beyond = await ask(administrator, flood.replace('{ __schema', '{ viewer { scopes } __schema'));
    expect(beyond.errors?.[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
  });

  test('and not beyond the budget of its role', async () => {
    const twice = '{ __schema { a: types { name } b: types { name } c: types { name fields { name } } } }';
    const answer = await ask(small.token, twice);
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] });
    expect(answer.extensions?.cost.max).toBe(100);
  });

  test('aliases count each time that their fragment is spread', async () => {
    const query = `{ ${'abcdefghijk'.replace(/./g, '$&: viewer { ...F } ')} }
      fragment F on Viewer { ${'abcdefghijk'.replace(/./g, '$&: scopes ')} }`;
    const answer = await server.query(administrator, query);
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: 'aliases' });
  });
});

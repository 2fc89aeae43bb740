// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Target, type Reply, type Sent } from '../support/attacks.js';
import { digestOf } from '../support/faults.js';

/** The checks of graphql-cop, in its order, each with its own probe, made by a caller with a token. */

let target: Target;
beforeAll(async () => {
  target = await Target.start();
});
afterAll(() => target.stop());

const post = (body: unknown): Promise<Reply> => target.send({ body: JSON.stringify(body) });
const ask = (query: string): Promise<Reply> => post({ query });
const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

interface Body {
  readonly data?: Record<string, unknown>;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
  readonly extensions?: Record<string, unknown>;
}
const bodyOf = ({ text }: Reply): Body => JSON.parse(text) as Body;
const codesIn = (reply: Reply): unknown[] =>
  bodyOf(reply).errors?.map((error) => error.extensions.code) ?? [];

/** Nothing of it ran, and it was told why. */
async function refused(sent: Sent, code: string): Promise<Reply> {
  const before = await digestOf(target.server.database);
  const reply = await target.send(sent);
  expect(codesIn(reply)).toEqual([code]);
  expect(bodyOf(reply).data ?? undefined).toBeUndefined();
  target.expectNothingLearned(reply, String(sent.body ?? sent.path));
  expect(await digestOf(target.server.database)).toBe(before);
  return reply;
}
const refusedQuery = (query: string, code: string): Promise<Reply> =>
  refused({ body: JSON.stringify({ query }) }, code);

describe('denial of service', () => {
  test('alias overloading: 101 aliases are refused', () =>
    refusedQuery(
      `query cop { ${times(101, (index) => `alias${String(index)}:__typename`)} }`,
      'QUERY_TOO_COMPLEX',
    ));

  test('batch queries: a list of operations is refused', () =>
    refused(
      { body: JSON.stringify(Array.from({ length: 10 }, () => ({ query: 'query cop { __typename }' }))) },
      'BAD_USER_INPUT',
    ));

  test('directive overloading: ten times the same directive is one error', () =>
    refusedQuery('query cop { __typename @aa@aa@aa@aa@aa@aa@aa@aa@aa@aa }', 'QUERY_TOO_COMPLEX'));

  test('circular introspection is refused', () =>
    refusedQuery(
      `query cop { __schema { types { fields { type { fields { type { fields { type { fields { type {
         name } } } } } } } } } } }`,
      'BAD_USER_INPUT',
    ));

  test('field duplication: 500 times the same field is refused', () =>
    refusedQuery(`query cop { ${'__typename \n'.repeat(500)} }`, 'QUERY_TOO_COMPLEX'));
});

describe('information', () => {
  test('field suggestions come from what the caller sees anyway', async () => {
    const reply = await ask('query cop { __schema { directive } }');
    expect(codesIn(reply)).toEqual(['BAD_USER_INPUT']);
    for (const name of target.hidden) {
      const query = `{ ${name.slice(0, -1)} customers { nodes { ${name}s } } }`;
      target.expectNothingLearned(await ask(query), query);
    }
  });

  test.each(['/graphiql', '/playground', '/console', '/graphql', '/altair'])(
    'there is no page to try queries at %s',
    async (path) => {
      const reply = await target.send({ method: 'GET', path, headers: { accept: 'text/html' } });
      expect([404, 406]).toContain(reply.status);
      expect(reply.headers['content-type']).toContain('application/json');
      expect(reply.text).not.toMatch(/<html|graphiql|playground|sandbox|apollo/i);
    },
  );

  test('the page at / tells where one is, and has nothing to try queries with', async () => {
    const reply = await target.send({ method: 'GET', path: '/', headers: { accept: 'text/html' } });
    expect(reply.status).toBe(200);
    expect(reply.text).not.toMatch(/graphiql|playground|sandbox|apollo|<script|<textarea/i);
  });

  test('introspection shows the caller its own view, and nobody else anything', async () => {
    const query = 'query cop { __schema { types { name fields { name } } } }';
    const reply = await ask(query);
    expect(codesIn(reply)).toEqual([]);
    const { types } = bodyOf(reply).data?.__schema as {
      types: readonly {
        readonly name: string;
        readonly fields: readonly { readonly name: string }[] | null;
      }[];
    };
    const told = types.flatMap((type) => [type.name, ...(type.fields ?? []).map(({ name }) => name)]);
    expect(told).toContain('Customer');
    expect(told.filter((name) => target.hidden.has(name))).toEqual([]);
    const nobody = await target.server.query(undefined, query);
    expect([nobody.status, nobody.data]).toEqual([401, undefined]);
  });

  test('trace mode: an answer carries no timings', async () => {
    const reply = await ask('query cop { __typename }');
    expect(bodyOf(reply).data).toEqual({ __typename: 'Query' });
    expect(Object.keys(bodyOf(reply).extensions ?? {})).not.toContain('tracing');
  });

  test('unhandled errors: a document that is none is a plain fault of the request', async () => {
    const reply = await refusedQuery('qwerty cop { abc }', 'BAD_USER_INPUT');
    expect(reply.text).not.toMatch(/exception|stack|debug/i);
  });
});

describe('requests that a page of someone else could send', () => {
  const query = encodeURIComponent('query cop { __typename }');
  /** One document, so that after its first run the server knows it. */
  const change =
    'mutation cop($t: ID!, $k: String!) { replyToTicket(ticketId: $t, body: "x", idempotencyKey: $k) { ticket { id } } }';
  const changing = (key: string) => ({ query: change, variables: { t: target.ids.ticket, k: key } });
  const formOf = (key: string): string =>
    `query=${encodeURIComponent(change)}&variables=${encodeURIComponent(JSON.stringify(changing(key).variables))}`;

  /** What is refused below is the way, not the change: by POST, as JSON, it is done, and done again with a new key. */
  beforeAll(async () => {
    for (const key of ['once', 'again']) expect(codesIn(await post(changing(key)))).toEqual([]);
  });

  test('a query by GET needs what no page can send without asking first', async () => {
    const path = `/graphql?query=${query}`;
    const plain = { method: 'GET', path, headers: { 'content-type': 'text/plain' } };
    await refused(plain, 'BAD_USER_INPUT');
    const answered = await target.send({ method: 'GET', path });
    expect(bodyOf(answered).data).toEqual({ __typename: 'Query' });
  });

  test('a mutation by GET never runs', async () => {
    const reply = await refused({ method: 'GET', path: `/graphql?${formOf('by-get')}` }, 'BAD_USER_INPUT');
    expect(reply.status).toBe(405);
  });

  const types = [
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'text/plain; application/json',
    'application/graphql',
  ];
  test.each(types)('a change sent as %s never runs', async (type) => {
    const headers = { 'content-type': type };
    await refused({ headers, body: JSON.stringify(changing(`as-${type}`)) }, 'BAD_USER_INPUT');
    await refused({ headers, body: formOf(`form-${type}`) }, 'BAD_USER_INPUT');
  });

  test('a change without any content type never runs', async () => {
    const before = await digestOf(target.server.database);
    const response = await fetch(`${target.server.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${target.agent.token}` },
      body: new Uint8Array(Buffer.from(JSON.stringify(changing('untyped')))),
    });
    expect(response.status).toBe(415);
    expect(await digestOf(target.server.database)).toBe(before);
  });
});

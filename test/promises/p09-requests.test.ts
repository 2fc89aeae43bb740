// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime } from '../../src/core/clock.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { oauthPayloads } from '../../src/store/tables/identity.js';
import { codesOf, digestOf, recordedCodes } from '../support/faults.js';
import { addRegions } from '../support/regions.js';
import { TestServer, type AgentFixture, type Answer, type PersonFixture } from '../support/server.js';

let server: TestServer;
let person: PersonFixture;
let agent: AgentFixture;

beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  person = await server.person({ scopes: ['customers:read', 'tickets:read', 'tickets:reply'] });
  agent = await server.agent(person, { scopes: ['customers:read', 'tickets:read', 'tickets:reply'] });
});
afterAll(() => server.stop());

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send({ method = 'POST', path = '/graphql', headers = {}, body }: Sent): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const json = (text.startsWith('{') ? JSON.parse(text) : {}) as {
    data?: unknown;
    errors?: Answer['errors'];
  };
  return { status: response.status, headers: response.headers, data: json.data, errors: json.errors ?? [] };
}

const query = '{ customers { totalCount } }';
const asked = JSON.stringify({ query });
const reply = 'mutation { replyToTicket(ticketId: "x", body: "x", idempotencyKey: "k") { ticket { id } } }';

describe('nobody is recognised', () => {
  const table: readonly (readonly [what: string, sent: Sent])[] = [
    ['without a token', { body: asked }],
    ['an empty scheme', { body: asked, headers: { authorization: 'Bearer' } }],
    ['an unknown token', { body: asked, headers: { authorization: `Bearer ${'x'.repeat(43)}` } }],
    [
      'another scheme',
      { body: asked, headers: { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` } },
    ],
    ['odd characters', { body: asked, headers: { authorization: "Bearer ' OR 1=1 --" } }],
    ['a token of another kind', { body: asked, headers: { authorization: 'DPoP abc' } }],
    ['a very long token', { body: asked, headers: { authorization: `Bearer ${'x'.repeat(8_000)}` } }],
    ['garbage for a body', { body: '{{{', headers: {} }],
  ];

  test.each(table)('%s: 401, and where to get a token', async (_what, sent) => {
    const before = await digestOf(server.database);
    const answer = await send(sent);
    expect(answer.status).toBe(401);
    expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.data).toBeUndefined();
    expect(answer.headers.get('www-authenticate')).toContain('/.well-known/oauth-protected-resource');
    expect(await digestOf(server.database)).toBe(before);
  });

  test('a token in the address is not one', async () => {
    const answer = await send({ path: `/graphql?access_token=${agent.token}`, body: asked });
    expect(answer.status).toBe(401);
  });

  test.each(['AccessToken', 'Grant'])('a token that was good until its %s expired', async (model) => {
    let now = Date.now();
    const own = await TestServer.start({ clock: { now: () => now } });
    try {
      const { id, token } = await own.person({ scopes: ['customers:read'] });
      await own.database.transaction((tx) =>
        tx.update(oauthPayloads, all(eq('accountId', id), eq('model', model)), {
          expiresAt: isoTime(now + 60_000),
        }),
      );
      for (let time = 1; time <= 2; time += 1) {
        expect((await own.query(token, '{ viewer { scopes } }')).status).toBe(200);
      }
      now += 60_000;
      const answer = await own.query(token, '{ viewer { scopes } }');
      expect([answer.status, answer.data]).toEqual([401, undefined]);
      expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
    } finally {
      await own.stop();
    }
  });

  test('is recorded in aggregate, not one by one', async () => {
    const before = await server.database.read.count(auditRecords);
    for (let at = 0; at < 10; at += 1) await send({ body: asked });
    expect(await server.database.read.count(auditRecords)).toBe(before);
  });
});

describe('a request that is at fault', () => {
  const preflight = { 'apollo-require-preflight': 'true' };
  const encoded = encodeURIComponent;
  const table: readonly (readonly [what: string, sent: Sent, status: number])[] = [
    ['malformed JSON', { body: '{"query": ' }, 400],
    ['an empty body', { body: '' }, 400],
    ['JSON that is no object', { body: '"{ customers { totalCount } }"' }, 400],
    ['null', { body: 'null' }, 400],
    ['an object without a query', { body: '{}' }, 400],
    ['a query that is no string', { body: '{"query":{"a":1}}' }, 400],
    ['an empty query', { body: '{"query":""}' }, 400],
    ['variables that are no object', { body: JSON.stringify({ query, variables: '[1' }) }, 400],
    ['a prototype for an object', { body: `{"query":"${query}","__proto__":{"x":1}}` }, 400],
    ['many operations in one body', { body: `[${asked},${asked}]` }, 400],
    ['a body as any page could send it', { body: asked, headers: { 'content-type': 'text/plain' } }, 415],
    [
      'a form',
      { body: `query=${encoded(query)}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
    ],
    ['XML', { body: '<a/>', headers: { 'content-type': 'application/xml' } }, 415],
    ['one byte more than 1 MiB', { body: `${asked}${' '.repeat(1_048_577 - asked.length)}` }, 413],
    ['a syntax error', { body: JSON.stringify({ query: '{ customers { ' }) }, 400],
    ['an unknown field', { body: JSON.stringify({ query: '{ customers { nodes { nmae } } }' }) }, 400],
    ['no such operation', { body: JSON.stringify({ query: `query A ${query}`, operationName: 'B' }) }, 400],
    [
      'two operations and none named',
      { body: JSON.stringify({ query: `query A ${query} query B ${query}` }) },
      400,
    ],
    ['a subscription', { body: JSON.stringify({ query: 'subscription { customers { totalCount } }' }) }, 400],
    [
      'more than 4,000 tokens',
      { body: JSON.stringify({ query: `{ ${'viewer { scopes } '.repeat(1_500)} }` }) },
      400,
    ],
    [
      'a query by GET as any page could send it',
      { method: 'GET', path: `/graphql?query=${encoded(query)}`, headers: { 'content-type': 'text/plain' } },
      415,
    ],
    [
      'a mutation by GET',
      { method: 'GET', path: `/graphql?query=${encoded(reply)}`, headers: preflight },
      405,
    ],
    ['GET without a query', { method: 'GET', headers: preflight }, 400],
    [
      'a hash of a persisted query that is none',
      {
        method: 'GET',
        path: `/graphql?extensions=${encoded('{"persistedQuery":{"version":1,"sha256Hash":"ab"}}')}`,
        headers: preflight,
      },
      400,
    ],
  ];

  test.each(table)('%s', async (_what, sent, status) => {
    const before = await digestOf(server.database);
    const headers = { authorization: `Bearer ${agent.token}`, ...sent.headers };
    const answer = await send({ ...sent, headers });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.status).toBe(status);
    expect(answer.data ?? null).toBeNull();
    expect(await recordedCodes(server, answer)).toEqual(['BAD_USER_INPUT']);
    expect(await digestOf(server.database)).toBe(before);
  });

  test('exactly 1 MiB is taken', async () => {
    const body = `${asked}${' '.repeat(1_048_576 - asked.length)}`;
    const answer = await send({ body, headers: { authorization: `Bearer ${agent.token}` } });
    expect([answer.status, answer.errors]).toEqual([200, []]);
  });

  test('what is nowhere is not found', async () => {
    for (const sent of [{ path: '/graphqls' }, { path: '/graphql/x' }]) {
      expect((await send({ body: asked, ...sent })).status).toBe(404);
    }
  });
});

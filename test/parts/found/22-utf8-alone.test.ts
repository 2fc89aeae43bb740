// databases: sqlite, mariadb
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codesOf, digestOf, recordedCodes } from '../../support/faults.js';
import { BusinessRows } from '../../support/business.js';
import { addRegions } from '../../support/regions.js';
import { TestServer, type AgentFixture, type Answer } from '../../support/server.js';
import { CodeFlow } from '../oauth/browser.js';

let server: TestServer;
let agent: AgentFixture;
let ticketId: string;

beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  const scopes = ['customers:read', 'tickets:read', 'tickets:reply'];
  agent = await server.agent(await server.person({ scopes }), { scopes });
  const { data } = await server.query(agent.token, '{ customers(first: 1) { nodes { id } } }');
  const customer = { id: String(data.customers.nodes[0].id) };
  ticketId = (await new BusinessRows(server).ticket('T-open', customer)).id;
});
afterAll(() => server.stop());

async function send(
  path: string,
  body: Uint8Array | undefined,
  headers: Record<string, string> = {},
): Promise<Answer & { readonly text: string }> {
  const response = await fetch(`${server.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${agent.token}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const json = (text.startsWith('{') ? JSON.parse(text) : {}) as Partial<Pick<Answer, 'data' | 'errors'>>;
  return {
    status: response.status,
    headers: response.headers,
    text,
    data: json.data,
    errors: json.errors ?? [],
  };
}

const json = { 'content-type': 'application/json' };

/** A reply whose text is these bytes. */
const replyWith = (bytes: Buffer, before: readonly number[] = []): Buffer => {
  const query =
    'mutation ($body: String!) { replyToTicket(ticketId: \\"' +
    `${ticketId}\\", body: $body, idempotencyKey: \\"k\\") { message { id } } }`;
  const head = Buffer.from(`{"query":"${query}","variables":{"body":"`);
  return Buffer.concat([Buffer.from(before), head, bytes, Buffer.from('"}}')]);
};

async function refusedAlone(answer: Answer, status: number, before: string): Promise<void> {
  expect(codesOf(answer), JSON.stringify(answer.errors)).toEqual(['BAD_USER_INPUT']);
  expect(answer.status).toBe(status);
  expect(answer.data).toBeUndefined();
  expect(await recordedCodes(server, answer)).toEqual(['BAD_USER_INPUT']);
  expect(await digestOf(server.database)).toBe(before);
}

describe('22 what is not UTF-8 is refused at /graphql, and nothing is stored', () => {
  test.each([
    ['Latin-1', Buffer.from('café', 'latin1')],
    ['an overlong slash', Buffer.from('c0af', 'hex')],
    ['a surrogate', Buffer.from('eda080', 'hex')],
    ['half a character at the end', Buffer.from('e282', 'hex')],
    ['half of a character as an escape', Buffer.from('\\ud800')],
  ])('%s', async (_what, bytes) => {
    const before = await digestOf(server.database);
    await refusedAlone(await send('/graphql', replyWith(bytes), json), 400, before);
  });

  test.each([
    ['UTF-16', { 'content-type': 'application/json; charset=utf-16le' }],
    ['Latin-1', { 'content-type': 'application/json; charset=ISO-8859-1' }],
    ['no JSON', { 'content-type': 'text/plain' }],
    ['no type', { 'content-type': '' }],
  ])('by its type: %s', async (_what, headers) => {
    const before = await digestOf(server.database);
    await refusedAlone(await send('/graphql', replyWith(Buffer.from('x')), headers), 415, before);
  });

  test('compressed: told as such, with what is taken', async () => {
    const before = await digestOf(server.database);
    const body = gzipSync(replyWith(Buffer.from('x')));
    const answer = await send('/graphql', body, { ...json, 'content-encoding': 'gzip' });
    await refusedAlone(answer, 415, before);
    expect(answer.errors[0]?.message).toMatch(/compressed/);
    expect(answer.headers.get('accept-encoding')).toBe('identity');
  });

  test('a key `__proto__` is told as such', async () => {
    const before = await digestOf(server.database);
    const body = Buffer.from('{"query":"{ viewer { scopes } }","variables":{"__proto__":{"x":1}}}');
    const answer = await send('/graphql', body, json);
    await refusedAlone(answer, 400, before);
    expect(answer.errors[0]?.message).toContain('`__proto__`');
  });

  test.each([
    [
      'query',
      `query=${encodeURIComponent('{ customerByNumber(number: "')}%FF${encodeURIComponent('") { id } }')}`,
    ],
    ['variables', 'query=%7Bviewer%7Bscopes%7D%7D&variables=%7B%22a%22%3A%22%ED%A0%80%22%7D'],
    [
      'variables with half of a character',
      'query=%7Bviewer%7Bscopes%7D%7D&variables=%7B%22a%22%3A%22%5Cud800%22%7D',
    ],
    ['variables with a prototype', 'query=%7Bviewer%7Bscopes%7D%7D&variables=%7B%22__proto__%22%3A1%7D'],
    ['variables that are a text', 'query=%7Bviewer%7Bscopes%7D%7D&variables=%22%7B%7D%22'],
    ['extensions that are a text', 'query=%7Bviewer%7Bscopes%7D%7D&extensions=%22%7B%7D%22'],
    [
      'variables with a prototype in a text',
      `query=%7Bviewer%7Bscopes%7D%7D&variables=${encodeURIComponent(JSON.stringify('{"__proto__":1}'))}`,
    ],
    ['operationName', 'query=query%20A%7Bviewer%7Bscopes%7D%7D&operationName=A%C0%80'],
  ])('in an address: %s', async (_what, query) => {
    const before = await digestOf(server.database);
    await refusedAlone(await send(`/graphql?${query}`, undefined), 400, before);
  });

  test('a byte order mark before JSON is left out, and characters arrive as they were sent', async () => {
    const answer = await send('/graphql', replyWith(Buffer.from('naïve €😀'), [0xef, 0xbb, 0xbf]), {
      'content-type': 'application/json; charset=UTF-8',
    });
    expect(answer.errors).toEqual([]);
    const { data } = await server.query(
      agent.token,
      `{ ticket(id: "${ticketId}") { messages(first: 50) { nodes { body } } } }`,
    );
    expect(JSON.stringify(data)).toContain('naïve €😀');
    const url = `/graphql?query=${encodeURIComponent('query($e: String!) { customers(filter: { numbers: [$e] }) { totalCount } }')}&variables=${encodeURIComponent('{"e":"é😀"}')}`;
    expect((await send(url, undefined)).errors).toEqual([]);
  });
});

describe('22 what is not UTF-8 is refused by the authorization server', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const asks = `grant_type=client_credentials&client_id=${'x'.repeat(3)}&authorization_details=`;

  test.each(['/oauth/token', '/oauth/revoke', '/oauth/introspect'])('%s', async (path) => {
    const before = await digestOf(server.database);
    for (const [body, headers, status] of [
      [Buffer.concat([Buffer.from(asks), Buffer.from('é', 'latin1')]), form, 400],
      [Buffer.from(`${asks}%FF`), form, 400],
      [Buffer.from(`${asks}%ed%a0%80`), form, 400],
      [Buffer.from(asks), { 'content-type': `${form['content-type']}; charset=iso-8859-1` }, 415],
      [gzipSync(asks), { ...form, 'content-encoding': 'gzip' }, 415],
    ] as const) {
      const answer = await send(path, body, headers);
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([status, { error: 'invalid_request' }]);
      expect(answer.text).toMatch(/UTF-8|compressed/);
    }
    expect(await digestOf(server.database)).toBe(before);
  });

  test.each(['/oauth/authorize?client_id=behalf-cli&state=%FF', '/oauth/interaction/x?a=%C0%AF'])(
    'an address: %s',
    async (path) => {
      const answer = await send(path, undefined);
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, { error: 'invalid_request' }]);
    },
  );

  test('a form of its pages', async () => {
    const flow = await CodeFlow.start({ issuer: server.url });
    const page = await flow.browser.open(flow.url.href);
    for (const [body, type, status] of [
      ['username=caf%E9&password=x', form['content-type'], 400],
      ['username=x&password=x', `${form['content-type']}; charset=windows-1252`, 415],
      ['username=x&password=x', 'text/plain', 415],
    ] as const) {
      expect((await flow.browser.submitAs(page, body, type)).status).toBe(status);
    }
    expect((await flow.browser.submit(page, { username: 'é', password: 'x' })).status).toBe(422);
  });

  test('a form in UTF-8 is taken as before', async () => {
    const answer = await send('/oauth/token', Buffer.from('grant_type=client_credentials&client_id=x'), {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    });
    expect([answer.status, answer.text]).toEqual([400, expect.not.stringMatching(/UTF-8/)]);
  });
});

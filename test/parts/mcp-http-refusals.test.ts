// databases: sqlite, mariadb
import { ProtocolError, SdkHttpError } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../support/faults.js';
import { mcpClient, postMessage } from '../support/mcp.js';
import { recordOf } from '../support/records.js';
import { TestServer } from '../support/server.js';

const scopes = ['customers:read', 'invoices:read', 'orders:read'];
let server: TestServer;
let token: string;
let narrow: string;
beforeAll(async () => {
  server = await TestServer.start();
  const person = await server.person({ scopes });
  const { delegationId } = await server.agent(person, { scopes });
  token = await server.token(person.id, delegationId, scopes, '/mcp');
  narrow = await server.token(person.id, delegationId, ['customers:read'], '/mcp');
});
afterAll(() => server.stop());

interface Refusal {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly error: { readonly code: number; readonly message: string; readonly data: object };
}

interface Sent {
  readonly body?: string | Uint8Array;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const send = ({ body, method = 'POST', headers = {} }: Sent): Promise<Response> =>
  fetch(`${server.url}/mcp`, {
    ...{ method, body: body ?? null },
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
  });

const call = (members: string, params = '"name":"whoami"'): string =>
  `{"jsonrpc":"2.0",${members},"method":"tools/call","params":{${params}}}`;
const whoami = call('"id":7');
const many = `"name":"query","arguments":{"variables":{"n":[${'1,'.repeat(10_000)}1]}}`;

/** The form of a refusal, with the record that its id leads to. */
async function told(response: Response): Promise<Refusal> {
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const refusal = (await response.json()) as Refusal;
  expect(Object.keys(refusal)).toEqual(['jsonrpc', 'id', 'error']);
  expect(refusal).toMatchObject({
    jsonrpc: '2.0',
    error: {
      message: expect.stringMatching(/^\S.{10,}\.$/) as string,
      data: { operationId: response.headers.get('behalf-operation-id') },
    },
  });
  return refusal;
}

test.each<[string, Sent, number, number, unknown]>([
  ['is no JSON', { body: '{"id":7' }, 400, -32_700, null],
  ['is not UTF-8', { body: Uint8Array.from([0x7b, 0xff, 0x7d]) }, 400, -32_700, null],
  ['has a key `__proto__`', { body: call('"id":7,"__proto__":{}') }, 400, -32_600, 7],
  ['has half of a character', { body: call('"id":"a","x":"\\ud800"') }, 400, -32_600, 'a'],
  ['is a batch', { body: `[${whoami}]` }, 400, -32_600, null],
  ['has too many values', { body: call('"id":7', many) }, 400, -32_600, 7],
  ['has too many values and an id that is none', { body: call('"id":{}', many) }, 400, -32_600, null],
  ['has too many values and no id', { body: call('"x":1', many) }, 400, -32_600, null],
  ['is too large', { body: call('"id":7', `"name":"${'x'.repeat(1_100_000)}"`) }, 413, 413, null],
  ['has another type', { body: whoami, headers: { 'content-type': 'text/plain' } }, 415, 415, null],
  ['has another head', { body: whoami, headers: { 'mcp-name': 'query' } }, 400, -32_020, 7],
  ['comes from a page', { body: whoami, headers: { origin: 'https://evil.example' } }, 403, 403, 7],
  ['comes by GET', { method: 'GET' }, 405, 405, null],
])(
  'a message that %s is refused as the protocol says it, with its record, and changes nothing',
  async (_case, sent, status, code, id) => {
    const before = await digestOf(server.database);
    const response = await send(sent);
    expect(response.status).toBe(status);
    expect(response.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
    expect(await told(response)).toMatchObject({ id, error: { code, data: { code: 'BAD_USER_INPUT' } } });
    expect(await recordOf(server.database, response)).toMatchObject({
      ...{ outcome: 'failed', errors: [{ code: 'BAD_USER_INPUT' }], changes: [] },
    });
    expect(await digestOf(server.database)).toBe(before);
  },
);

test('without a good token, and with one that is too narrow, the challenge stands in the head as before', async () => {
  for (const authorization of ['', `Bearer ${'x'.repeat(43)}`]) {
    const response = await send({ body: whoami, headers: { authorization } });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('/.well-known/oauth-protected-resource/mcp"');
    // A stranger's message is not read.
    expect(await told(response)).toMatchObject({
      ...{ id: null, error: { code: 401, data: { code: 'UNAUTHENTICATED' } } },
    });
  }
  const document = '{ invoices { nodes { id } } orders { nodes { id } } }';
  const response = await postMessage(server.url, narrow, 'tools/call', {
    ...{ name: 'query', arguments: { document } },
  });
  expect(response.status).toBe(403);
  expect(response.headers.get('www-authenticate')).toContain('scope="invoices:read orders:read"');
  const missingScopes = ['invoices:read', 'orders:read'];
  expect(await told(response)).toMatchObject({
    ...{ id: 7, error: { code: 403, data: { code: 'FORBIDDEN', missingScopes } } },
  });
});

test('one stream too many is refused with its id, and with the time after which there is room', async () => {
  const leave = new AbortController();
  const listen = (): Promise<Response> =>
    postMessage(
      server.url,
      token,
      'subscriptions/listen',
      { notifications: { toolsListChanged: true } },
      { signal: leave.signal },
    );
  const open = await Promise.all(Array.from({ length: 10 }, listen));
  expect(open.every(({ status }) => status === 200)).toBe(true);
  const response = await listen();
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '300']);
  expect(await told(response)).toMatchObject({ id: 7, error: { code: 429 } });
  leave.abort();
});

test('a client of 2026-07-28 reads the refusal of a message as an error of the protocol; one of 2025 has its text', async () => {
  const failed = async (era: 'modern' | 'legacy'): Promise<unknown> => {
    const client = await mcpClient(server.url, token, era);
    const values = Array.from({ length: 10_001 }, () => 1);
    const arguments_ = { document: '{ viewer { scopes } }', variables: { values } };
    const error: unknown = await client
      .callTool({ name: 'query', arguments: arguments_ })
      .catch((caught: unknown) => caught);
    await client.close();
    return error;
  };
  const [modern, legacy] = [await failed('modern'), await failed('legacy')];
  expect(modern).toBeInstanceOf(ProtocolError);
  expect(modern).toMatchObject({ code: -32_600, data: { code: 'BAD_USER_INPUT' } });
  expect(legacy).toBeInstanceOf(SdkHttpError);
  expect((legacy as Error).message).toContain('A message has at most 10000 members and items in all.');
});

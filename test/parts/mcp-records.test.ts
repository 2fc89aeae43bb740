// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditBody } from '../../src/audit/record.js';
import { sha256 } from '../../src/core/digest.js';
import { delegations } from '../../src/store/tables/identity.js';
import { mcpClient, postMessage } from '../support/mcp.js';
import { recordOf } from '../support/records.js';
import { TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

const scopes = ['customers:read', 'documents:read'];
let server: TestServer;
let person: PersonFixture;
let agent: AgentFixture;
let token: string;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes });
  agent = await server.agent(person, { scopes });
  token = await tokenOf(agent);
});
afterAll(() => server.stop());

const tokenOf = ({ delegationId }: AgentFixture): Promise<string> =>
  server.token(person.id, delegationId, scopes, '/mcp');
const usedBy = async ({ delegationId }: AgentFixture): Promise<number> =>
  (await server.database.read.byId(delegations, delegationId))?.operationsUsed ?? -1;

/** What a request leaves: its status, its record, and how many operations it cost. */
async function left(
  request: () => Promise<Response>,
): Promise<{ readonly status: number; readonly record: AuditBody; readonly cost: number }> {
  const before = await usedBy(agent);
  const answer = await request();
  await answer.text();
  const record = await recordOf(server.database, answer);
  return { status: answer.status, record, cost: (await usedBy(agent)) - before };
}

/** A request of a client of 2025, or one that no client sends. */
const sendRaw = (
  body: string | null,
  { method = 'POST', ...headers }: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(`${server.url}/mcp`, {
    ...{ method, body },
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  });
const ofOld = (method: string, params: object = {}, id: object = { id: 1 }): Promise<Response> =>
  sendRaw(JSON.stringify({ jsonrpc: '2.0', ...id, method, params }));

const listen = { notifications: { toolsListChanged: true } };
const clientInfo = { name: 'old', version: '1' };
const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };

describe('a message that only connects is free, and succeeds', () => {
  test.each<[string, () => Promise<Response>]>([
    ['initialize', () => ofOld('initialize', hello)],
    ['notifications/initialized', () => ofOld('notifications/initialized', {}, {})],
    ['ping', () => ofOld('ping')],
    ['server/discover', () => postMessage(server.url, token, 'server/discover', {})],
    ['resources/list', () => postMessage(server.url, token, 'resources/list', {})],
    // It ends at once: there is nothing to tell.
    [
      'subscriptions/listen',
      () => postMessage(server.url, token, 'subscriptions/listen', { notifications: {} }),
    ],
  ])('%s', async (method, request) => {
    const { record, cost } = await left(request);
    expect(cost).toBe(0);
    expect(record).toMatchObject({
      ...{ outcome: 'succeeded', mcp: { method } },
      operation: { name: 'session.connect' },
    });
  });
});

describe('a message to which there is no result has failed, and costs as any other', () => {
  test.each<[string, string | null, () => Promise<Response>]>([
    ['tools/call', 'mutate', () => ofOld('tools/call', { name: 'mutate', arguments: ['x'] })],
    ['tools/call', 'mutate', () => ofOld('tools/call', { name: 'mutate', arguments: {} }, {})],
    ['tools/call', null, () => ofOld('tools/call')],
    ['foo/bar', null, () => ofOld('foo/bar')],
    ['initialize', null, () => ofOld('initialize', { protocolVersion: 7 })],
    ['notifications/initialized', null, () => ofOld('notifications/initialized')],
    ['subscriptions/listen', null, () => ofOld('subscriptions/listen', listen)],
    ['subscriptions/listen', null, () => ofOld('subscriptions/listen', listen, {})],
    ['subscriptions/listen', null, () => postMessage(server.url, token, 'subscriptions/listen', {})],
    [
      'subscriptions/listen',
      null,
      () => postMessage(server.url, token, 'subscriptions/listen', { notifications: 5 }),
    ],
    [
      'resources/read',
      'file:///etc/passwd',
      () => postMessage(server.url, token, 'resources/read', { uri: 'file:///etc/passwd' }),
    ],
  ])('%s of %s', async (method, target, request) => {
    const { record, cost } = await left(request);
    expect(cost).toBe(1);
    expect(record).toMatchObject({ outcome: 'failed', mcp: { method, target }, changes: [], rowCount: 0 });
    expect(record.errors).toHaveLength(1);
    expect(record.operation?.name).toBe(null);
  });

  test('and a task that is spent gets none', async () => {
    const spent = await server.agent(person, { scopes }, { scopes, operationsMax: 1 });
    const theirs = await tokenOf(spent);
    const ask = () =>
      postMessage(server.url, theirs, 'tools/call', { name: 'query', arguments: ['x'] }).then((answer) =>
        recordOf(server.database, answer),
      );
    expect((await ask()).errors).toEqual([{ code: 'BAD_USER_INPUT' }]);
    expect((await ask()).errors).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
    expect(await usedBy(spent)).toBe(1);
  });
});

test.each([
  ['resources/read', { uri: 'behalf://document/X', name: 'whoami' }, 'behalf://document/X'],
  ['tools/call', { uri: 'behalf://document/X', name: 'whoami' }, 'whoami'],
])('%s: the record names what was asked for, whatever stands beside it', async (method, params, target) => {
  const { record } = await left(() => ofOld(method, params));
  expect(record.mcp).toMatchObject({ method, target });
});

test.each<[string, number, () => Promise<Response>]>([
  ['a batch', 400, () => sendRaw('[{"jsonrpc":"2.0","id":1,"method":"ping"}]')],
  ['no JSON', 400, () => sendRaw('{')],
  ['a name of the runtime', 400, () => sendRaw('{"__proto__":{}}')],
  ['too much', 413, () => sendRaw(JSON.stringify({ text: 'x'.repeat(1_100_000) }))],
  ['another media type', 415, () => sendRaw('{}', { 'content-type': 'text/xml' })],
  ['a page of another origin', 403, () => sendRaw('{}', { origin: 'https://other.example' })],
  ['GET', 405, () => sendRaw(null, { method: 'GET' })],
  ['DELETE', 405, () => sendRaw(null, { method: 'DELETE' })],
])('%s: the record of its refusal says that it came by MCP', async (_what, status, request) => {
  const { record, ...seen } = await left(request);
  expect(seen).toEqual({ status, cost: status === 405 ? 0 : 1 });
  expect(record).toMatchObject({ outcome: 'failed', mcp: { method: 'unknown', target: null, client: null } });
});

test('a task of one operation is not spent by the connection of a client of 2025', async () => {
  const small = await server.agent(person, { scopes }, { scopes, operationsMax: 1 });
  const client = await mcpClient(server.url, await tokenOf(small), 'legacy');
  const told = await client.callTool({
    name: 'query',
    arguments: { document: '{ customers { totalCount } }' },
  });
  expect(told.structuredContent).toMatchObject({ data: { customers: { totalCount: 0 } } });
  await client.close();
});

const document =
  'query ($n: Int!) { customers(first: $n) { totalCount } few: customers(first: 3) { totalCount } }';
const documentHash = sha256(document);
const earlier = '01JDW1TCY0DP7W6C0QX3XK9D78';

test.each<[string, object, object]>([
  [
    'validate',
    { document, variables: { n: 2 } },
    { documentHash, variables: '{"n":2}', arguments: '{"few(first:)":3}' },
  ],
  ['validate', { document: '{ nope }' }, { documentHash: sha256('{ nope }'), variables: null }],
  ['explain_refusal', { document, variables: { n: 2 } }, { documentHash, variables: '{"n":2}' }],
  ['explain_refusal', { operationId: earlier }, { variables: `{"operationId":"${earlier}"}` }],
  ['explain_refusal', { scopes: ['orders:read'] }, { variables: '{"scopes":["orders:read"]}' }],
  ['ask_for_access', { scopes: ['orders:read'], reason: 'r' }, { variables: '{"scopes":["orders:read"]}' }],
  ['search_schema', { words: 'all customers' }, { variables: '{"words":"all customers","from":0}' }],
  [
    'search_schema',
    { words: 'x'.repeat(100_000) },
    {
      variables: expect.stringMatching(
        /^\{"words":\{"\$of":\[\],"length":100000,"digest":"[\w-]+"\},"from":0\}$/,
      ) as string,
    },
  ],
])('%s: the record says what it was asked', async (name, input, kept) => {
  const { record } = await left(() =>
    postMessage(server.url, token, 'tools/call', { name, arguments: input }),
  );
  expect({
    documentHash: record.operation?.documentHash,
    variables: record.variables,
    arguments: record.arguments,
  }).toMatchObject(kept);
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BusinessRows } from '../support/business.js';
import { loadBusiness, loadDocuments, smallBusiness } from '../support/demo-rows.js';
import { postMessage, postOldMessage } from '../support/mcp.js';
import { recordsOf } from '../support/records.js';
import { everywhere, TestServer } from '../support/server.js';

const scopes = ['customers:read', 'tickets:read', 'tickets:reply', 'documents:read', 'invoices:read'];
let server: TestServer;
let token: string;
let ticketId: string;
beforeAll(async () => {
  server = await TestServer.start();
  await loadBusiness(server.database, smallBusiness());
  await loadDocuments(server.database, server.ids);
  const rows = new BusinessRows(server);
  ticketId = (await rows.ticket('T-PLAIN', await rows.customer('C-PLAIN', 'europe'))).id;
  const person = await server.person({ scopes: [...server.app.scopes] });
  const rights = { scopes: [...scopes, 'refunds:read'] };
  const task = { scopes, boundary: everywhere, operationsMax: 100_000 };
  const { delegationId } = await server.agent(person, rights, task);
  token = await server.token(person.id, delegationId, scopes.slice(0, 4), '/mcp');
});
afterAll(() => server.stop());

/** The same call in two forms: as clients send it, and with a member that makes the SDK read it. */
const forms = { plain: {}, bySdk: { unused: true } };

async function answersTo(name: string, input: (form: string) => unknown) {
  const [plain, bySdk] = await Promise.all(
    Object.entries(forms).map(async ([form, more]) => {
      const params = { name, arguments: input(form), ...more };
      const answer = await postMessage(server.url, token, 'tools/call', params);
      const text = await answer.text();
      const operationId = answer.headers.get('behalf-operation-id') ?? '';
      const record = (await recordsOf(server.database)).find((one) => one.operationId === operationId);
      const { operation, decisions, outcome, errors, mcp } = record ?? {};
      return {
        text,
        seen: {
          status: answer.status,
          type: answer.headers.get('content-type'),
          cache: answer.headers.get('cache-control'),
          challenge: answer.headers.get('www-authenticate'),
          body: JSON.parse(text.replaceAll(operationId, 'ID')) as unknown,
          record: { operation, decisions, outcome, errors, mcp },
        },
      };
    }),
  );
  if (plain === undefined || bySdk === undefined) throw new Error('There are two forms.');
  return { plain, bySdk };
}

test.each<[string, string, (form: string) => unknown]>([
  ['rows', 'query', () => ({ document: '{ customers(first: 3) { nodes { name email } } }' })],
  [
    'a list that is cut',
    'query',
    () => ({
      document: `{ customers(first: 50) { nodes { ${'abcdefghij'
        .split('')
        .map((name) => `${name}: name ${name}id: id`)
        .join(' ')} } } }`,
    }),
  ],
  ['a fault of the document', 'query', () => ({ document: '{ nope }' })],
  ['no document', 'query', () => ({})],
  ['a refusal of the token', 'query', () => ({ document: '{ invoices { nodes { id } } }' })],
  ['a refusal of the task', 'query', () => ({ document: '{ refunds { nodes { id } } }' })],
  [
    'a change',
    'mutate',
    (form) => ({
      document:
        'mutation ($id: ID!, $key: String!) { replyToTicket(ticketId: $id, body: "Good day", idempotencyKey: $key) { ticket { id } } }',
      variables: { id: ticketId, key: form },
    }),
  ],
  ['who I am', 'whoami', () => ({})],
  ['documents with links', 'search_knowledge', () => ({ words: 'coffee' })],
  ['fields', 'search_schema', () => ({ words: 'tickets' })],
  ['a check', 'validate', () => ({ document: '{ refunds { nodes { id } } }' })],
  ['a refused scope', 'explain_refusal', () => ({ scopes: ['refunds:read'] })],
  [
    'too many scopes',
    'explain_refusal',
    () => ({ scopes: Array.from({ length: 60 }, (_, at) => String(at)) }),
  ],
  ['no such tool', 'nothing', () => ({})],
])('%s: a call gets the same answer and record as one that the SDK reads', async (_name, tool, input) => {
  const { plain, bySdk } = await answersTo(tool, input);
  expect(plain.seen).toEqual(bySdk.seen);
  // They did come two ways.
  if (plain.text.includes('"structuredContent"')) {
    expect(plain.text).toMatch(/^\{"jsonrpc":"2\.0","id":\d+,"result":\{"structuredContent":/);
    expect(bySdk.text).not.toMatch(/^\{"jsonrpc"/);
  }
});

const calling = { name: 'whoami', arguments: {} };
const encoded = (name: string): string => `=?base64?${Buffer.from(name).toString('base64')}?=`;

test.each(['2026-07-28', '2025-11-25'])('in %s a name in the head may be in base64', async (revision) => {
  const send = (name: string): Promise<Response> => {
    const headers = { 'mcp-protocol-version': revision, 'mcp-name': name };
    return revision === '2026-07-28'
      ? postMessage(server.url, token, 'tools/call', calling, { headers })
      : postOld(calling, { ...headers, 'mcp-method': 'tools/call' });
  };
  expect((await send(encoded('whoami'))).status).toBe(200);
  expect((await send(encoded('query'))).status).toBe(400);
});

test('a tool whose name looks like base64 is looked up by no other name', async () => {
  const name = encoded('whoami');
  const answer = await postMessage(server.url, token, 'tools/call', { name, arguments: {} });
  expect(answer.status).toBe(400);
});

test('arguments that are a list are refused in one sentence', async () => {
  const params = { name: 'query', arguments: ['{ customers { totalCount } }'] };
  const answer = await postMessage(server.url, token, 'tools/call', params);
  expect(await answer.json()).toMatchObject({
    error: {
      code: -32_602,
      message: expect.stringMatching(/^Correct `params\.arguments` of the message: /) as string,
    },
  });
});

const postOld = (params: object, headers: Record<string, string>): Promise<Response> =>
  postOldMessage(server.url, token, 'tools/call', params, { headers });

test.each<[number, string, Readonly<Record<string, string>>]>([
  [200, 'nothing', {}],
  [200, 'what it is', { 'mcp-method': 'tools/call', 'mcp-name': 'whoami' }],
  [400, 'another method', { 'mcp-method': 'tools/list' }],
  [400, 'another tool', { 'mcp-method': 'tools/call', 'mcp-name': 'query' }],
])('%i: a message of 2025 whose head says %s', async (status, _says, headers) => {
  const before = (await recordsOf(server.database)).length;
  expect((await postOld(calling, headers)).status).toBe(status);
  const [record] = (await recordsOf(server.database)).slice(before);
  expect(record?.outcome).toBe(status === 200 ? 'succeeded' : 'failed');
});

test('a message of 2025 whose head names what stands beside its tool is refused', async () => {
  const params = { name: 'query', uri: 'whoami', arguments: { document: '{ customers { totalCount } }' } };
  expect((await postOld(params, { 'mcp-method': 'tools/call', 'mcp-name': 'whoami' })).status).toBe(400);
  expect((await postOld(params, { 'mcp-method': 'tools/call', 'mcp-name': 'query' })).status).toBe(200);
});

test.each([
  ['another tool in the head', { 'mcp-name': 'whoami' }],
  ['another method in the head', { 'mcp-method': 'tools/list' }],
  ['another revision in the head', { 'mcp-protocol-version': '2025-11-25' }],
])('a call whose body says something else than its head is refused: %s', async (_name, headers) => {
  const params = { name: 'query', arguments: { document: '{ customers { totalCount } }' } };
  const answer = await postMessage(server.url, token, 'tools/call', params, { headers });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: expect.any(Number) as number } });
});

test.each<[string, Record<string, unknown>]>([
  ['arguments', { arguments: { document: '{ viewer { id } }', variables: members(10_000) } }],
  ['items within items', { arguments: { list: [[[Array(10_000).fill(0)]]] } }],
  ['members beside the arguments', { ...members(10_000) }],
])('a message of more values than can be checked at once is refused: %s', async (_name, params) => {
  const answer = await postMessage(server.url, token, 'tools/call', { name: 'query', ...params });
  expect([answer.status, await answer.text()]).toEqual([
    400,
    expect.stringContaining('A message has at most 10000 members and items in all.'),
  ]);
});

test('an error of the SDK is short, also with signs that end lines elsewhere', async () => {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': `A\u2028${'y'.repeat(20_000)}`,
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const answer = await fetch(`${server.url}/mcp`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list', params: { _meta } }),
  });
  const text = await answer.text();
  expect(text).toContain('"error"');
  expect(text.length).toBeLessThan(1_500);
});

function members(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${String(at)}`, at]));
}

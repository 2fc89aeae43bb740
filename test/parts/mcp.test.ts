// databases: sqlite, mariadb
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refunds, type CustomerRow } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { delegations } from '../../src/store/tables/identity.js';
import { BusinessRows } from '../support/business.js';
import { loadDocuments } from '../support/demo-rows.js';
import { postMessage, mcpClient, type Era } from '../support/mcp.js';
import { recordsOf } from '../support/records.js';
import { everywhere, TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

const scopes = ['customers:read', 'tickets:read', 'tickets:reply', 'documents:read'];
let server: TestServer;
let rows: BusinessRows;
let customer: CustomerRow;
let agent: AgentFixture;
let person: PersonFixture;
let token: string;
beforeAll(async () => {
  server = await TestServer.start();
  rows = new BusinessRows(server);
  customer = await rows.customer('C-1', 'europe');
  await rows.customer('C-2', 'asia');
  person = await server.person({ scopes: [...server.app.scopes] });
  agent = await server.agent(
    person,
    { scopes: [...scopes, 'refunds:issue', 'refunds:read', 'invoices:read'] },
    { scopes: [...scopes, 'invoices:read'], boundary: { ...everywhere, region: ['europe'] } },
  );
  token = await server.token(person.id, agent.delegationId, scopes, '/mcp');
});
afterAll(() => server.stop());

interface Told {
  readonly isError?: boolean;
  readonly structuredContent?: Record<string, unknown>;
}
const call = async (client: Client, name: string, input: Record<string, unknown> = {}): Promise<Told> =>
  (await client.callTool({ name, arguments: input })) as Told;

describe.each<Era>(['modern', 'legacy'])('a %s client', (era) => {
  let client: Client;
  beforeAll(async () => {
    client = await mcpClient(server.url, token, era);
  });
  afterAll(() => client.close());

  test('sees the tools that its task allows, by name', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      ...['ask_for_access', 'explain_refusal', 'mutate', 'query'],
      ...['search_knowledge', 'search_schema', 'validate', 'whoami'],
    ]);
  });

  test('learns for whom it acts, and gets the rows inside its boundary', async () => {
    const who = await call(client, 'whoami');
    expect(who.structuredContent).toMatchObject({ data: { viewer: { task: { task: 'ticket:T-1' } } } });
    const answer = await call(client, 'query', { document: '{ customers { nodes { number region } } }' });
    expect(answer.structuredContent).toMatchObject({
      data: { customers: { nodes: [{ number: 'C-1', region: 'europe' }] } },
    });
    const [record] = (await recordsOf(server.database)).slice(-1);
    expect(record).toMatchObject({
      outcome: 'succeeded',
      // Without sessions, a client of 2025 says its name in its first message alone.
      mcp: { client: era === 'modern' ? 'test-client 1.0.0' : null, method: 'tools/call', target: 'query' },
      chain: { agents: [{ name: agent.name }] },
    });
  });

  test('finds fields and checks a document before it runs', async () => {
    const found = await call(client, 'search_schema', { words: 'open tickets of a customer' });
    expect(found.structuredContent?.sdl).toContain('Query.tickets(');
    const checked = await call(client, 'validate', { document: '{ invoices { nodes { id } } }' });
    expect(checked.structuredContent).toMatchObject({
      valid: true,
      refusals: [
        {
          coordinates: ['Query.invoices', 'InvoiceConnection.nodes', 'Invoice.id'],
          layer: 'token',
          missingScopes: ['invoices:read'],
        },
      ],
    });
  });

  test('is told what its task lacks, and whom to ask', async () => {
    const told = await call(client, 'explain_refusal', { scopes: ['refunds:issue', 'users:manage'] });
    expect(told.structuredContent).toMatchObject({
      scopes: [
        { scope: 'refunds:issue', held: false, layer: 'delegation' },
        { scope: 'users:manage', held: false, layer: null },
      ],
    });
    const asked = await call(client, 'ask_for_access', { scopes: ['refunds:issue'], reason: 'Pay it back.' });
    expect(asked.structuredContent).toMatchObject({ status: 'ask_in_person', person: person.name });
  });

  test('changes nothing by `query`', async () => {
    const document = 'mutation { completeTask(idempotencyKey: "k") { __typename } }';
    expect(await call(client, 'query', { document })).toMatchObject({
      isError: true,
      structuredContent: { errors: [{ code: 'BAD_USER_INPUT' }] },
    });
    const [task] = await server.database.read.select(delegations, eq('id', agent.delegationId));
    expect(task?.status).toBe('active');
  });
});

const post = (
  method: string,
  params: Record<string, unknown>,
  bearer = token,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Response> => postMessage(server.url, bearer, method, params, { headers, signal });

test('a token that is too narrow is refused with all scopes, in the head of the answer', async () => {
  const document = '{ invoices { nodes { id number } } }';
  const answer = await post('tools/call', { name: 'query', arguments: { document } });
  expect(answer.status).toBe(403);
  expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  expect(answer.headers.get('www-authenticate')).toContain('scope="invoices:read"');
  expect(answer.headers.get('www-authenticate')).toContain('/.well-known/oauth-protected-resource/mcp');
});

test('a task that is too narrow is told in the result, with the missing scope, and nothing is changed', async () => {
  const payment = await rows.payment(await rows.invoice('I-1', await rows.order('O-1', customer)));
  const document = `mutation { issueRefund(paymentId: "${payment.id}", amount: { amount: "1.00", currency: "EUR" }, reason: "r", idempotencyKey: "k") { __typename } }`;
  const answer = await post('tools/call', { name: 'mutate', arguments: { document } });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    result: {
      isError: true,
      structuredContent: {
        errors: [{ code: 'FORBIDDEN', layer: 'delegation', missingScopes: ['refunds:issue'] }],
      },
    },
  });
  expect(await rows.all(refunds)).toEqual([]);
});

test('a token for GraphQL counts for nothing here, nor one for MCP there', async () => {
  expect((await post('tools/list', {}, agent.token)).status).toBe(401);
  const there = await server.query(token, '{ viewer { scopes } }');
  expect(there.status).toBe(401);
});

test('without a token the answer leads to the metadata of this resource', async () => {
  const answer = await fetch(`${server.url}/mcp`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(401);
  const metadata = await fetch(`${server.url}/.well-known/oauth-protected-resource/mcp`);
  expect(await metadata.json()).toMatchObject({ resource: `${server.publicUrl}/mcp` });
  expect(answer.headers.get('www-authenticate')).toContain('/.well-known/oauth-protected-resource/mcp');
});

test('a message that is none has its record, and changes nothing', async () => {
  const before = await recordsOf(server.database);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  for (const body of [
    '[]',
    '{}',
    '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]',
    '{"jsonrpc":"2.0","id":1,"method":"no/such"}',
    '{',
    '7',
    'null',
  ]) {
    const answer = await fetch(`${server.url}/mcp`, { method: 'POST', headers, body });
    expect({ body, status: answer.status >= 200 && answer.status < 500 }).toEqual({ body, status: true });
    expect(answer.headers.get('behalf-operation-id')).not.toBe(null);
  }
  const after = await recordsOf(server.database);
  expect(after.length).toBe(before.length + 7);
  expect(after.slice(-7).every(({ changes }) => changes.length === 0)).toBe(true);
});

test('a search of the knowledge base links to the documents inside the boundary, which the client reads', async () => {
  await loadDocuments(server.database, server.ids);
  const boundary = { ...everywhere, collection: ['guides'], classification: ['public'] };
  const { delegationId } = await server.agent(person, { scopes }, { scopes, boundary });
  const client = await mcpClient(server.url, await server.token(person.id, delegationId, scopes, '/mcp'));
  const { content } = await client.callTool({ name: 'search_knowledge', arguments: { words: 'coffee' } });
  const links = content.flatMap((part) => (part.type === 'resource_link' ? part : []));
  expect(links).toMatchObject([{ mimeType: 'text/markdown' }]);
  const uri = links[0]?.uri ?? '';
  const { contents } = await client.readResource({ uri });
  expect(contents).toMatchObject([
    { uri, text: expect.stringContaining('coffee is made, public') as string },
  ]);
  await expect(client.readResource({ uri: 'behalf://document/NONE' })).rejects.toThrow(/NONE/);
  await client.close();
});

test('a document is refused as a call is: a narrow token by its scope, a spent task by its limit', async () => {
  const uri = 'behalf://document/NONE';
  const read = (bearer: string): Promise<Response> => post('resources/read', { uri }, bearer);
  const narrow = await read(await server.token(person.id, agent.delegationId, ['tickets:read'], '/mcp'));
  expect(narrow.status).toBe(403);
  expect(narrow.headers.get('www-authenticate')).toContain('scope="documents:read"');
  const { delegationId } = await server.agent(person, { scopes }, { scopes, operationsMax: 1 });
  const spent = await server.token(person.id, delegationId, scopes, '/mcp');
  await post('tools/call', { name: 'whoami', arguments: {} }, spent);
  expect(await (await read(spent)).text()).toContain('LIMIT_EXCEEDED');
});

test('all scopes that the token lacks are named at once, those of nested fields too', async () => {
  const narrow = await server.token(person.id, agent.delegationId, ['tickets:read'], '/mcp');
  const document = '{ customers(first: 1) { nodes { name invoices(first: 1) { nodes { id } } } } }';
  const answer = await post('tools/call', { name: 'query', arguments: { document } }, narrow);
  expect(answer.status).toBe(403);
  expect(answer.headers.get('www-authenticate')).toContain('scope="customers:read invoices:read"');
});

test.each([
  ['explain_refusal', { scopes: Array.from({ length: 100_000 }, () => 'x') }],
  ['explain_refusal', { scopes: Array.from({ length: 100_000 }, (_, at) => `x:${String(at)}`) }],
  ['ask_for_access', { scopes: ['x'.repeat(900_000)], reason: 'r'.repeat(50_000) }],
  [
    'validate',
    {
      document: 'query ($n: Int!) { customers(first: $n) { nodes { id } } }',
      variables: { n: 'a'.repeat(900_000) },
    },
  ],
  ['validate', { document: `{ ${'a'.repeat(900_000)} }` }],
  ['query', { document: `{ ${'a'.repeat(900_000)} }` }],
  ['search_schema', { words: 'a'.repeat(900_000) }],
  ['search_schema', { words: 't', from: { valueOf: 1, toString: 1 } }],
  ['search_knowledge', { words: 'a'.repeat(900_000) }],
  ['nothing', { words: 'a'.repeat(900_000) }],
])('a huge or odd input of `%s` gets a small answer with its record', async (name, input) => {
  const before = (await recordsOf(server.database)).length;
  const answer = await post('tools/call', { name, arguments: input });
  const text = await answer.text();
  expect(text.length).toBeLessThan(40_000);
  expect(text).not.toContain('primitive');
  expect(answer.status).toBeLessThan(500);
  expect((await recordsOf(server.database)).length).toBe(before + 1);
});

test('a client that wants its connection closed is told so, also with a stream', async () => {
  const params = { notifications: { toolsListChanged: true } };
  const leave = new AbortController();
  const answer = await post('subscriptions/listen', params, token, { connection: 'close' }, leave.signal);
  leave.abort();
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  expect(answer.headers.get('connection')).toBe('close');
});

test('one task listens at ten streams at once', async () => {
  const leave = new AbortController();
  const listening = Array.from({ length: 11 }, () =>
    post('subscriptions/listen', { notifications: { toolsListChanged: true } }, token, {}, leave.signal),
  );
  const statuses = (await Promise.all(listening)).map(({ status }) => status).sort();
  leave.abort();
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
});

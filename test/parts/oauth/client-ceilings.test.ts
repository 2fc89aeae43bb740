// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { updateClient } from '../../../src/admin/client-changes.js';
import { createClient } from '../../../src/admin/clients.js';
import type { ClientRow } from '../../../src/store/tables/clients.js';
import { withPassword } from '../../support/account.js';
import { at, codes, type Employee } from '../../support/administration.js';
import { digestOf } from '../../support/faults.js';
import { mcpClient } from '../../support/mcp.js';
import { given, Office, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordOf } from '../../support/records.js';
import type { Answer } from '../../support/server.js';
import { CodeFlow } from './browser.js';

const callback = 'https://desk.example/callback';
/** Within the ceiling of the clients here. `support-agent` and `support-rep` hold more. */
const ceiling = ['tickets:read', 'tickets:reply'];
const beyond = 'customers:read';
const customers = '{ customers(first: 1) { totalCount } }';
const tickets = '{ tickets(first: 1) { totalCount } }';

let office: Office;
let root: Employee;
let ines: Employee;
let desk: ClientRow;
let tool: ClientRow;

beforeAll(async () => {
  office = await Office.start();
  ({ root } = office.company);
  ines = await office.company.employee('ines', 'support-rep');
  const { around } = office.company;
  const agent = { name: 'desk', businessTask: 'Answer tickets', ownerId: root.id };
  const role = await office.company.role('support-agent');
  const known = { redirectUris: [callback], scopes: ceiling };
  await office.company.do(async (unit) => {
    const acting = { ...known, clientId: 'desk', name: 'Desk', agent: { ...agent, roles: [role] } };
    desk = await createClient(unit, root.id, acting, around);
    const own = {
      ...known,
      clientId: 'tool',
      name: 'Tool',
      scopes: [...ceiling, 'session:read', 'clients:read', 'clients:manage'],
    };
    tool = await createClient(unit, root.id, own, around);
  });
});
afterAll(() => office.server.stop());

/** Tokens by the browser. The person's consent gives an agent its task. */
async function tokensOf(
  client: ClientRow,
  who: Employee,
  scope: string,
  path: '/graphql' | '/mcp' = '/graphql',
): Promise<TokenAnswer> {
  const task = { type: 'behalf_delegation', purpose: 'Answer the letter', task: 'ticket:T-1' };
  const flow = await CodeFlow.start(
    { issuer: office.server.url },
    {
      ...{ client_id: client.clientId, redirect_uri: callback, scope },
      resource: `${office.server.url}${path}`,
      authorization_details: client.isOwnTool ? '' : JSON.stringify([task]),
    },
  );
  const page = await flow.signIn(await withPassword(office, who), password);
  const { url } = page.html.includes('<form') ? await flow.browser.submit(page, {}) : page;
  const code = new URL(url).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', client_id: client.clientId, code };
  const proof = { redirect_uri: callback, code_verifier: flow.verifier };
  return office.post('/oauth/token', { ...form, ...proof });
}
const tokenOf = async (...of: Parameters<typeof tokensOf>): Promise<string> => given(await tokensOf(...of));
const ask = (token: string, query: string): Promise<Answer> => office.company.ask({ token }, query);
const requestable = async (token: string): Promise<unknown> =>
  at(await ask(token, '{ viewer { requestableScopes } }'), 'viewer.requestableScopes');
const schemaFor = (token: string): Promise<Response> =>
  fetch(`${office.server.url}/graphql/schema.graphql`, { headers: { authorization: `Bearer ${token}` } });

describe.each<[string, () => [ClientRow, Employee]]>([
  ['a client that acts as an agent', () => [desk, ines]],
  ['a person’s own tool', () => [tool, ines]],
])('%s', (_what, of) => {
  test('is told of scopes within its ceiling, and of none beyond it', async () => {
    const token = await tokenOf(...of(), 'tickets:read');
    expect((await ask(token, tickets)).errors).toEqual([]);
    expect(await requestable(token)).toEqual(['tickets:reply']);
    const answer = await ask(token, customers);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(JSON.stringify(answer)).not.toContain(beyond);
    expect((await recordOf(office.server.database, answer)).outcome).toBe('failed');
    const sdl = await (await schemaFor(token)).text();
    expect(sdl).toContain('Requestable: needs `tickets:reply`');
    expect(sdl).not.toContain(beyond);
    expect(sdl).not.toMatch(/\bcustomers\b/);
  });
});

test('a tool gets no schema without a scope that it can use, and reads which ones it could get', async () => {
  const response = await schemaFor(await tokenOf(tool, ines, 'session:read'));
  expect(response.status).toBe(403);
  expect(response.headers.get('www-authenticate')).toContain(`scope="${ceiling.join(' ')}"`);
});

test('the tools of MCP name a scope of the role beyond the ceiling nowhere', async () => {
  const client = await mcpClient(office.server.url, await tokenOf(desk, ines, 'tickets:read', '/mcp'));
  const call = async (name: string, input: Record<string, unknown>): Promise<string> =>
    JSON.stringify(await client.callTool({ name, arguments: input }));
  for (const [name, input] of [
    ['query', { document: customers }],
    ['validate', { document: customers }],
    ['search_schema', { words: 'customers' }],
  ] as const)
    expect(await call(name, input)).not.toContain(beyond);
  expect(await call('explain_refusal', { scopes: [beyond, 'tickets:reply'] })).toContain(
    JSON.stringify({ scope: beyond, held: false, layer: null }).slice(0, -1),
  );
  expect(await call('ask_for_access', { scopes: [beyond], reason: 'I have to' })).toContain('impossible');
  await client.close();
});

test('a token for MCP that is too narrow is refused with scopes within the ceiling alone', async () => {
  const { body } = await tokensOf(desk, ines, ceiling.join(' '), '/mcp');
  const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' };
  const narrow = { scope: 'tickets:reply', client_id: desk.clientId };
  const token = given(await office.post('/oauth/token', { ...form, ...narrow }));
  const challenged = async (document: string): Promise<string | null> => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call' };
    const response = await fetch(`${office.server.url}/mcp`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...{ accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
      },
      body: JSON.stringify({ ...message, params: { name: 'query', arguments: { document } } }),
    });
    expect(await response.text()).not.toContain(beyond);
    return response.headers.get('www-authenticate');
  };
  expect(await challenged(tickets)).toContain('scope="tickets:read"');
  expect(await challenged(customers)).toBeNull();
});

test('a wider ceiling is told with the next operation', async () => {
  const wide = await office.company.do((unit) => {
    const of = { clientId: 'wide', name: 'Wide', redirectUris: [callback] };
    return createClient(unit, root.id, { ...of, scopes: ceiling }, office.company.around);
  });
  const token = await tokenOf(wide, ines, 'tickets:read');
  expect(await requestable(token)).toEqual(['tickets:reply']);
  const scopes = [...ceiling, beyond];
  await office.company.do((unit) => updateClient(unit, root.id, wide, { scopes }, office.company.around));
  expect(await requestable(token)).toEqual([beyond, 'tickets:reply']);
  expect(codes(await ask(token, customers))).toEqual(['FORBIDDEN']);
});

test('a narrower ceiling counts for what the client’s agent has handed on, whoever acts under it', async () => {
  const { around } = office.company;
  const role = await office.company.role('support-agent');
  const chief = await office.company.do((unit) => {
    const agent = { name: 'chief', businessTask: 'Answer tickets', ownerId: root.id, roles: [role] };
    const of = { clientId: 'chief', name: 'Chief', redirectUris: [callback], agent };
    return createClient(unit, root.id, { ...of, scopes: ['tickets:read', beyond] }, around);
  });
  const next = await office.agent('next', root, 'support-agent');
  const handed = await office.exchange(next, await tokenOf(chief, ines, `tickets:read ${beyond}`));
  expect((await ask(given(handed), customers)).errors).toEqual([]);
  await office.company.do((unit) => updateClient(unit, root.id, chief, { scopes: ['tickets:read'] }, around));
  const again = await office.requestToken(next, handed.body.authorization_details?.[0]?.delegation ?? '');
  expect((await ask(given(again), tickets)).errors).toEqual([]);
  const before = await digestOf(office.server.database);
  expect(codes(await ask(given(again), customers))).toEqual(['FORBIDDEN']);
  expect(await digestOf(office.server.database)).toBe(before);
});

test('administrators see the schema of a client’s agent as the agent sees it', async () => {
  const sdl = at(await ask(root.token, `{ schema(agent: "${desk.agentId ?? ''}") }`), 'schema');
  expect(sdl).toContain('tickets:reply');
  expect(sdl).not.toContain(beyond);
});

test('what a mutation needs beyond the ceiling of a tool is refused without its name, and changes nothing', async () => {
  const token = await tokenOf(tool, root, 'clients:read clients:manage');
  const agent = `agent: { name: "extra", businessTask: "t", ownerId: "${root.id}" }`;
  const input = `input: { clientId: "extra", name: "Extra", redirectUris: ["${callback}"], ${agent} },`;
  const before = await digestOf(office.server.database);
  const answer = await office.change({ token }, 'createClient', input, '__typename');
  expect(codes(answer)).toEqual(['FORBIDDEN']);
  expect(JSON.stringify(answer)).not.toContain('agents:manage');
  expect(await digestOf(office.server.database)).toBe(before);
});

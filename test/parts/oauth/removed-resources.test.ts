// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from '../../../src/store/sql/condition.js';
import { clients } from '../../../src/store/tables/clients.js';
import { delegations } from '../../../src/store/tables/identity.js';
import { withPassword } from '../../support/account.js';
import { at, codes, key, type Employee } from '../../support/administration.js';
import { askedBy, askingAgent, callback } from '../../support/asking-agents.js';
import { digestOf } from '../../support/faults.js';
import { given, Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordOf } from '../../support/records.js';
import { CodeFlow, discover, insecure, program } from './browser.js';

const mcp = 'https://mcp.example/mcp';

interface Server {
  readonly id: string;
  readonly secret: string;
}

let office: Office;
let root: Employee;
let rosa: Employee;
let server: Server;
let made = 0;

const graphql = (): string => `${office.server.url}/graphql`;
const change = (field: string, args: string, selection: string) =>
  office.change(root, field, args, selection);

async function added(identifier = mcp): Promise<Server> {
  const name = `mcp-${String((made += 1))}`;
  const input = `name: "${name}", identifier: "${identifier}", scopes: ["tickets:read", "customers:read"]`;
  const answer = await change('addResourceServer', `input: { ${input} }`, 'resourceServer { id } secret');
  expect(answer.errors).toEqual([]);
  const [id, secret] = ['resourceServer.id', 'secret'].map((path) => at(answer, `addResourceServer.${path}`));
  return { id: id as string, secret: secret as string };
}
const removed = ({ id }: Server) => change('removeResourceServer', `id: "${id}"`, 'id');

async function isActiveAt({ id, secret }: Server, token: string): Promise<boolean> {
  const as = await discover({ issuer: office.server.url });
  const client = { client_id: id };
  const proof = oauth.ClientSecretBasic(secret);
  const response = await oauth.introspectionRequest(as, client, proof, token, insecure);
  return (await oauth.processIntrospectionResponse(as, client, response)).active;
}

/** A registered client that acts as an agent. */
async function client(resources: readonly string[] | null): Promise<{ id: string; clientId: string }> {
  const clientId = `desk-${String((made += 1))}`;
  const role = await office.company.role('support-agent');
  const agent = { name: clientId, businessTask: 'Answer tickets', ownerId: root.id, roleIds: [role.id] };
  const answer = await office.company.ask(
    root,
    'mutation ($input: CreateClientInput!, $key: String!) { createClient(input: $input, idempotencyKey: $key) { client { id clientId } } }',
    { input: { clientId, name: 'Desk', redirectUris: [callback], agent, resources }, key: key() },
  );
  expect(answer.errors).toEqual([]);
  return at(answer, 'createClient.client') as { id: string; clientId: string };
}

const codeOf = (url: string): string => new URL(url).searchParams.get('code') ?? '';

beforeAll(async () => {
  office = await Office.start();
  ({ root } = office.company);
  rosa = await office.company.employee('rosa', 'support-rep');
  server = await added();
});
afterAll(() => office.server.stop());

describe('another server at the address of one that was removed', () => {
  let helper: Agent;
  let next: Agent;
  let asking: Agent;
  let forAll: string;
  let forOne: string;
  let first: Server;
  let second: Server;
  /** Tokens and refresh tokens for the first server. */
  let old: Record<'helper' | 'asking' | 'hers', string>;
  let refresh: Record<'asking' | 'hers', string>;
  let [desk, tool] = [
    { id: '', clientId: '' },
    { id: '', clientId: '' },
  ];

  const askFor = async (resource: string): Promise<TokenAnswer> => {
    const [flow, page] = await askedBy(office, asking, rosa, { resource });
    const { url } = await flow.browser.submit(page, {});
    const form = { grant_type: 'authorization_code', code: codeOf(url), redirect_uri: callback };
    return office.post('/oauth/token', { ...form, code_verifier: flow.verifier }, asking);
  };
  const signIn = async (form: Record<string, string>): Promise<TokenAnswer> => {
    const flow = await CodeFlow.start({ issuer: office.server.url }, { scope: 'tickets:read' });
    for (const resource of [graphql(), mcp]) flow.url.searchParams.append('resource', resource);
    const { url } = await flow.signIn(await withPassword(office, rosa), password);
    return office.post('/oauth/token', {
      ...{ grant_type: 'authorization_code', code: codeOf(url), code_verifier: flow.verifier },
      ...{ redirect_uri: 'http://127.0.0.1:45678/callback', client_id: program.client_id, ...form },
    });
  };
  const renew = (token: string, form: Record<string, string>, as?: Agent): Promise<TokenAnswer> =>
    office.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, ...form }, as);

  beforeAll(async () => {
    first = server;
    helper = await office.agent('helper', rosa, 'support-agent');
    next = await office.agent('next', rosa, 'support-agent');
    asking = await askingAgent(office, 'asking');
    const task = { agent: 'helper', depth: 2, scopes: ['tickets:read', 'customers:read'] };
    forAll = await office.delegate(rosa, task);
    const [asked, hers] = [await askFor(mcp), await signIn({ resource: mcp })];
    old = {
      helper: await office.tokenOf(helper, forAll, { resource: mcp }),
      asking: given(asked),
      hers: given(hers),
    };
    refresh = { asking: asked.body.refresh_token ?? '', hers: hers.body.refresh_token ?? '' };
    const [row] = await office.server.database.read.select(delegations, eq('agentId', asking.id));
    forOne = row?.id ?? '';
    [desk, tool] = [await client([mcp, graphql()]), await client([mcp])];
    for (const token of Object.values(old)) expect(await isActiveAt(first, token)).toBe(true);
    const gone = await removed(first);
    expect(gone.errors).toEqual([]);
    expect(JSON.stringify(await recordOf(office.server.database, gone))).toContain(desk.id);
    // Within the same second, so that no time in whole seconds tells the two apart.
    second = await added();
  });

  test('knows neither the id nor the secret of the first', async () => {
    for (const as of [
      first,
      { id: second.id, secret: first.secret },
      { id: first.id, secret: second.secret },
    ])
      await expect(isActiveAt(as, old.helper)).rejects.toMatchObject({
        code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
      });
  });

  test.each(['helper', 'asking', 'hers'] as const)('learns of no older token: %s', async (name) => {
    expect(await isActiveAt(second, old[name])).toBe(false);
  });

  test('gets nothing of what people allowed for the first', async () => {
    const before = await digestOf(office.server.database);
    for (const answer of [
      await renew(refresh.asking, {}, asking),
      await office.requestToken(asking, forOne, { resource: mcp }),
      await renew(refresh.hers, { client_id: program.client_id, resource: mcp }),
    ])
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_target']);
    const task = { task: 'ticket:T-1', purpose: 'Go on' };
    const exchanged = await office.exchange(next, old.helper, task);
    expect([exchanged.status, exchanged.body.error]).toEqual([400, 'invalid_request']);
    expect(await digestOf(office.server.database)).toBe(before);
  });

  test('costs nobody a sign-in: a refresh that was refused for it uses nothing up', async () => {
    const renewed = await renew(refresh.hers, { client_id: program.client_id });
    expect((await office.company.ask({ token: given(renewed) }, '{ viewer { scopes } }')).errors).toEqual([]);
  });

  test('takes tokens that come later', async () => {
    const later = [
      await office.requestToken(helper, forAll, { resource: mcp }),
      await askFor(mcp),
      await signIn({ resource: mcp }),
    ];
    for (const answer of later) expect(await isActiveAt(second, given(answer))).toBe(true);
    const passed = await office.exchange(next, given(later[0] as TokenAnswer), {
      task: 't',
      purpose: 'Go on',
    });
    expect(await isActiveAt(second, given(passed))).toBe(true);
  });

  test('is in no client’s ceiling; a client for which nothing is left gets nothing', async () => {
    const { read } = office.server.database;
    expect((await read.byId(clients, desk.id))?.resources).toEqual([graphql()]);
    expect((await read.byId(clients, tool.id))?.resources).toEqual([]);
    for (const [clientId, resource] of [
      [desk.clientId, mcp],
      [tool.clientId, mcp],
      [tool.clientId, graphql()],
    ] as const) {
      const parameters = { client_id: clientId, redirect_uri: callback, resource };
      const flow = await CodeFlow.start({ issuer: office.server.url }, parameters);
      const { url } = await flow.browser.open(flow.url.href);
      expect([clientId, new URL(url).searchParams.get('error')]).toEqual([clientId, 'invalid_target']);
    }
  });
});

describe('the resources of a client', () => {
  const elsewhere = 'https://wiki.example/api';
  const update = async (id: string, input: object) => {
    const version = (await office.server.database.read.byId(clients, id))?.version;
    return office.company.ask(
      root,
      'mutation ($id: ID!, $input: UpdateClientInput!, $version: Int!, $key: String!) { updateClient(id: $id, input: $input, expectedVersion: $version, idempotencyKey: $key) { client { resources } } }',
      { id, input, version, key: key() },
    );
  };
  const errorFor = async (clientId: string, resource: string): Promise<string | null> => {
    const parameters = { client_id: clientId, redirect_uri: callback, resource };
    const flow = await CodeFlow.start({ issuer: office.server.url }, parameters);
    const { url } = await flow.browser.open(flow.url.href);
    return new URL(url).searchParams.get('error');
  };

  test('are this server’s, unless an administrator names others', async () => {
    const { id, clientId } = await client(null);
    expect(await errorFor(clientId, mcp)).toBe('invalid_target');
    expect(await errorFor(clientId, graphql())).toBeNull();
    expect((await update(id, { resources: [mcp] })).errors).toEqual([]);
    expect(await errorFor(clientId, mcp)).toBeNull();
    expect(await errorFor(clientId, graphql())).toBe('invalid_target');
  });

  test.each([
    ['a resource that there is not', { resources: [elsewhere] }],
    ['a path of this server that is none', { resources: ['https://behalf.example/other'] }],
    ['one that differs in a letter', { resources: [mcp.toUpperCase()] }],
    ['a scope that there is not', { scopes: ['tickets:burn'] }],
  ])('and its scopes are refused: %s', async (_what, input) => {
    const { id } = await client([mcp]);
    const before = await office.server.database.read.byId(clients, id);
    const answer = await update(id, input);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.errors[0]?.extensions.path).toBe(Object.keys(input)[0]);
    expect((await recordOf(office.server.database, answer)).outcome).toBe('failed');
    expect(await office.server.database.read.byId(clients, id)).toEqual(before);
  });
});

describe('the page on which a person allows it', () => {
  test('names another server, and offers only the scopes that its tokens may have', async () => {
    const agent = await askingAgent(office, 'outside');
    const scope = 'tickets:read tickets:update_status';
    const [, page] = await askedBy(office, agent, rosa, { resource: mcp, scope });
    const text = page.html.replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/Another server, mcp-\d+ <code class="soft">https:\/\/mcp\.example\/mcp<\/code>/);
    expect(page.html).toContain('tickets:read');
    expect(page.html).not.toContain('tickets:update_status');
    const [, own] = await askedBy(office, agent, rosa, { scope });
    expect(own.html).not.toContain('Where it could use this');
    expect(own.html).toContain('tickets:update_status');
  });

  test('offers nothing where it takes none of the scopes, and the program is told so', async () => {
    const agent = await askingAgent(office, 'beyond');
    const [, page] = await askedBy(office, agent, rosa, { resource: mcp, scope: 'tickets:update_status' });
    expect(new URL(page.url).searchParams.get('error')).toBe('invalid_scope');
    expect(await office.server.database.read.select(delegations, eq('agentId', agent.id))).toEqual([]);
  });
});

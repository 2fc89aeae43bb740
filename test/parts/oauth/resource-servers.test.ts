// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from '../../../src/store/sql/condition.js';
import { delegations, idempotencyKeys, type AgentRow } from '../../../src/store/tables/identity.js';
import { resourceServers } from '../../../src/store/tables/resource-servers.js';
import { at, codes, key, nodesAt, type Employee } from '../../support/administration.js';
import { withPassword } from '../../support/account.js';
import { askedBy, askingAgent, callback } from '../../support/asking-agents.js';
import { digestOf } from '../../support/faults.js';
import { given, Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { auditText, recordsOf } from '../../support/records.js';
import { CodeFlow, discover, insecure, program } from './browser.js';

const mcp = 'https://mcp.example/mcp';
const wiki = 'https://wiki.example/api';

interface Server {
  readonly id: string;
  readonly secret: string;
}

let office: Office;
let rosa: Employee;
let helper: Agent;
let next: Agent;
let asking: Agent;
let delegationId: string;
let forMcp: Server;
let forWiki: Server;

const graphql = (): string => `${office.server.url}/graphql`;
const shown = 'resourceServer { id name identifier scopes authMethod } secret';

const addServer = (who: Employee, input: Record<string, unknown>, idempotencyKey = key()) =>
  office.company.ask(
    who,
    `mutation ($input: AddResourceServerInput!, $key: String!) { addResourceServer(input: $input, idempotencyKey: $key) { ${shown} } }`,
    { input, key: idempotencyKey },
  );

async function added(name: string, identifier: string, scopes: readonly string[]): Promise<Server> {
  const answer = await addServer(office.company.root, { name, identifier, scopes });
  expect(answer.errors).toEqual([]);
  const id = at(answer, 'addResourceServer.resourceServer.id') as string;
  return { id, secret: at(answer, 'addResourceServer.secret') as string };
}

/** Through an independent library. */
async function introspect(
  server: Server,
  token: string,
  proof: oauth.ClientAuth = oauth.ClientSecretBasic(server.secret),
): Promise<oauth.IntrospectionResponse> {
  const as = await discover({ issuer: office.server.url });
  const client = { client_id: server.id };
  const response = await oauth.introspectionRequest(as, client, proof, token, insecure);
  return oauth.processIntrospectionResponse(as, client, response);
}

const rowsOf = () => office.server.database.read.select(delegations, eq('userId', rosa.id));
const ask = (token: string) => office.company.ask({ token }, '{ viewer { scopes } }');

beforeAll(async () => {
  office = await Office.start();
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
  next = await office.agent('next', rosa, 'support-agent');
  asking = await askingAgent(office, 'asking');
  delegationId = await office.delegate(rosa, {
    ...{ agent: 'helper', depth: 2 },
    scopes: ['tickets:read', 'customers:read', 'tickets:update_status'],
  });
  forMcp = await added('mcp', mcp, ['tickets:read', 'customers:read', 'invoices:read']);
  forWiki = await added('wiki', wiki, ['documents:read']);
});
afterAll(() => office.server.stop());

describe('an administrator', () => {
  test('sees the servers; their secrets are told once, and kept nowhere', async () => {
    const again = key();
    const input = { name: 'files', identifier: 'https://files.example/v1', scopes: ['documents:read'] };
    const first = await addServer(office.company.root, input, again);
    const secret = at(first, 'addResourceServer.secret') as string;
    expect(secret).toMatch(/^bhs_/);
    expect(at(await addServer(office.company.root, input, again), 'addResourceServer')).toMatchObject({
      resourceServer: { ...input, authMethod: 'client_secret_basic' },
      secret: null,
    });
    const listed = await office.company.ask(office.company.root, '{ resourceServers { nodes { name } } }');
    expect(nodesAt(listed, 'resourceServers').map(({ name }) => name)).toEqual(['files', 'mcp', 'wiki']);
    const keys = JSON.stringify(await office.server.database.read.select(idempotencyKeys, eq('key', again)));
    for (const text of [keys, await auditText(office.server.database)]) expect(text).not.toContain(secret);
    const id = at(first, 'addResourceServer.resourceServer.id') as string;
    await office.done(office.company.root, 'removeResourceServer', `id: "${id}"`);
    expect(await office.server.database.read.byId(resourceServers, id)).toBeUndefined();
  });

  test.each([
    ['a name with capitals', { name: 'Files' }],
    ['a resource with a fragment', { identifier: 'https://files.example/#a' }],
    ['a resource with a query', { identifier: 'https://files.example/?a' }],
    ['plain http', { identifier: 'http://files.example/' }],
    ['a name and a password in the address', { identifier: 'https://a:b@files.example/' }],
    ['no address', { identifier: 'files' }],
    ['no scope', { scopes: [] }],
    ['an unknown scope', { scopes: ['documents:burn'] }],
    ['a private key', { publicKeys: '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA","d":"AAAA"}]}' }],
  ])('is refused %s', async (_what, change) => {
    const input = { name: 'files', identifier: 'https://files.example/v1', scopes: ['documents:read'] };
    const before = await digestOf(office.server.database);
    const answer = await addServer(office.company.root, { ...input, ...change });
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(await digestOf(office.server.database)).toBe(before);
  });

  test('is refused a resource of this server', async () => {
    for (const identifier of [graphql(), `${office.server.url}/mcp`]) {
      const input = { name: 'own', identifier, scopes: ['documents:read'] };
      expect(codes(await addServer(office.company.root, input))).toEqual(['BAD_USER_INPUT']);
    }
  });

  test('is refused a name or an identifier that is taken, and others know of nothing', async () => {
    const before = await digestOf(office.server.database);
    for (const change of [{ name: 'mcp' }, { identifier: mcp }]) {
      const input = { name: 'files', identifier: 'https://files.example/v1', scopes: ['documents:read'] };
      expect(codes(await addServer(office.company.root, { ...input, ...change }))).toEqual(['CONFLICT']);
    }
    const answer = await addServer(rosa, { name: 'x', identifier: wiki, scopes: [] });
    expect(answer.status).toBe(400);
    expect(await digestOf(office.server.database)).toBe(before);
  });
});

describe('a token for another server', () => {
  let token: string;
  let answer: TokenAnswer;
  beforeAll(async () => {
    answer = await office.requestToken(helper, delegationId, { resource: mcp });
    token = given(answer);
  });

  test('is under the same delegation, with scopes of both, and counts for nothing here', async () => {
    expect(answer.body.scope?.split(' ').sort()).toEqual(['customers:read', 'tickets:read']);
    expect((await ask(token)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${graphql()}/schema.graphql`, { headers })).status).toBe(401);
  });

  test('is introspected by that server, with its chain and the scopes that hold now', async () => {
    expect(await introspect(forMcp, token)).toMatchObject({
      ...{ active: true, aud: mcp, sub: rosa.id, client_id: 'helper', token_type: 'Bearer' },
      iss: office.server.url,
      act: { sub: helper.id, client_id: 'helper' },
      authorization_details: [{ type: 'behalf_delegation', delegation: delegationId }],
    });
    expect((await introspect(forMcp, token)).scope?.split(' ').sort()).toEqual([
      'customers:read',
      'tickets:read',
    ]);
    expect(await introspect(forMcp, token)).not.toHaveProperty('behalf_generation');
  });

  test('is inactive to everybody else, and other tokens are to that server', async () => {
    const inactive = { active: false };
    expect(await introspect(forWiki, token)).toEqual(inactive);
    expect(await introspect({ id: next.name, secret: next.secret }, token)).toEqual(inactive);
    const mine = await office.tokenOf(helper, delegationId);
    expect(await introspect(forMcp, mine)).toEqual(inactive);
    const { access_token: hers, refresh_token: refresh = '' } = await office.signIn(rosa, 'tickets:read');
    expect(await introspect(forMcp, hers)).toEqual(inactive);
    expect(await introspect(forMcp, refresh)).toEqual(inactive);
    expect(await introspect(forMcp, 'x'.repeat(43))).toEqual(inactive);
  });

  test('loses a scope with the role, and ends with the delegation', async () => {
    const task = await office.delegate(rosa, { agent: 'helper', scopes: ['tickets:read', 'customers:read'] });
    const one = await office.tokenOf(helper, task, { resource: mcp });
    expect((await introspect(forMcp, one)).active).toBe(true);
    await office.done(rosa, 'revokeDelegation', `id: "${task}"`);
    expect(await introspect(forMcp, one)).toEqual({ active: false });
  });

  test('costs no operation', async () => {
    const used = async () =>
      (await office.server.database.read.byId(delegations, delegationId))?.operationsUsed;
    const before = await used();
    await introspect(forMcp, await office.tokenOf(helper, delegationId, { resource: mcp }));
    expect(await used()).toBe(before);
  });
});

test('a server gets no tokens, and revokes none', async () => {
  const as = { name: forMcp.id, secret: forMcp.secret };
  const before = await digestOf(office.server.database);
  const forms: Record<string, string>[] = [
    { grant_type: 'client_credentials', resource: mcp },
    { grant_type: 'refresh_token', refresh_token: 'x'.repeat(43) },
    { grant_type: 'authorization_code', code: 'x', redirect_uri: callback, code_verifier: 'x'.repeat(43) },
  ];
  for (const form of forms)
    expect((await office.post('/oauth/token', form, as)).body.error).toBe('invalid_request');
  expect(await digestOf(office.server.database)).toBe(before);
  const token = await office.tokenOf(helper, delegationId, { resource: mcp });
  await office.post('/oauth/revoke', { token }, as);
  expect((await introspect(forMcp, token)).active).toBe(true);
});

test('a server that is removed learns of nothing; one that comes after it learns of no older token', async () => {
  const first = await added('late', 'https://late.example/', ['tickets:read']);
  const token = await office.tokenOf(helper, delegationId, { resource: 'https://late.example/' });
  expect((await introspect(first, token)).active).toBe(true);
  await office.done(office.company.root, 'removeResourceServer', `id: "${first.id}"`);
  await expect(introspect(first, token)).rejects.toMatchObject({ code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' });
  const refused = await office.requestToken(helper, delegationId, { resource: 'https://late.example/' });
  expect(refused.body.error).toBe('invalid_target');
  // Within the same second, too.
  const second = await added('late', 'https://late.example/', ['tickets:read']);
  expect(await introspect(second, token)).toEqual({ active: false });
  const newer = await office.tokenOf(helper, delegationId, { resource: 'https://late.example/' });
  expect((await introspect(second, newer)).active).toBe(true);
});

test('a token of an agent that was stopped is inactive', async () => {
  const agent = await office.agent('stopping', rosa, 'support-agent');
  const task = await office.delegate(rosa, { agent: 'stopping', scopes: ['tickets:read'] });
  const token = await office.tokenOf(agent, task, { resource: mcp });
  expect((await introspect(forMcp, token)).active).toBe(true);
  await office.done(office.company.root, 'stopAgent', `id: "${agent.id}"`);
  expect(await introspect(forMcp, token)).toEqual({ active: false });
});

test('a token of an agent that is stopped while its server asks is inactive', async () => {
  const agent = await office.agent('leaving', rosa, 'support-agent');
  const task = await office.delegate(rosa, { agent: 'leaving', scopes: ['tickets:read'] });
  const token = await office.tokenOf(agent, task, { resource: mcp });
  const { read } = office.server.app.database;
  const one = read.one.bind(read);
  let isStopped = false;
  Object.assign(read, {
    one: async (...asked: Parameters<typeof one>) => {
      const row = await one(...asked);
      if (isStopped || (row as Partial<AgentRow> | undefined)?.name !== agent.name) return row;
      isStopped = true;
      await office.done(office.company.root, 'stopAgent', `id: "${agent.id}"`);
      return row;
    },
  });
  try {
    expect(await introspect(forMcp, token)).toEqual({ active: false });
  } finally {
    delete (read as Partial<typeof read>).one;
  }
  expect(isStopped).toBe(true);
});

describe('a person’s own program', () => {
  const flowWith = async (resources: readonly string[]): Promise<[CodeFlow, string]> => {
    const flow = await CodeFlow.start(
      { issuer: office.server.url },
      { scope: 'tickets:read customers:read' },
    );
    for (const resource of resources) flow.url.searchParams.append('resource', resource);
    const returned = await flow.signIn(await withPassword(office, rosa), password);
    return [flow, returned.url];
  };
  const tokens = (flow: CodeFlow, url: string, form: Record<string, string>) =>
    office.post('/oauth/token', {
      ...{ grant_type: 'authorization_code', code: new URL(url).searchParams.get('code') ?? '' },
      ...{ redirect_uri: 'http://127.0.0.1:45678/callback', code_verifier: flow.verifier },
      ...{ client_id: program.client_id, ...form },
    });
  const refresh = (token = '', form: Record<string, string> = {}) =>
    office.post('/oauth/token', {
      ...{ grant_type: 'refresh_token', refresh_token: token, client_id: program.client_id, ...form },
    });

  test('asks for several resources, and gets a token for one at a time', async () => {
    const [flow, url] = await flowWith([graphql(), mcp]);
    const first = await tokens(flow, url, { resource: mcp });
    expect((await introspect(forMcp, given(first))).aud).toBe(mcp);
    expect(await introspect(forMcp, given(first))).not.toHaveProperty('act');
    const second = await refresh(first.body.refresh_token);
    expect((await ask(given(second))).status).toBe(200);
    const third = await refresh(second.body.refresh_token, { resource: mcp });
    expect((await introspect(forMcp, given(third))).active).toBe(true);
    const wider = await refresh(third.body.refresh_token, { resource: wiki });
    expect(wider.body.error).toBe('invalid_target');
  });

  test('names one of several where none is this server', async () => {
    const [flow, url] = await flowWith([mcp, wiki]);
    expect((await tokens(flow, url, {})).body.error).toBe('invalid_target');
    const [again, other] = await flowWith([mcp]);
    expect((await introspect(forMcp, given(await tokens(again, other, {})))).active).toBe(true);
  });
});

describe('an agent that asks a person for one resource', () => {
  const redeem = async (resource: string, form: Record<string, string> = {}): Promise<TokenAnswer> => {
    const [flow, page] = await askedBy(office, asking, rosa, { resource });
    const returned = await flow.browser.submit(page, {});
    return office.post(
      '/oauth/token',
      {
        ...{ grant_type: 'authorization_code', code: new URL(returned.url).searchParams.get('code') ?? '' },
        ...{ redirect_uri: callback, code_verifier: flow.verifier, ...form },
      },
      asking,
    );
  };

  test('gets a delegation for it alone, whatever grant it uses then', async () => {
    const answer = await redeem(mcp);
    expect((await introspect(forMcp, given(answer))).active).toBe(true);
    const made = (await rowsOf()).find(({ agentId }) => agentId === asking.id);
    expect(made?.resources).toEqual([mcp]);
    const id = made?.id ?? '';
    expect((await introspect(forMcp, await office.tokenOf(asking, id))).active).toBe(true);
    expect((await office.requestToken(asking, id, { resource: graphql() })).body.error).toBe(
      'invalid_target',
    );
    const { refresh_token: refresh = '' } = answer.body;
    const form = { grant_type: 'refresh_token', refresh_token: refresh };
    const wider = await office.post('/oauth/token', { ...form, resource: graphql() }, asking);
    expect(wider.body.error).toBe('invalid_target');
    expect((await introspect(forMcp, given(await office.post('/oauth/token', form, asking)))).active).toBe(
      true,
    );
  });

  test('redeems its code for no other, and the code is still good', async () => {
    const [flow, page] = await askedBy(office, asking, rosa, { resource: mcp });
    const returned = await flow.browser.submit(page, {});
    const form = {
      ...{ grant_type: 'authorization_code', code: new URL(returned.url).searchParams.get('code') ?? '' },
      ...{ redirect_uri: callback, code_verifier: flow.verifier },
    };
    const wider = await office.post('/oauth/token', { ...form, resource: graphql() }, asking);
    expect(wider.body.error).toBe('invalid_target');
    expect((await office.post('/oauth/token', form, asking)).status).toBe(200);
  });
});

test('a token that another server took is exchanged for that server alone, and so is all that comes of it', async () => {
  const taken = await office.tokenOf(helper, delegationId, { resource: mcp });
  const before = await digestOf(office.server.database);
  const task = { task: 'ticket:T-1', purpose: 'Go on' };
  for (const form of [{ resource: graphql() }, { audience: graphql() }, { resource: wiki }] as Record<
    string,
    string
  >[])
    expect((await office.exchange(next, taken, task, form)).body.error).toBe('invalid_target');
  expect(await digestOf(office.server.database)).toBe(before);
  const passed = await office.exchange(next, taken, task);
  expect((await introspect(forMcp, given(passed))).act).toMatchObject({
    ...{ client_id: 'next', act: { client_id: 'helper' } },
  });
  const made = (await rowsOf()).find(({ agentId }) => agentId === next.id);
  expect(made?.resources).toEqual([mcp]);
  const wider = await office.requestToken(next, made?.id ?? '', { resource: graphql() });
  expect(wider.body.error).toBe('invalid_target');
});

describe('is refused, changes nothing and is recorded:', () => {
  test.each<[string, readonly string[], string]>([
    ['an unknown resource', ['https://evil.example/'], 'invalid_target'],
    ['a resource with another ending', [`${mcp}/`], 'invalid_target'],
    ['a resource in capitals', [mcp.toUpperCase()], 'invalid_target'],
    ['a resource with a query', [`${mcp}?a=b`], 'invalid_target'],
    ['a resource with a fragment', [`${mcp}#a`], 'invalid_target'],
    ['a resource with a user', ['https://a@mcp.example/mcp'], 'invalid_target'],
    ['a path of this server that is none', ['/oauth/token'], 'invalid_target'],
    ['no address', ['mcp'], 'invalid_target'],
    ['a very long resource', [`${mcp}/${'x'.repeat(5_000)}`], 'invalid_target'],
    ['two resources', [mcp, wiki], 'invalid_target'],
    ['the same resource twice', [mcp, mcp], 'invalid_target'],
    ['a resource without any scope of the task', [wiki], 'invalid_scope'],
  ])('%s', async (_what, resources, error) => {
    const before = await digestOf(office.server.database);
    const known = (await recordsOf(office.server.database, 'token')).length;
    const details = JSON.stringify([{ type: 'behalf_delegation', delegation: delegationId }]);
    const form = new URLSearchParams({ grant_type: 'client_credentials', authorization_details: details });
    for (const resource of resources) form.append('resource', resource);
    const basic = Buffer.from(`${helper.name}:${helper.secret}`).toString('base64');
    const headers = { authorization: `Basic ${basic}` };
    const response = await fetch(`${office.server.url}/oauth/token`, { method: 'POST', headers, body: form });
    expect([response.status, ((await response.json()) as TokenAnswer['body']).error]).toEqual([400, error]);
    expect(await digestOf(office.server.database)).toBe(before);
    const records = (await recordsOf(office.server.database, 'token')).slice(known);
    expect(records).toMatchObject([{ outcome: 'refused', detail: { errorCode: error } }]);
  });
});

// databases: sqlite, mariadb
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { all, eq } from '../../../src/store/sql/condition.js';
import { clients, type ClientRow } from '../../../src/store/tables/clients.js';
import { agents, delegations, roles } from '../../../src/store/tables/identity.js';
import { withPassword } from '../../support/account.js';
import { at, codes, key, nodesAt, type Employee } from '../../support/administration.js';
import { digestOf } from '../../support/faults.js';
import { given, Office, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordOf } from '../../support/records.js';
import type { Answer } from '../../support/server.js';
import { CodeFlow, type Shown } from './browser.js';

const callback = 'https://desk.example/callback';
const shown = `client { id clientId name registration status ownTool authMethod redirectUris scopes resources version
  agent { name authMethod status owner { name } roles { nodes { name } } } }`;
const createDocument = `mutation ($input: CreateClientInput!, $key: String!) {
  createClient(input: $input, idempotencyKey: $key) { ${shown} } }`;
const updateDocument = `mutation ($id: ID!, $input: UpdateClientInput!, $version: Int!, $key: String!) {
  updateClient(id: $id, input: $input, expectedVersion: $version, idempotencyKey: $key) { ${shown} } }`;

let office: Office;
let root: Employee;
let ines: Employee;
let signing: CryptoKey;
let publicKeys = '';
let made = 0;

beforeAll(async () => {
  office = await Office.start();
  ({ root } = office.company);
  const pair = await generateKeyPair('ES256', { extractable: true });
  signing = pair.privateKey;
  publicKeys = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }] });
});
afterAll(() => office.server.stop());
beforeEach(async () => {
  made += 1;
  ines = await office.company.employee(`ines-${String(made)}`, 'support-rep');
});

interface Made {
  readonly id: string;
  readonly clientId: string;
  readonly version: number;
}

const agentOf = async (name: string, ...roleNames: string[]): Promise<object> => ({
  ...{ name, businessTask: 'Answer tickets', ownerId: root.id },
  roleIds: await Promise.all(roleNames.map(async (role) => (await office.company.role(role)).id)),
});

const create = (input: object, who = root, idempotencyKey = key()): Promise<Answer> =>
  office.company.ask(who, createDocument, {
    input: { redirectUris: [callback], name: 'Desk', ...input },
    key: idempotencyKey,
  });

/** A client that acts as an agent of the same name. */
async function acting(input: object = {}): Promise<Made> {
  const clientId = `desk-${String((made += 1))}`;
  const answer = await create({ clientId, agent: await agentOf(clientId, 'support-agent'), ...input });
  expect(answer.errors).toEqual([]);
  return at(answer, 'createClient.client') as Made;
}
async function tool(input: object = {}): Promise<Made> {
  const answer = await create({ clientId: `tool-${String((made += 1))}`, ownTool: true, ...input });
  expect(answer.errors).toEqual([]);
  return at(answer, 'createClient.client') as Made;
}
const update = ({ id, version }: Made, input: object, who = root): Promise<Answer> =>
  office.company.ask(who, updateDocument, { id, input, version, key: key() });
const set = (name: 'stopClient' | 'startClient', { id }: Pick<Made, 'id'>, who = root): Promise<Answer> =>
  office.change(who, name, `id: "${id}",`, shown);

const details = JSON.stringify([
  { type: 'behalf_delegation', purpose: 'Answer the letter', task: 'ticket:T-1' },
]);
const flowOf = (
  { clientId }: Pick<Made, 'clientId'>,
  parameters: Record<string, string> = {},
): Promise<CodeFlow> =>
  CodeFlow.start(
    { issuer: office.server.url },
    { client_id: clientId, redirect_uri: callback, authorization_details: details, ...parameters },
  );
async function allowed(flow: CodeFlow): Promise<Shown> {
  const page = await flow.signIn(await withPassword(office, ines), password);
  return page.html.includes('<form') ? flow.browser.submit(page, {}) : page;
}
const paramOf = ({ url }: Shown, name: string): string => new URL(url).searchParams.get(name) ?? '';
const redeem = (
  { clientId }: Pick<Made, 'clientId'>,
  flow: CodeFlow,
  returned: Shown,
  form: Record<string, string> = {},
): Promise<TokenAnswer> =>
  office.post('/oauth/token', {
    ...{ grant_type: 'authorization_code', client_id: clientId, code: paramOf(returned, 'code') },
    ...{ redirect_uri: callback, code_verifier: flow.verifier, ...form },
  });
async function tokensOf(client: Made, parameters: Record<string, string> = {}): Promise<TokenAnswer> {
  const flow = await flowOf(client, parameters);
  return redeem(client, flow, await allowed(flow));
}
const read = (token: string, query = '{ viewer { scopes } }'): Promise<Answer> =>
  office.company.ask({ token }, query);

/** Expects this code, a record of the refusal, and no change. */
async function refused(run: () => Promise<Answer>, code: string, path?: string): Promise<void> {
  const { database } = office.server;
  const rows = (): Promise<ClientRow[]> => database.read.select(clients, all());
  const before = [await digestOf(database), await rows()];
  const answer = await run();
  expect(codes(answer)).toEqual([code]);
  if (path !== undefined) expect(answer.errors[0]?.extensions.path).toBe(path);
  expect((await recordOf(database, answer)).outcome).not.toBe('succeeded');
  expect([await digestOf(database), await rows()]).toEqual(before);
}

describe('a client that acts as an agent', () => {
  test('is made once, with an agent that has no credentials of its own', async () => {
    const input = {
      clientId: 'once',
      agent: await agentOf('once', 'support-agent'),
      scopes: ['tickets:read'],
    };
    const again = key();
    const answer = await create(input, root, again);
    expect(at(answer, 'createClient.client')).toMatchObject({
      ...{ clientId: 'once', name: 'Desk', registration: 'ADMINISTRATOR', status: 'ACTIVE', ownTool: false },
      ...{
        authMethod: 'NONE',
        redirectUris: [callback],
        scopes: ['tickets:read'],
        resources: null,
        version: 1,
      },
      agent: {
        ...{ name: 'once', authMethod: 'NONE', status: 'ACTIVE', owner: { name: 'root' } },
        roles: { nodes: [{ name: 'support-agent' }] },
      },
    });
    expect(await create(input, root, again)).toMatchObject({ data: answer.data });
    expect(await recordOf(office.server.database, answer)).toMatchObject({
      outcome: 'succeeded',
      resources: expect.arrayContaining([
        expect.objectContaining({ type: 'Client', action: 'create' }),
      ]) as unknown,
    });
  });

  test('gets a token as that agent, for the task that the person allowed, and no person’s token', async () => {
    const client = await acting();
    const answer = await tokensOf(client, { scope: 'tickets:read customers:read' });
    const token = given(answer);
    expect(answer.body.refresh_token).toBeDefined();
    const [row] = await office.server.database.read.select(delegations, eq('userId', ines.id));
    const agent = await office.server.database.read.one(agents, eq('name', client.clientId));
    expect(row).toMatchObject({ agentId: agent?.id, scopes: ['customers:read', 'tickets:read'] });
    expect((await read(token, '{ tickets(first: 1) { totalCount } }')).errors).toEqual([]);
    expect(codes(await read(token, '{ refunds(first: 1) { totalCount } }'))).not.toEqual([]);
  });

  test('cannot use grants that rest on who it is, since it is public', async () => {
    const client = await acting();
    const forms: readonly Record<string, string>[] = [
      {
        grant_type: 'client_credentials',
        authorization_details: '[{"type":"behalf_delegation","delegation":"x"}]',
      },
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'x',
        subject_token_type: 'x',
      },
    ];
    for (const form of forms) {
      const answer = await office.post('/oauth/token', { client_id: client.clientId, ...form });
      expect(answer.status).toBe(400);
      expect(answer.body.error_description).toContain('not allowed for this client');
    }
  });

  test('with a key proves it, and without proof gets nothing', async () => {
    const client = await acting({ publicKeys });
    const flow = await flowOf(client);
    const returned = await allowed(flow);
    expect((await redeem(client, flow, returned)).body.error).toBe('invalid_client');
    const now = Math.floor(office.server.clock.now() / 1000);
    const assertion = await new SignJWT({ jti: key() })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(client.clientId)
      .setSubject(client.clientId)
      .setAudience(office.server.url)
      .setIssuedAt(now)
      .setExpirationTime(now + 60)
      .sign(signing);
    const proof = {
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    expect((await redeem(client, flow, returned, proof)).status).toBe(200);
  });

  test('on the person’s machine may use any port, and no other address', async () => {
    const client = await acting({ redirectUris: ['http://127.0.0.1/back', 'http://localhost/back'] });
    for (const uri of ['http://127.0.0.1:51234/back', 'http://localhost:51234/back']) {
      const flow = await flowOf(client, { redirect_uri: uri });
      expect((await allowed(flow)).url).toContain(uri);
    }
    for (const uri of [
      'http://127.0.0.1:51234/other',
      'http://127.0.0.2/back',
      'https://127.0.0.1/back',
      callback,
    ]) {
      const flow = await flowOf(client, { redirect_uri: uri });
      const page = await flow.browser.open(flow.url.href);
      expect([page.status, page.url]).toEqual([400, flow.url.href]);
    }
  });
});

test('a program gets its answer by a scheme that is a domain in reverse, exactly as registered', async () => {
  const own = 'com.example.desk:/callback';
  const client = await acting({ redirectUris: [own, 'http://[::1]/back', callback] });
  for (const uri of [own, 'http://[::1]:51234/back', callback]) {
    const flow = await flowOf(client, { redirect_uri: uri });
    const returned = await allowed(flow);
    expect(returned.url.startsWith(`${uri}?code=`)).toBe(true);
    expect((await redeem(client, flow, returned, { redirect_uri: uri })).status).toBe(200);
  }
  for (const uri of [
    'com.example.desk:/callback/',
    'com.example.desk:/other',
    'com.example.other:/callback',
  ]) {
    const flow = await flowOf(client, { redirect_uri: uri });
    expect((await flow.browser.open(flow.url.href)).status).toBe(400);
  }
});

test('an agent and a client of one name are never both there, however close they come', async () => {
  const names = Array.from({ length: 12 }, () => `both-${key()}`);
  const agentDocument = `mutation ($input: CreateAgentInput!, $key: String!) {
    createAgent(input: $input, idempotencyKey: $key) { agent { name } } }`;
  const pairs = await Promise.all(
    names.map(async (name) => {
      const agent = { name, displayName: name, businessTask: 'A test', ownerId: root.id };
      return Promise.all([
        office.company.ask(root, agentDocument, { input: agent, key: key() }),
        create({ clientId: name, agent: await agentOf(`${name}-agent`) }),
      ]);
    }),
  );
  for (const answers of pairs) expect(answers.flatMap(codes)).toEqual(['CONFLICT']);
  for (const name of names) {
    const { read } = office.server.database;
    const there = [
      await read.count(agents, eq('name', name)),
      await read.count(clients, eq('clientId', name)),
    ];
    expect(there.sort()).toEqual([0, 1]);
  }
});

describe('a ceiling of scopes', () => {
  test('narrows what is offered and what a token has, and refuses what is beyond', async () => {
    const client = await acting({ scopes: ['tickets:read'] });
    expect((await tokensOf(client)).body.scope).toBe('tickets:read');
    const [row] = await office.server.database.read.select(delegations, eq('userId', ines.id));
    expect(row?.scopes).toEqual(['tickets:read']);
    const flow = await flowOf(client, { scope: 'tickets:read customers:read' });
    const returned = await flow.browser.open(flow.url.href);
    expect(paramOf(returned, 'error')).toBe('invalid_scope');
  });

  test('that gets narrower ends the tokens from before with the next operation', async () => {
    const client = await acting();
    const token = given(await tokensOf(client));
    expect((await read(token)).errors).toEqual([]);
    expect((await update(client, { scopes: ['tickets:read'] })).errors).toEqual([]);
    expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
  });

  test('of resources refuses a token for any other', async () => {
    const elsewhere =
      'name: "elsewhere", identifier: "https://elsewhere.example/mcp", scopes: ["tickets:read"]';
    await office.done(root, 'addResourceServer', `input: { ${elsewhere} },`);
    const client = await acting({ resources: ['https://elsewhere.example/mcp'] });
    const flow = await flowOf(client);
    expect(paramOf(await flow.browser.open(flow.url.href), 'error')).toBe('invalid_target');
  });
});

describe('a person’s own tool', () => {
  test('signs the person in, with the scopes of its ceiling, and renews', async () => {
    const client = await tool({ scopes: ['tickets:read', 'session:read'] });
    const answer = await tokensOf(client, { authorization_details: '' });
    const token = given(answer);
    expect(new Set(answer.body.scope?.split(' '))).toEqual(new Set(['tickets:read', 'session:read']));
    expect((await read(token, '{ tickets(first: 1) { totalCount } }')).errors).toEqual([]);
    expect(codes(await read(token, '{ customers(first: 1) { totalCount } }'))).toEqual(['BAD_USER_INPUT']);
    expect(await office.server.database.read.select(delegations, eq('userId', ines.id))).toEqual([]);
    const renewed = await office.post('/oauth/token', {
      ...{ grant_type: 'refresh_token', refresh_token: answer.body.refresh_token ?? '' },
      client_id: client.clientId,
    });
    expect(renewed.status).toBe(200);
  });

  test('that is narrowed or stopped ends the sign-ins with it', async () => {
    for (const end of [
      (client: Made) => update(client, { scopes: ['session:read'] }),
      (client: Made) => set('stopClient', client),
    ]) {
      const client = await tool({ scopes: ['tickets:read', 'session:read'] });
      const answer = await tokensOf(client, { authorization_details: '' });
      expect((await read(given(answer), '{ tickets(first: 1) { totalCount } }')).errors).toEqual([]);
      expect((await end(client)).errors).toEqual([]);
      expect(codes(await read(given(answer), '{ tickets(first: 1) { totalCount } }'))).toEqual([
        'UNAUTHENTICATED',
      ]);
      const form = { grant_type: 'refresh_token', refresh_token: answer.body.refresh_token ?? '' };
      const renewed = await office.post('/oauth/token', { ...form, client_id: client.clientId });
      expect(renewed.status).toBeGreaterThanOrEqual(400);
    }
  });

  test('is made by those alone who may grant every role that it could use', async () => {
    const minna = await office.company.employee(`minna-${String(made)}`, 'administrator');
    const input = { clientId: `minnas-${String(made)}`, ownTool: true };
    await refused(() => create(input, minna), 'FORBIDDEN');
    await refused(() => create({ ...input, scopes: ['tickets:read'] }, minna), 'FORBIDDEN');
    const client = await tool({ scopes: ['tickets:read'] });
    await refused(() => update(client, { scopes: null }, minna), 'FORBIDDEN');
    await refused(() => update(client, { redirectUris: ['https://minna.example/'] }, minna), 'FORBIDDEN');
    await set('stopClient', client);
    await refused(() => set('startClient', client, minna), 'FORBIDDEN');
  });
});

describe('an administrator', () => {
  test('stops and starts a client; its tokens stay ended', async () => {
    const client = await acting();
    const token = given(await tokensOf(client));
    expect(at(await set('stopClient', client), 'stopClient.client')).toMatchObject({
      ...{ status: 'STOPPED', agent: { status: 'STOPPED' } },
    });
    expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
    const flow = await flowOf(client);
    expect((await flow.browser.open(flow.url.href)).status).toBe(400);
    expect(at(await set('startClient', client), 'startClient.client')).toMatchObject({
      ...{ status: 'ACTIVE', agent: { status: 'ACTIVE' } },
    });
    expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
    expect((await tokensOf(client)).status).toBe(200);
  });

  test('finds clients by how they stand', async () => {
    const client = await acting();
    const page = await office.company.ask(
      root,
      '{ clients(filter: { status: ACTIVE }) { nodes { clientId } } }',
    );
    expect(nodesAt(page, 'clients')[0]).toEqual({ clientId: client.clientId });
    const one = `{ client(id: "${client.id}") { clientId publicKeys } }`;
    expect(at(await office.company.ask(root, one), 'client')).toEqual({
      clientId: client.clientId,
      publicKeys: null,
    });
    const none = '{ clients(filter: { status: QUARANTINED }) { totalCount } }';
    expect(at(await office.company.ask(root, none), 'clients.totalCount')).toBe(0);
  });

  test.each<[string, object, string, string?]>([
    ['a client id that is none', { clientId: 'Desk' }, 'BAD_USER_INPUT', 'clientId'],
    ['a client id of the server', { clientId: 'behalf-x' }, 'BAD_USER_INPUT', 'clientId'],
    ['no redirect URI', { redirectUris: [] }, 'BAD_USER_INPUT', 'redirectUris'],
    ['plain http', { redirectUris: ['http://desk.example/'] }, 'BAD_USER_INPUT', 'redirectUris'],
    ...(
      [
        ...['data:text/html,x.y', 'file:///x.y', 'desk://callback', 'com.example.desk:callback'],
        ...['http://127.0.0.2/', 'http://localhost.thief.example/', 'https://localhost/', 'http://[::2]/'],
        ...[
          'com.example.desk:/callback#x',
          'com.example.desk://root@callback/',
          'COM.example.desk:/callback',
        ],
      ] as const
    ).map((uri): [string, object, string, string] => [
      `the redirect URI ${uri}`,
      { redirectUris: [uri] },
      'BAD_USER_INPUT',
      'redirectUris',
    ]),
    ['a script as redirect URI', { redirectUris: ['javascript:alert(1)'] }, 'BAD_USER_INPUT', 'redirectUris'],
    ['a redirect URI with a fragment', { redirectUris: [`${callback}#x`] }, 'BAD_USER_INPUT', 'redirectUris'],
    ['a private key', { publicKeys: '{"keys":[{"kty":"EC","d":"x"}]}' }, 'BAD_USER_INPUT', 'publicKeys'],
    ['no scope at all', { scopes: [] }, 'BAD_USER_INPUT', 'scopes'],
    ['a scope that is none', { scopes: ['a b'] }, 'BAD_USER_INPUT', 'scopes'],
    ['a scope that there is not', { scopes: ['tickets:burn'] }, 'BAD_USER_INPUT', 'scopes'],
    ['a resource that there is not', { resources: ['https://no.example/'] }, 'BAD_USER_INPUT', 'resources'],
    ['a resource that is no URL', { resources: ['graphql'] }, 'BAD_USER_INPUT', 'resources'],
    ['both kinds', { ownTool: true }, 'BAD_USER_INPUT', 'agent'],
    ['neither kind', { agent: null }, 'BAD_USER_INPUT', 'agent'],
    ['the name of an agent', { clientId: 'taken' }, 'CONFLICT'],
  ])('does not create one with %s', async (_what, changes, code, path) => {
    if (code === 'CONFLICT') await office.company.agent('taken', root);
    const input = {
      clientId: `bad-${String(made)}`,
      agent: await agentOf(`bad-${String(made)}`),
      ...changes,
    };
    await refused(() => create(input), code, path);
  });

  test('gives the agent of a client no credentials and redirect URIs of its own', async () => {
    const client = await acting();
    const agent = await office.server.database.read.one(agents, eq('name', client.clientId));
    const one = `id: "${agent?.id ?? ''}"`;
    const change = `input: { redirectUris: ["${callback}"] }, expectedVersion: ${String(agent?.version)}`;
    for (const [name, args] of [
      ['updateAgent', `${one}, ${change}`],
      ['rotateAgentSecret', `${one}, overlapSeconds: 0`],
      ['setAgentKeys', `${one}, publicKeys: ${JSON.stringify(publicKeys)}`],
    ] as const)
      await refused(() => office.change(root, name, `${args},`, 'agent { name }'), 'CONFLICT');
  });

  test('moves the answers of a client only where they may grant the roles of its agent', async () => {
    const minna = await office.company.employee(`mover-${String(made)}`, 'administrator');
    const client = await acting();
    const elsewhere = { redirectUris: ['https://minna.example/'] };
    await refused(() => update(client, elsewhere, minna), 'FORBIDDEN');
    const narrow = await acting({ scopes: ['tickets:read'], resources: [`${office.server.url}/mcp`] });
    await refused(() => update(narrow, { scopes: null }, minna), 'FORBIDDEN');
    await refused(() => update(narrow, { scopes: ['tickets:read', 'customers:read'] }, minna), 'FORBIDDEN');
    await refused(() => update(narrow, { resources: null }, minna), 'FORBIDDEN');
    expect((await update(client, elsewhere)).errors).toEqual([]);
  });

  test('makes no agent by the right to manage clients alone', async () => {
    const role = `clerk-${String(made)}`;
    await office.company.do(async ({ tx, ids }) => {
      const administrator = await office.company.role('administrator');
      const scopes = ['clients:read', 'clients:manage', 'roles:read', 'users:read'];
      await tx.insert(roles, [{ ...administrator, id: ids.next(), name: role, scopes, shipped: false }]);
    });
    const clerk = await office.company.employee(role, role);
    const { id } = await office.company.role('support-agent');
    const withRoles = [`, roleIds: ["${id}"]`, ''];
    for (const more of withRoles) {
      const agent = `agent: { name: "${role}", businessTask: "t", ownerId: "${root.id}"${more} }`;
      const input = `input: { clientId: "${role}", name: "Desk", redirectUris: ["${callback}"], ${agent} },`;
      await refused(() => office.change(clerk, 'createClient', input, 'client { id }'), 'FORBIDDEN');
    }
  });

  test('gives its agent only roles that they may grant, and no reader changes anything', async () => {
    const minna = await office.company.employee(`admin-${String(made)}`, 'administrator');
    const olga = await office.company.employee(`olga-${String(made)}`, 'auditor');
    const input = async (): Promise<object> => ({
      clientId: `their-${String(made)}`,
      agent: await agentOf(`their-${String(made)}`, 'support-agent'),
    });
    const given = await input();
    await refused(() => create(given, minna), 'FORBIDDEN');
    const client = await acting();
    await refused(() => update({ ...client, version: 7 }, { name: 'Other' }), 'CONFLICT');
    for (const who of [olga, ines]) {
      const before = await digestOf(office.server.database);
      expect((await create(given, who)).errors).not.toEqual([]);
      expect((await set('stopClient', client, who)).errors).not.toEqual([]);
      expect(await digestOf(office.server.database)).toBe(before);
    }
    expect((await office.company.ask(olga, '{ clients { totalCount } }')).errors).toEqual([]);
  });
});

// databases: sqlite, mariadb
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isoTime } from '../../../src/core/clock.js';
import { all, eq, isIn } from '../../../src/store/sql/condition.js';
import { auditRecords } from '../../../src/store/tables/audit.js';
import { clientRequests, clients, type ClientRow } from '../../../src/store/tables/clients.js';
import { agents, grantableRoles, roles } from '../../../src/store/tables/identity.js';
import { browserOf, withPassword } from '../../support/account.js';
import { at, codes, key, type Employee } from '../../support/administration.js';
import { ClientHost } from '../../support/client-host.js';
import { digestOf } from '../../support/faults.js';
import { given, Office, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordOf, recordsOf } from '../../support/records.js';
import { naming, statementsOf } from '../../support/statements.js';
import type { Answer } from '../../support/server.js';
import { Browser, CodeFlow, type Shown } from './browser.js';

const back = 'https://foreign.example/back';
const admitDocument = `mutation ($id: ID!, $input: AdmitClientInput!, $version: Int!, $key: String!) {
  admitClient(id: $id, input: $input, expectedVersion: $version, idempotencyKey: $key) {
    client { status name redirectUris scopes agent { name roles { nodes { name } } } } } }`;

let office: Office;
let host: ClientHost;
/** Of the own network, for addresses that administrators enter alone. */
let inside: ClientHost;
let root: Employee;
let ines: Employee;
let made = 0;

beforeAll(async () => {
  [host, inside] = [await ClientHost.start(), await ClientHost.start()];
  office = await Office.start(
    {},
    {
      BEHALF_CLIENT_METADATA_DOCUMENTS: 'true',
      BEHALF_CLIENT_METADATA_HOSTS: host.host,
      BEHALF_PRIVATE_HOSTS: '127.0.0.1,localhost',
    },
  );
  ({ root } = office.company);
});
afterAll(async () => {
  host.stop();
  inside.stop();
  await office.server.stop();
});
beforeEach(async () => {
  made += 1;
  ines = await office.company.employee(`ines-${String(made)}`, 'support-rep');
});

const path = (): string => `/client-${String((made += 1))}.json`;
const details = JSON.stringify([
  { type: 'behalf_delegation', purpose: 'Answer the letter', task: 'ticket:T-1' },
]);
const flowOf = (clientId: string, parameters: Record<string, string> = {}): Promise<CodeFlow> =>
  CodeFlow.start(
    { issuer: office.server.url },
    { client_id: clientId, redirect_uri: back, authorization_details: details, ...parameters },
  );
/** The page that the person sees who tries to use the client. */
async function opened(clientId: string, parameters: Record<string, string> = {}): Promise<Shown> {
  const flow = await flowOf(clientId, parameters);
  return flow.browser.open(flow.url.href);
}
const rowOf = async (clientId: string): Promise<ClientRow | undefined> =>
  office.server.database.read.one(clients, eq<ClientRow>('clientId', clientId));

async function waiting(members: Record<string, unknown> = {}): Promise<ClientRow> {
  const clientId = host.publish(path(), members);
  expect((await opened(clientId)).status).toBe(403);
  const row = await rowOf(clientId);
  if (row === undefined) throw new Error('nobody waits');
  return row;
}

const admit = async (
  row: Pick<ClientRow, 'id' | 'version'>,
  input: object = {},
  who = root,
): Promise<Answer> => {
  const name = `foreign-${String((made += 1))}`;
  const roleIds = [(await office.company.role('support-agent')).id];
  const agent = { name, businessTask: 'Answer tickets', ownerId: root.id, roleIds };
  const variables = { id: row.id, version: row.version, input: { agent, ...input }, key: key() };
  return office.company.ask(who, admitDocument, variables);
};

async function tokensOf(clientId: string, authorizationDetails = details): Promise<TokenAnswer> {
  const flow = await flowOf(clientId, { authorization_details: authorizationDetails });
  const page = await flow.signIn(await withPassword(office, ines), password);
  const returned = page.html.includes('<form') ? await flow.browser.submit(page, {}) : page;
  return office.post('/oauth/token', {
    ...{ grant_type: 'authorization_code', client_id: clientId, redirect_uri: back },
    ...{ code: new URL(returned.url).searchParams.get('code') ?? '', code_verifier: flow.verifier },
  });
}

const recordsAbout = async (clientId: string): Promise<string[]> =>
  (await office.server.database.read.select(auditRecords, all()))
    .map(({ body }) => JSON.parse(body) as { kind: string; detail: { clientName?: string; detail?: string } })
    .filter(({ kind, detail }) => kind === 'client' && detail.clientName === clientId)
    .map(({ detail }) => detail.detail ?? '');

/** Makes the server read the document again. */
const outdate = (id: string): Promise<unknown> =>
  office.company.do(({ tx }) =>
    tx.update(clients, eq<ClientRow>('id', id), { checkedAt: '2020-01-01T00:00:00.000Z' }),
  );

/** Changes when a client is forgotten. */
const endWait = (id: string, atMs: number): Promise<unknown> =>
  office.company.do(({ tx }) => tx.update(clients, eq<ClientRow>('id', id), { expiresAt: isoTime(atMs) }));

/** Expects this code, a record of the refusal, and no change. */
async function refused(run: () => Promise<Answer>, code: string): Promise<void> {
  const { database } = office.server;
  const rows = (): Promise<ClientRow[]> => database.read.select(clients, all());
  const before = [await digestOf(database), await rows()];
  const answer = await run();
  expect(codes(answer)).toEqual([code]);
  expect((await recordOf(database, answer)).outcome).not.toBe('succeeded');
  expect([await digestOf(database), await rows()]).toEqual(before);
}

describe('a client whose id is the address of its document', () => {
  test('waits in quarantine, of which the person is told and which administrators find', async () => {
    const clientId = host.publish(path(), { client_name: 'Foreign <b>desk</b>', scope: 'users:manage' });
    const page = await opened(clientId);
    expect(page.status).toBe(403);
    expect(page.html).toContain('This application waits for an administrator');
    expect(page.html).toContain('Foreign &lt;b&gt;desk&lt;/b&gt;');
    expect(page.html).toContain(clientId);
    expect(page.html).toContain(`<strong>${host.host}</strong>`);
    expect(page.html).toContain('foreign.example');
    const asked = { grant_type: 'authorization_code', client_id: clientId, code: 'x', code_verifier: 'x' };
    const answer = await office.post('/oauth/token', { ...asked, redirect_uri: back });
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_client']);
    expect(answer.body.error_description).toContain('waits until an administrator admits it');

    const found = await office.company.ask(
      root,
      `{ clients(filter: { status: QUARANTINED, clientId: "${clientId}" }) { nodes {
        name registration ownTool scopes redirectUris agent { name } requestedAt expiresAt } } }`,
    );
    expect(at(found, 'clients.nodes')).toEqual([
      {
        ...{
          name: 'Foreign <b>desk</b>',
          registration: 'DOCUMENT',
          ownTool: false,
          scopes: null,
          agent: null,
        },
        ...{
          redirectUris: [back],
          requestedAt: null,
          expiresAt: expect.any(String) as string,
        },
      },
    ]);
    expect(await recordsAbout(clientId)).toEqual([`client ${clientId}: waits for admission`]);
    expect(host.asked.filter((asked) => clientId.endsWith(asked))).toHaveLength(1);
  });

  test('changes nothing by coming again: its wait ends when it would have ended', async () => {
    const row = await waiting();
    await endWait(row.id, office.server.clock.now() + 60_000);
    const before = [await rowOf(row.clientId), await digestOf(office.server.database)];
    for (let tries = 0; tries < 3; tries += 1) expect((await opened(row.clientId)).status).toBe(403);
    expect([await rowOf(row.clientId), await digestOf(office.server.database)]).toEqual(before);
    await endWait(row.id, office.server.clock.now());
    await office.server.app.oauth.purgeExpired();
    expect(await rowOf(row.clientId)).toBeUndefined();
    expect(await recordsAbout(row.clientId)).toContain(
      `client ${row.clientId}: forgotten, since nobody admitted it in time`,
    );
  });

  test('may answer to a program by a scheme that is a domain in reverse, and to no other program', async () => {
    const own = 'com.example.app:/back';
    const row = await waiting({
      redirect_uris: [
        ...['javascript:alert(1)', 'data:text/html,x', 'vbscript:x.y', 'file:///etc/x.y', 'blob:x.y'],
        ...['vscode://x.y/back', 'http://thief.example/', 'http://127.0.0.1.thief.example/'],
        ...['https://localhost/', 'com.example.app:back', 'com.example.app:/back#x', 'Com.Example.app:/back'],
        ...[own, 'http://localhost/back'],
      ],
    });
    expect(row.redirectUris).toEqual([own, 'http://localhost/back']);
    await admit(row);
    for (const uri of [own, 'http://localhost:51234/back']) {
      const flow = await flowOf(row.clientId, { redirect_uri: uri });
      const page = await flow.signIn(await withPassword(office, ines), password);
      expect(page.html).toContain(`<strong>${host.host}</strong>`);
      const allowing = page.headers.get('content-security-policy') ?? '';
      expect(allowing).toContain(uri === own ? "form-action 'self' com.example.app:;" : 'localhost:51234');
      expect(page.html).toContain('any program there could pass itself off as this one');
      const returned = await flow.browser.submit(page, {});
      expect(returned.url.startsWith(`${uri}?code=`)).toBe(true);
    }
    const other = await opened(row.clientId, { redirect_uri: 'com.example.app:/other' });
    expect([other.status, other.url.startsWith(office.server.url)]).toEqual([400, true]);
    const elsewhere = await waiting();
    await admit(elsewhere);
    const page = await (await flowOf(elsewhere.clientId)).signIn(await withPassword(office, ines), password);
    expect(page.html).toContain(`<strong>https://foreign.example</strong>`);
    expect(page.html).not.toContain('pass itself off');
  });

  test('with a long id is told apart from others that begin like it', async () => {
    const long = `/${'x'.repeat(120)}`;
    const tools = [];
    for (const end of ['a', 'b']) {
      const clientId = host.publish(`${long}/${end}.json`);
      expect((await opened(clientId)).status).toBe(403);
      const row = await rowOf(clientId);
      if (row === undefined) throw new Error('nobody waits');
      const ownTool = { agent: null, ownTool: true, scopes: ['session:read'] };
      expect((await admit(row, ownTool)).errors).toEqual([]);
      tools.push({ id: row.id, token: given(await tokensOf(clientId, '')) });
    }
    const [stopped, other] = tools;
    await office.change(root, 'stopClient', `id: "${stopped?.id ?? ''}",`);
    const viewer = '{ viewer { scopes } }';
    const ended = await office.company.ask({ token: stopped?.token ?? '' }, viewer);
    expect(codes(ended)).toEqual(['UNAUTHENTICATED']);
    expect((await office.company.ask({ token: other?.token ?? '' }, viewer)).errors).toEqual([]);
    const { home } = await browserOf(office, ines);
    expect(home.html.split(`<strong>${host.host}</strong>`)).toHaveLength(2);
  });

  test('is admitted with an agent and a role, and then asks people for tasks as that agent', async () => {
    const row = await waiting();
    const answer = await admit(row, { scopes: ['tickets:read'] });
    expect(at(answer, 'admitClient.client')).toMatchObject({
      ...{ status: 'ACTIVE', name: 'Foreign desk', redirectUris: [back], scopes: ['tickets:read'] },
      agent: { roles: { nodes: [{ name: 'support-agent' }] } },
    });
    const token = given(await tokensOf(row.clientId));
    expect((await office.company.ask({ token }, '{ tickets(first: 1) { totalCount } }')).errors).toEqual([]);
    await refused(() => admit(row), 'CONFLICT');
    expect((await opened(row.clientId)).html).toContain(`<strong>${host.host}</strong>`);
    const asked = { client_id: row.clientId, authorization_details: details };
    const { body } = await office.post('/oauth/device_authorization', asked);
    const link = (body as { verification_uri_complete?: string }).verification_uri_complete ?? '';
    expect((await new Browser(office.server.url).open(link)).html).toContain(`<strong>${host.host}</strong>`);
  });

  test('is admitted by those alone who may grant the role, as they saw it', async () => {
    const row = await waiting();
    const minna = await office.company.employee(`minna-${String(made)}`, 'administrator');
    await refused(() => admit(row, {}, minna), 'FORBIDDEN');
    await refused(() => admit(row, { agent: null, ownTool: true }, minna), 'FORBIDDEN');
    host.publish(new URL(row.clientId).pathname, { redirect_uris: ['https://thief.example/'] });
    await outdate(row.id);
    await opened(row.clientId);
    expect((await rowOf(row.clientId))?.redirectUris).toEqual(['https://thief.example/']);
    await refused(() => admit(row), 'CONFLICT');
  });

  test('stays out once it is stopped, however often it comes', async () => {
    const row = await waiting();
    expect((await office.change(root, 'stopClient', `id: "${row.id}",`)).errors).toEqual([]);
    const page = await opened(row.clientId);
    expect([page.status, page.html.includes('waits for an administrator')]).toEqual([400, false]);
    await refused(async () => admit({ ...row, version: row.version + 1 }), 'CONFLICT');
  });

  test('that changes its document later gets nothing by it, until an administrator accepts it', async () => {
    const row = await waiting();
    await admit(row);
    const thief = 'https://thief.example/back';
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwks = { keys: [await exportJWK(pair.publicKey)] };
    host.publish(new URL(row.clientId).pathname, {
      ...{ client_name: 'Behalf administration', redirect_uris: [thief], jwks },
      token_endpoint_auth_method: 'private_key_jwt',
    });
    await outdate(row.id);
    const page = await opened(row.clientId, { redirect_uri: thief });
    expect([page.status, page.url.startsWith(thief)]).toEqual([400, false]);
    expect((await tokensOf(row.clientId)).status).toBe(200);
    expect(await rowOf(row.clientId)).toMatchObject({
      ...{ name: 'Foreign desk', redirectUris: [back], authMethod: 'none', jwks: null, status: 'active' },
      changedTo: { name: 'Behalf administration', redirectUris: [thief], authMethod: 'private_key_jwt' },
    });
    expect(await recordsAbout(row.clientId)).toContain(
      `client ${row.clientId}: its document is not what was admitted`,
    );

    const now = await rowOf(row.clientId);
    const args = (version: number): string => `id: "${row.id}", expectedVersion: ${String(version)},`;
    await refused(() => office.change(root, 'acceptClientDocument', args(1)), 'CONFLICT');
    const minna = await office.company.employee(`minna-${String(made)}`, 'administrator');
    await refused(() => office.change(minna, 'acceptClientDocument', args(now?.version ?? 0)), 'FORBIDDEN');
    const accepted = await office.change(root, 'acceptClientDocument', args(now?.version ?? 0));
    expect(accepted.errors).toEqual([]);
    expect(await rowOf(row.clientId)).toMatchObject({
      ...{
        name: 'Behalf administration',
        redirectUris: [thief],
        authMethod: 'private_key_jwt',
        changedTo: null,
      },
    });
  });

  test('whose document asks for no bound tokens keeps the binding that an administrator set', async () => {
    const row = await waiting();
    await admit(row);
    await office.company.do(({ tx }) => tx.update(clients, eq('id', row.id), { tokenBinding: 'dpop' }));
    await outdate(row.id);
    const unbound = await tokensOf(row.clientId);
    expect([unbound.status, unbound.body.error]).toEqual([400, 'invalid_grant']);
    expect(await rowOf(row.clientId)).toMatchObject({ changedTo: null, tokenBinding: 'dpop' });
  });

  test('whose document is gone, or broken, stays what was admitted', async () => {
    const row = await waiting();
    await admit(row);
    host.answer(new URL(row.clientId).pathname, (_request, response) => response.end('{'));
    await outdate(row.id);
    expect((await tokensOf(row.clientId)).status).toBe(200);
    expect(await rowOf(row.clientId)).toMatchObject({ changedTo: null, redirectUris: [back] });
  });
});

describe('a person', () => {
  const asking = `mutation ($id: ID!, $key: String!) {
    requestClient(id: $id, idempotencyKey: $key) { clientRequest { clientId name status } } }`;
  const ask = (id: string, who: { token: string } = ines): Promise<Answer> =>
    office.company.ask(who, asking, { id, key: key() });
  const requests = async (who: Employee, filter = ''): Promise<unknown> =>
    at(
      await office.company.ask(
        who,
        `{ clientRequests${filter} { nodes { name clientId status person { name } } } }`,
      ),
      'clientRequests.nodes',
    );

  test('asks the administrators on a page of the account, and reads there what became of it', async () => {
    const row = await waiting({ client_name: 'Foreign <i>desk</i>' });
    await endWait(row.id, office.server.clock.now() + 60_000);
    const page = await opened(row.clientId);
    const link = /href="(\/account\/applications\/[^"]+)"/.exec(page.html)?.[1] ?? '';
    const browser = new Browser(office.server.url);
    const signedOut = await browser.open(`${office.server.url}${link}`);
    expect([signedOut.status, signedOut.html]).toEqual([
      401,
      expect.stringContaining(`/account/sign-in?return=${encodeURIComponent(link)}`),
    ]);
    const form = await browser.open(`${office.server.url}/account/sign-in?return=${link}`);
    const asked = await browser.submit(form, { username: await withPassword(office, ines), password });
    for (const text of ['Ask for this application?', 'Foreign &lt;i&gt;desk&lt;/i&gt;', row.clientId])
      expect(asked.html).toContain(text);
    expect(await requests(ines)).toEqual([]);
    const home = await browser.submitTo(asked, link);
    expect(home.html).toContain('Applications that you asked for');
    expect(home.html).toContain('Waits for an administrator');
    const renewed = await rowOf(row.clientId);
    expect(renewed?.version).toBe(row.version);
    expect(Date.parse(renewed?.expiresAt ?? '')).toBeGreaterThanOrEqual(Date.parse(row.expiresAt ?? ''));

    const mine = {
      name: 'Foreign <i>desk</i>',
      clientId: row.clientId,
      person: { name: `ines-${String(made)}` },
    };
    expect(await requests(root, `(filter: { clientId: "${row.clientId}" })`)).toMatchObject([
      { ...mine, person: { name: expect.stringMatching(/^ines-/) as string }, status: 'WAITING' },
    ]);
    const other = await office.company.employee(`other-${key()}`, 'support-rep');
    expect(await requests(other)).toEqual([]);
    expect((await admit(renewed ?? row)).errors).toEqual([]);
    expect((await browser.open(`${office.server.url}/account`)).html).toContain(
      'Start again in the application',
    );
    await office.change(root, 'stopClient', `id: "${row.id}",`);
    expect((await browser.open(`${office.server.url}/account`)).html).toContain('keeps it out');
  });

  test('reads that nobody decided in time, for a month', async () => {
    const row = await waiting();
    expect((await ask(row.id)).errors).toEqual([]);
    await endWait(row.id, 0);
    await office.server.app.oauth.purgeExpired();
    expect(await requests(ines)).toMatchObject([{ clientId: row.clientId, status: 'FORGOTTEN' }]);
    await office.company.do(({ tx }) =>
      tx.update(clientRequests, eq('clientId', row.clientId), { createdAt: '2020-01-01T00:00:00.000Z' }),
    );
    await office.server.app.oauth.purgeExpired();
    expect(await requests(ines)).toEqual([]);
  });

  test('reads what became of several in one statement, and the record names these clients', async () => {
    const rows = [await waiting(), await waiting(), await waiting()];
    for (const { id } of rows) expect((await ask(id)).errors).toEqual([]);
    await office.company.do(({ tx }) => tx.delete(clients, eq('id', rows[0]?.id ?? '')));
    let answer: Answer | undefined;
    const statements = await statementsOf(async () => {
      answer = await office.company.ask(ines, '{ clientRequests { nodes { status } } }');
    });
    const statuses = at(answer as Answer, 'clientRequests.nodes') as { status: string }[];
    expect(statuses.map(({ status }) => status).sort()).toEqual(['FORGOTTEN', 'WAITING', 'WAITING']);
    expect(naming(statements, 'clients')).toHaveLength(1);
    const { resources } = await recordOf(office.server.database, answer as Answer);
    const [read] = resources.filter(({ type }) => type === 'Client');
    expect(read).toMatchObject({ action: 'read', count: 2, looks: 1 });
    expect([...(read?.ids ?? [])].sort()).toEqual([rows[1]?.id, rows[2]?.id].sort());

    const one = await office.company.ask(ines, `{ waitingClient(id: "${rows[1]?.id ?? ''}") { name } }`);
    expect((await recordOf(office.server.database, one)).resources).toMatchObject([
      { type: 'Client', action: 'read', ids: [rows[1]?.id] },
    ]);
  });

  test('asks for 50 at most, of which many may come at the same moment', async () => {
    const { ids, clock, database } = office.server;
    const before = Array.from({ length: 49 }, (_, count) => ({
      ...{ id: ids.next(), userId: ines.id, clientId: `asked-${String(count)}`, name: 'Asked', version: 1 },
      createdAt: isoTime(clock.now()),
    }));
    const rows: ClientRow[] = [];
    for (let count = 0; count < 4; count += 1) rows.push(await waiting());
    await office.company.do(({ tx }) => tx.insert(clientRequests, before));
    const answers = await Promise.all(rows.map(({ id }) => ask(id)));
    expect(answers.flatMap(codes)).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT']);
    expect(await database.read.count(clientRequests, eq('userId', ines.id))).toBe(50);
  });

  test('asks for nothing that does not wait, and no agent asks', async () => {
    const row = await waiting();
    await refused(() => ask('nothing'), 'NOT_FOUND');
    const delegation = await office.delegate(ines, {
      agent: (await office.agent(`asker-${key()}`, ines, 'support-agent')).name,
      scopes: ['tickets:read'],
    });
    const token = await office.server.token(ines.id, delegation);
    const before = await digestOf(office.server.database);
    expect((await ask(row.id, { token })).errors).not.toEqual([]);
    expect(await digestOf(office.server.database)).toBe(before);
    expect((await ask(row.id)).errors).toEqual([]);
    await admit(row);
    await refused(() => ask(row.id), 'NOT_FOUND');
    expect((await office.company.ask(ines, `{ waitingClient(id: "${row.id}") { name } }`)).data).toEqual({
      waitingClient: null,
    });
  });
});

describe('a rule for a host', () => {
  const ruleFor = async (who: Employee, input: object = {}): Promise<Answer> =>
    office.company.ask(
      who,
      `mutation ($input: AddClientRuleInput!, $key: String!) {
        addClientRule(input: $input, idempotencyKey: $key) { clientRule { id host scopes role { name } owner { name } } } }`,
      {
        input: {
          ...{ host: host.host, scopes: ['tickets:read'], ownerId: root.id },
          ...{ roleId: (await office.company.role('support-agent')).id, ...input },
        },
        key: key(),
      },
    );

  test('admits clients with its role and no scopes beyond, while its administrator may grant the role', async () => {
    const olga = await office.company.employee(`olga-${String(made)}`, 'administrator');
    await refused(() => ruleFor(olga), 'FORBIDDEN');
    await refused(() => ruleFor(root, { host: 'https://a.example' }), 'BAD_USER_INPUT');
    await refused(() => ruleFor(root, { host: 'Upper.example' }), 'BAD_USER_INPUT');
    await refused(() => ruleFor(root, { scopes: ['users:manage'] }), 'BAD_USER_INPUT');
    const role = await office.company.role('support-agent');
    await office.company.do(({ tx }) => tx.insert(grantableRoles, [{ userId: olga.id, roleId: role.id }]));
    const rule = at(await ruleFor(olga), 'addClientRule.clientRule') as { id: string };
    expect(rule).toMatchObject({
      host: host.host,
      scopes: ['tickets:read'],
      role: { name: 'support-agent' },
    });

    const clientId = host.publish(path());
    const answer = await tokensOf(clientId);
    expect(answer.body.scope).toBe('tickets:read');
    const row = await rowOf(clientId);
    const agent = await office.server.database.read.byId(agents, row?.agentId ?? '');
    expect(agent).toMatchObject({ ownerId: root.id, authMethod: 'none', status: 'active' });
    expect(await recordsAbout(clientId)).toEqual([
      `client ${clientId}: admitted by the rule for ${host.host}`,
    ]);
    // Another host name for the same place is another host.
    const flow = await flowOf(clientId.replace('127.0.0.1', 'localhost'));
    expect((await flow.browser.open(flow.url.href)).status).toBe(400);

    await office.company.do(({ tx }) => tx.delete(grantableRoles, eq('userId', olga.id)));
    expect((await opened(host.publish(path()))).status).toBe(403);
    expect((await office.change(root, 'removeClientRule', `id: "${rule.id}",`)).errors).toEqual([]);
    expect((await tokensOf(clientId)).status).toBe(200);
    expect((await office.server.database.read.select(roles, eq('id', role.id)))[0]?.version).toBe(
      role.version,
    );
  });
});

test('an address in the own network is not asked, though administrators may enter it', async () => {
  const before = inside.asked.length;
  const elsewhere = inside.publish(path());
  for (const clientId of [elsewhere, elsewhere.replace('127.0.0.1', 'localhost')])
    expect((await opened(clientId)).status).toBe(400);
  expect(inside.asked.length).toBe(before);
});

test('one text tells a stranger nothing about what is at an address', async () => {
  const elsewhere = (text: string, type = 'application/json'): string =>
    host.answer(path(), (_request, response) => response.setHeader('content-type', type).end(text));
  const addresses = [
    ...[inside.publish(path()), host.address(path()), 'https://10.0.0.1/client.json'],
    ...[elsewhere('<html>', 'text/html'), elsewhere('{'), elsewhere('[]'), elsewhere('{"secrets":[]}')],
    host.answer(path(), (_request, response) => response.writeHead(302, { location: '/' }).end()),
    host.answer(path(), (_request, response) => response.destroy()),
    elsewhere('{"client_id":"https://other.example/client.json","client_secret":"x"}'),
  ];
  const told = new Set<string>();
  for (const clientId of addresses) {
    const { html } = await opened(clientId);
    told.add(/usable: [^.<]*/.exec(html)?.[0] ?? html);
  }
  expect([...told]).toEqual(['usable: no document with this client_id can be read at its address']);
});

describe('an address that is not good enough', () => {
  const inCloud = 'https://169.254.169.254/latest/meta-data/client.json';

  test.each<[string, (clientHost: ClientHost) => string]>([
    ['of a private network', () => 'https://10.0.0.1/client.json'],
    ['of the metadata service of clouds', () => inCloud],
    ['of loopback in decimal', () => 'https://2130706433/client.json'],
    ['of loopback by IPv6', () => 'https://[::1]/client.json'],
    ['of loopback mapped into IPv6', () => 'https://[::ffff:127.0.0.1]/client.json'],
    ['of a name that means this machine', () => 'https://localhost/client.json'],
    ['with plain http', () => 'http://foreign.example/client.json'],
    ['with another scheme', () => 'file:///etc/passwd'],
    ['with a user name', ({ host }) => `http://user@${host}/client.json`],
    ['with a fragment', (known) => `${known.publish(path())}#x`],
    ['with a query', (known) => `${known.publish(path())}?x`],
    ['with dots', (known) => known.publish(path()).replace('/client', '/a/../client')],
    ['without path', ({ host }) => `http://${host}/`],
    ['that is too long', (known) => known.address(`/${'x'.repeat(300)}`)],
    ['that redirects', (known) => redirecting(known, inCloud)],
    ['that redirects to a good document', (known) => redirecting(known, known.publish(path()))],
    ['where nothing is', (known) => known.address(path())],
    ['of a document without end', (known) => known.answer(path(), endless)],
    ['of a document that is no JSON', (known) => known.answer(path(), json('{'))],
    ['of a document that is no object', (known) => known.answer(path(), json('[]'))],
    [
      'of a document with the id of another',
      (known) => known.publish(path(), { client_id: 'https://other.example/c' }),
    ],
    ['of a document with a secret', (known) => known.publish(path(), { client_secret: 'x' })],
    [
      'of a document that wants a secret',
      (known) => wanting(known, { token_endpoint_auth_method: 'client_secret_basic' }),
    ],
    [
      'of a document with keys elsewhere',
      (known) => wanting(known, { jwks_uri: 'https://foreign.example/keys' }),
    ],
    ['of a document without redirect URI', (known) => wanting(known, { redirect_uris: [] })],
    ['of a document with a script', (known) => wanting(known, { redirect_uris: ['javascript:alert(1)'] })],
    [
      'of a document with plain http',
      (known) => wanting(known, { redirect_uris: ['http://foreign.example/'] }),
    ],
    ['of a document with an invisible name', (known) => wanting(known, { client_name: 'De\u202esk' })],
    [
      'of a document served as a page',
      (known) => known.answer(path(), (_request, response) => response.end('{}')),
    ],
  ])('is that %s: nobody waits', async (_what, addressIn) => {
    const clientId = addressIn(host);
    const before = await office.server.database.read.count(clients);
    const known = (await recordsOf(office.server.database, 'sign_in')).length;
    const page = await opened(clientId);
    expect(page.status).toBe(400);
    expect(page.url).toContain(office.server.url);
    expect(page.html).not.toContain('too many new clients');
    expect(await office.server.database.read.count(clients)).toBe(before);
    expect((await recordsOf(office.server.database, 'sign_in')).slice(known)).toMatchObject([
      { outcome: 'refused', detail: { errorCode: 'invalid_client' } },
    ]);
  });

  const redirecting = (known: ClientHost, location: string): string =>
    known.answer(path(), (_request, response) => response.writeHead(302, { location }).end());
  const wanting = (known: ClientHost, members: Record<string, unknown>): string =>
    known.publish(path(), members);
  const json =
    (text: string) => (_request: unknown, response: Parameters<Parameters<ClientHost['answer']>[1]>[1]) =>
      response.setHeader('content-type', 'application/json').end(text);
  const endless = (_request: unknown, response: Parameters<Parameters<ClientHost['answer']>[1]>[1]): void => {
    response.setHeader('content-type', 'application/json');
    const more = (): void => {
      if (!response.destroyed) response.write(' '.repeat(10_000), more);
    };
    more();
  };
});

test('a document that cannot be read is asked for once in ten seconds', async () => {
  const clientId = host.address(path());
  for (let tries = 0; tries < 3; tries += 1) await opened(clientId);
  expect(host.asked.filter((asked) => clientId.endsWith(asked))).toHaveLength(1);
});

test('many who bring a new client at once make it wait once', async () => {
  const clientId = host.publish(path());
  const pages = await Promise.all(Array.from({ length: 8 }, () => opened(clientId)));
  expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([403]));
  expect(await office.server.database.read.count(clients, eq<ClientRow>('clientId', clientId))).toBe(1);
});

test('a client that waited too long is forgotten, one that was admitted is not', async () => {
  const [gone, kept] = [await waiting(), await waiting()];
  await admit(kept);
  await endWait(gone.id, 0);
  await office.server.app.oauth.purgeExpired();
  expect(await rowOf(gone.clientId)).toBeUndefined();
  expect(await rowOf(kept.clientId)).toBeDefined();
});

/** These wait and no others. They are gone after the work. */
async function withWaiting<T>(
  rows: readonly ClientRow[],
  work: (rows: readonly ClientRow[]) => Promise<T>,
): Promise<T> {
  await office.company.do(async ({ tx }) => {
    await tx.delete(clients, eq<ClientRow>('status', 'quarantined'));
    await tx.insert(clients, rows);
  });
  try {
    return await work(rows);
  } finally {
    const ids = rows.map(({ id }) => id);
    await office.company.do(({ tx }) => tx.delete(clients, isIn<ClientRow>('id', ids)));
  }
}
const requestedAt = '2026-01-01T00:00:00.000Z';
/** A client with a document, as it would wait. */
async function template(): Promise<ClientRow> {
  const row = await office.server.database.read.one(clients, eq<ClientRow>('registration', 'document'));
  if (row === undefined) throw new Error('nobody came');
  return { ...row, status: 'quarantined', agentId: null, scopes: null, requestedAt: null };
}
const likeIt = (
  row: ClientRow,
  count: number,
  idOf: (id: string) => string,
  members: Partial<ClientRow> = {},
): ClientRow[] =>
  Array.from({ length: count }, (): ClientRow => {
    const id = office.server.ids.next();
    return { ...row, id, clientId: idOf(id), ...members };
  });

test('where all wait for whom people asked, a client is turned away without asking the database again for a while', async () => {
  const row = await template();
  const clientId = host.publish(path());
  const many = likeIt(row, 1_000, (id) => `https://${id}.example/client.json`, { requestedAt });
  await withWaiting(many, async () => {
    const turned = await opened(clientId);
    expect([turned.status, turned.html.includes('too many clients wait')]).toEqual([400, true]);
  });
  expect((await opened(clientId)).html).toContain('too many clients wait');
  expect(await rowOf(clientId)).toBeUndefined();
});

test('a refused request is recorded with the id of its client, up to the length that ids have', async () => {
  const clientId = 'x'.repeat(255);
  expect((await opened(`${clientId}y`)).status).toBe(400);
  const record = (await recordsOf(office.server.database, 'sign_in')).at(-1);
  expect(record?.detail).toMatchObject({ clientName: clientId, detail: 'authorization request' });
});

test('clients that registered themselves take no room from those with documents', async () => {
  const many = likeIt(await template(), 1_000, (id) => id, { registration: 'dynamic', requestedAt });
  await withWaiting(many, async () => {
    expect((await opened(host.publish(path()))).status).toBe(403);
  });
});

test('the oldest client of a host for which nobody asked gives way to a new one, and none of another host', async () => {
  const [row, elsewhere] = [await template(), likeIt(await template(), 1, () => 'https://else.example/a')];
  const [expiresAt, inLine] = ['2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z'];
  const asked = likeIt(row, 20, (id) => host.address(`/${id}.json`), { requestedAt, expiresAt });
  const [oldest, ...others] = asked.slice(0, 2);
  if (oldest === undefined) throw new Error('nobody waits');
  asked[0] = { ...oldest, requestedAt: null, expiresAt: inLine };
  const first = elsewhere.map((one) => ({ ...one, expiresAt }));
  await withWaiting([...asked, ...first], async () => {
    const clientId = host.publish(path());
    expect((await opened(clientId)).status).toBe(403);
    expect(await rowOf(clientId)).toBeDefined();
    expect(await rowOf(oldest.clientId)).toBeUndefined();
    expect(await recordsAbout(oldest.clientId)).toEqual([
      `client ${oldest.clientId}: forgotten, since newer ones wait and nobody asked for it`,
    ]);
    for (const one of [...others, ...first]) expect(await rowOf(one.clientId)).toBeDefined();
  });
});

test('where people asked for all clients of a host, a new one there is turned away', async () => {
  const many = likeIt(await template(), 20, (id) => host.address(`/${id}.json`), { requestedAt });
  await withWaiting(many, async () => {
    const clientId = host.publish(path());
    expect((await opened(clientId)).html).toContain('too many clients wait');
    expect(await rowOf(clientId)).toBeUndefined();
    for (const { clientId: kept } of many) expect(await rowOf(kept)).toBeDefined();
  });
});

test('a flood of new clients of one site is slowed down, and changes nothing for those that are known', async () => {
  const known = await waiting();
  await office.company.do(({ tx }) => tx.update(clients, eq('id', known.id), { requestedAt }));
  const pages: Shown[] = [];
  const ids: string[] = [];
  for (let count = 0; count < 70; count += 1) {
    ids.push(host.publish(path()));
    pages.push(await opened(ids.at(-1) ?? ''));
  }
  const slowed = pages.filter(({ status, html }) => status === 400 && html.includes('too many new clients'));
  expect(slowed.length).toBeGreaterThan(0);
  const came = await Promise.all(ids.map((clientId) => recordsAbout(clientId)));
  expect(came.filter((records) => records[0]?.endsWith('waits for admission'))).toHaveLength(
    70 - slowed.length,
  );
  expect((await opened(known.clientId)).status).toBe(403);
});

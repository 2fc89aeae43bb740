// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { all, eq } from '../../../src/store/sql/condition.js';
import { backchannelRequests } from '../../../src/store/tables/backchannel-requests.js';
import { delegations, oauthPayloads, users } from '../../../src/store/tables/identity.js';
import { browserOf, withPassword } from '../../support/account.js';
import { about, askingAgent, details, proofOf, serverOf } from '../../support/asking-agents.js';
import { asked, BackChannel, backchannelGrant, linksOn } from '../../support/back-channel.js';
import { at, codes, nodesAt, type Employee } from '../../support/administration.js';
import { given, Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordsOf } from '../../support/records.js';
import { naming, statementsOf } from '../../support/statements.js';
import { Browser, insecure, permitHttp } from './browser.js';

let office: Office;
let backChannel: BackChannel;
let desk: Agent;
let other: Agent;
let open: Agent;
let ines: Employee;
let mika: Employee;
let people = 0;
/** The user names of the two. */
let [hint, hintOfMika] = ['', ''];

beforeAll(async () => {
  office = await Office.start();
  backChannel = new BackChannel(office);
  desk = await office.agent('desk', office.company.root, 'support-agent');
  other = await office.agent('other', office.company.root, 'support-agent');
  open = await askingAgent(office, 'open', { isPublic: true });
});
afterAll(async () => {
  await office.server.stop();
  vi.useRealTimers();
});
beforeEach(async () => {
  people += 1;
  [hint, hintOfMika] = [`ines-${String(people)}`, `mika-${String(people)}`];
  ines = await office.company.employee(hint, 'support-rep');
  mika = await office.company.employee(hintOfMika, 'support-rep');
});

const told = ({ status, body }: TokenAnswer): string => `${String(status)} ${body.error ?? 'none'}`;
const tasks = () => office.server.database.read.select(delegations, eq('userId', ines.id));
const begin = (changes: Record<string, string> = {}, as = desk) =>
  backChannel.begin(as, { login_hint: hint, ...changes });
const begun = (changes: Record<string, string> = {}) => backChannel.begun(desk, hint, changes);
const poll = async (id: string, as = desk) => told(await backChannel.poll(as, id));
const read = (token: string) => office.company.ask({ token }, '{ tickets(first: 1) { totalCount } }');

describe('an agent that asks a person who is elsewhere (OpenID CIBA)', () => {
  test('gets a token for the task that the person hands over at their account page', async () => {
    const id = await begun({ binding_message: 'Letter 42-B' });
    expect(await poll(id)).toBe('400 authorization_pending');
    const { browser, home } = await browserOf(office, ines);
    for (const text of ['Requests that wait for you', 'Agent desk', 'Letter 42-B', '127.0.0.1'])
      expect(home.html).toContain(text);
    const page = await backChannel.allow(ines);
    expect(page.html).toContain('The agent goes on');
    expect((await browser.open(`${office.server.url}/account`)).html).not.toContain('Requests that wait');
    const answer = await backChannel.poll(desk, id);
    const [task] = await tasks();
    expect(task).toMatchObject({ agentId: desk.id, ...about, scopes: ['customers:read', 'tickets:read'] });
    expect(answer.body).toMatchObject({
      scope: 'customers:read tickets:read',
      authorization_details: [{ type: 'behalf_delegation', delegation: task?.id }],
      refresh_token: expect.any(String) as string,
    });
    expect(codes(await read(given(answer)))).toEqual([]);
    await office.done(ines, 'revokeDelegation', `id: "${task?.id ?? ''}"`);
    expect(codes(await read(given(answer)))).toEqual(['UNAUTHENTICATED']);
  });

  test('every record of it says which flow it was', async () => {
    const { database } = office.server;
    const before = (await recordsOf(database)).length;
    const id = await begun({ binding_message: 'Letter 42-B' });
    await backChannel.allow(ines);
    await backChannel.poll(desk, id);
    const [task] = await tasks();
    const records = (await recordsOf(database)).slice(before);
    const flows = records.flatMap(({ kind, detail }) =>
      detail.grantType === backchannelGrant ? [kind] : [],
    );
    expect(new Set(flows)).toEqual(new Set(['sign_in', 'consent', 'token']));
    expect(records[0]?.detail.grantType).toBe('backchannel_authentication');
    const [first, last] = [records[0], records.at(-1)];
    expect(first).toMatchObject({
      ...{ outcome: 'succeeded', detail: { detail: 'asks: Letter 42-B' } },
      chain: { person: { id: ines.id }, agents: [{ name: 'desk' }] },
    });
    expect(last).toMatchObject({ delegation: { id: task?.id } });
    expect(JSON.stringify(records)).not.toContain(id);
  });

  test('the person reads who asks, from where, since when and in which words, and can narrow', async () => {
    const id = await begun({ binding_message: 'Letter 42-B' });
    const [browser, page] = await backChannel.opened(await backChannel.linkOf(ines), ines);
    for (const text of ['Agent desk', 'known here since', 'Where it was asked', '127.0.0.1', 'Letter 42-B'])
      expect(page.html).toContain(text);
    expect(page.html).not.toContain('Sign in as somebody else');
    await browser.submit(page, { scope: 'tickets:read' });
    expect((await backChannel.poll(desk, id)).body.scope).toBe('tickets:read');
  });

  test('writes nothing that the person reads, but for words that the pages quote as its own', async () => {
    /** What is shown of the only request that waits, from the account page to its end. */
    const pages = async (form: Record<string, string>, userAgent: string): Promise<string[]> => {
      const answer = await fetch(`${office.server.url}/oauth/backchannel_authentication`, {
        method: 'POST',
        headers: {
          'user-agent': userAgent,
          authorization: `Basic ${Buffer.from(`${desk.name}:${desk.secret}`).toString('base64')}`,
        },
        body: new URLSearchParams({ ...asked, login_hint: hint, ...form }),
      });
      expect(answer.status).toBe(200);
      const { home } = await browserOf(office, ines);
      const [waiting = ''] = /Requests that wait for you.*?<\/article>/s.exec(home.html) ?? [];
      const link = await backChannel.linkOf(ines);
      const [, signIn] = await backChannel.signInFor(link);
      const named = await new Browser(office.server.url).open(link);
      const [browser, page] = await backChannel.opened(link, ines);
      const end = await browser.submit(page, { action: 'cancel' });
      return [waiting, named.html, signIn.html, page.html, end.html];
    };
    const spell = 'Zauber';
    const plain = await pages({ binding_message: 'Letter' }, 'program');
    const marked = await pages(
      {
        ...{ binding_message: `${spell} (it is me)`, nonce: spell, state: spell, client_name: spell },
        ...{ title: spell, message: spell, ui_locales: spell, claims_locales: spell, request_name: spell },
        authorization_details: details({ purpose: `${spell}</q><h1>${spell}`, task: `${spell}"><b>` }),
      },
      `${spell}</q><h1>${spell}`,
    );
    const quoted = marked.map((page) => [...page.matchAll(/<q>(.*?)<\/q>/gs)].map(([, words]) => words));
    const escaped = `${spell}&lt;/q&gt;&lt;h1&gt;${spell}`;
    expect(quoted[0]).toEqual([`${spell} (it is me)`]);
    expect([quoted[1], quoted[2], quoted[4]]).toEqual([[], [], []]);
    expect(new Set(quoted[3])).toEqual(
      new Set([escaped, `${spell} (it is me)`, `${spell}&quot;&gt;&lt;b&gt;`]),
    );
    const neutral = (page: string): string =>
      page
        .replaceAll(/<q>.*?<\/q>/gs, '<q></q>')
        .replaceAll(/[0-9A-HJKMNP-TV-Z]{26}|[\w-]{43,}/g, '…')
        .replaceAll(/(name="(?:xsrf|version)"|uid=)[^>]*|interaction\/[\w-]+|nonce-[^'"]+|\d+/g, '…');
    expect(marked.map(neutral)).toEqual(plain.map(neutral));
    expect(marked.map(neutral).join()).not.toContain(spell);
  });

  test('is told that the person refused', async () => {
    const id = await begun();
    const [browser, page] = await backChannel.opened(await backChannel.linkOf(ines), ines);
    expect((await browser.submit(page, { action: 'cancel' })).html).toContain('Nothing was allowed');
    expect(await poll(id)).toBe('400 access_denied');
    expect(await tasks()).toEqual([]);
    await expect(backChannel.linkOf(ines)).rejects.toThrow('No request waits.');
  });

  test('a closed page decides nothing: the person opens the request again, and decides once', async () => {
    const id = await begun();
    const link = await backChannel.linkOf(ines);
    const [first, page] = await backChannel.opened(link, ines);
    const [second, again] = await backChannel.opened(link, ines);
    expect((await second.submit(again, {})).html).toContain('The agent goes on');
    expect((await first.submit(page, {})).status).toBe(400);
    expect(await tasks()).toHaveLength(1);
    expect((await second.open(link)).status).toBe(404);
    expect((await backChannel.poll(desk, id)).status).toBe(200);
  });

  test('says how long it can wait, within bounds', async () => {
    for (const [wanted, seconds] of [
      ['', 600],
      ['1', 60],
      ['900', 900],
      ['86400', 3_600],
    ] as const) {
      const changes: Record<string, string> = wanted === '' ? {} : { requested_expiry: wanted };
      const answer = await begin({ ...changes, login_hint: `${hint}-${String(seconds)}` });
      expect(answer.body).toMatchObject({ expires_in: seconds, interval: 5 });
    }
  });

  test('is told that the time has passed', async () => {
    const id = await begun();
    const link = await backChannel.linkOf(ines);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000, shouldAdvanceTime: true });
    expect(await poll(id)).toBe('400 expired_token');
    const page = await new Browser(office.server.url).open(link);
    await expect(backChannel.linkOf(ines)).rejects.toThrow('No request waits.');
    expect([page.status, page.html]).toEqual([404, expect.stringContaining('does not wait any more')]);
  });
});

describe('a request is for its person alone', () => {
  test('others see nothing of it, and cannot decide', async () => {
    const id = await begun({ binding_message: 'Letter 42-B' });
    const link = await backChannel.linkOf(ines);
    expect(linksOn((await browserOf(office, mika)).home)).toEqual([]);
    for (const who of [mika, office.company.root]) {
      const answer = await office.company.ask(
        who,
        '{ backchannelRequests { totalCount nodes { id message } } }',
      );
      expect(at(answer, 'backchannelRequests.totalCount')).toBe(0);
    }
    const own = await office.company.ask(
      ines,
      '{ backchannelRequests { nodes { message agent { name } } } }',
    );
    expect(nodesAt(own, 'backchannelRequests')).toEqual([
      { message: 'Letter 42-B', agent: { name: 'desk' } },
    ]);

    const [browser, form] = await backChannel.signInFor(link);
    expect(form.html).not.toContain('Letter');
    const page = await browser.submit(form, { username: await withPassword(office, mika), password });
    expect([page.status, page.html]).toEqual([403, expect.stringContaining('for somebody else')]);
    expect(page.html).not.toContain('Letter');
    expect((await recordsOf(office.server.database, 'consent')).at(-1)).toMatchObject({
      ...{ outcome: 'refused', chain: { person: { id: mika.id } } },
      detail: { errorCode: 'access_denied', grantType: backchannelGrant },
    });
    expect(await office.server.database.read.select(delegations, eq('userId', mika.id))).toEqual([]);
    expect(await poll(id)).toBe('400 authorization_pending');
    await backChannel.allow(ines);
    expect((await backChannel.poll(desk, id)).status).toBe(200);
  });

  test('nobody refuses it who has not signed in as that person', async () => {
    const id = await begun();
    const link = await backChannel.linkOf(ines);
    const [browser, form] = await backChannel.signInFor(link);
    expect((await browser.submit(form, { action: 'cancel' })).html).toContain('Nothing was decided');
    const start = await browser.open(link);
    const aborted = await browser.submit(start, { abort: 'yes', confirm: 'yes' });
    expect(aborted.html).toContain('name="password"');
    expect(await poll(id)).toBe('400 authorization_pending');
  });

  test('its forms are taken from this server’s pages alone', async () => {
    const id = await begun();
    const link = await backChannel.linkOf(ines);
    const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const [browser, page] = await backChannel.opened(link, ines);
    expect((await browser.submit(page, {}, evil)).status).toBe(403);
    expect((await browser.submit(await browser.open(link), { confirm: 'yes' }, evil)).status).toBe(403);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(await tasks()).toEqual([]);
    expect(await poll(id)).toBe('400 authorization_pending');
  });

  test.each([
    ['nobody has', () => Promise.resolve('nobody-at-all')],
    [
      'a disabled account has',
      async () => {
        await office.company.do(({ tx }) => tx.update(users, eq('id', mika.id), { status: 'disabled' }));
        return hintOfMika;
      },
    ],
  ])('a name that %s is answered like any other, with the same work', async (_whose, nameOf) => {
    const name = await nameOf();
    const answers: TokenAnswer[] = [];
    const send = (login: string) => async () => {
      answers.push(await begin({ login_hint: login, binding_message: 'Letter' }));
    };
    const tables = ['users', 'agents', 'backchannel_requests', 'oauth_payloads'];
    const workOf = async (login: string) => {
      const sent = await statementsOf(send(login));
      return tables.map((table) => naming(sent, table));
    };
    const known = await workOf(hint);
    expect(known[2]?.length).toBeGreaterThan(3);
    expect(await workOf(name)).toEqual(known);
    const [first, second] = answers.map(({ status, body }) => [status, Object.keys(body)]);
    expect(second).toEqual(first);
    const { auth_req_id: id } = answers[1]?.body as { auth_req_id: string };
    expect(await poll(id)).toBe('400 authorization_pending');
    const record = (await recordsOf(office.server.database, 'token')).at(-1);
    expect(JSON.stringify(record)).not.toContain(name);
    const stored = await office.server.database.read.select(backchannelRequests, eq('userId', mika.id));
    expect(stored).toEqual([]);
  });

  test('no more than a few wait for one person, whether there is one or not', async () => {
    for (const name of [hint, `nobody-${String(people)}`]) {
      const answers = [];
      for (let request = 0; request < 5; request += 1) answers.push(told(await begin({ login_hint: name })));
      expect(answers).toEqual(['200 none', '200 none', '200 none', '429 slow_down', '429 slow_down']);
      expect(told(await begin({ login_hint: name }, other))).toBe('200 none');
    }
    expect(linksOn((await browserOf(office, ines)).home)).toHaveLength(4);
  });
});

describe('an auth_req_id', () => {
  test('is stored as a digest alone', async () => {
    const id = await begun();
    const rows = await office.server.database.read.select(oauthPayloads, all());
    expect(JSON.stringify(rows)).not.toContain(id);
    expect(JSON.stringify(rows.filter(({ model }) => model === 'DeviceCode'))).not.toContain(hint);
  });

  test('is redeemed once; a second time ends the tokens of the first', async () => {
    const id = await begun();
    await backChannel.allow(ines);
    const token = given(await backChannel.poll(desk, id));
    expect(await poll(id)).toBe('400 invalid_grant');
    expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
  });

  test('is worth nothing to another agent, as a device code, or as a guess', async () => {
    const id = await begun();
    await backChannel.allow(ines);
    expect(await poll(id, other)).toBe('400 invalid_grant');
    const asDeviceCode = {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: id,
    };
    expect(told(await office.post('/oauth/token', asDeviceCode, desk))).toBe('400 invalid_grant');
    const device = await office.post('/oauth/device_authorization', { scope: 'tickets:read' }, desk);
    const { device_code: code } = device.body as { device_code: string };
    expect(await poll(code)).toBe('400 invalid_grant');
    for (const guess of ['x'.repeat(43), '\u0001guess', 'short'])
      expect(await poll(guess)).toBe('400 invalid_grant');
    expect((await backChannel.poll(desk, id)).status).toBe(200);
  });

  test('is worth nothing once the person has taken the task back', async () => {
    const id = await begun();
    await backChannel.allow(ines);
    await office.done(ines, 'revokeDelegation', `id: "${(await tasks())[0]?.id ?? ''}"`);
    expect(await poll(id)).toBe('400 invalid_grant');
  });

  test('asked for too often is answered with slow_down', async () => {
    const id = await begun();
    const answers = [];
    for (let request = 0; request < 6; request += 1) answers.push(await poll(id));
    expect(answers.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => '400 authorization_pending'));
    expect(answers.at(-1)).toBe('400 slow_down');
  });
});

describe('a request', () => {
  test.each([
    ['of a public client', {}, () => open, '400 invalid_request'],
    ['of nobody', {}, () => ({ ...desk, name: 'nobody' }), '401 invalid_client'],
    ['with a wrong secret', {}, () => ({ ...desk, secret: 'guessed' }), '401 invalid_client'],
    ['of a program of people', {}, () => ({ ...open, name: 'behalf-account' }), '400 invalid_request'],
    ['without a hint', { login_hint: '' }, () => desk, '400 invalid_request'],
    ['with an ID token for a hint', { id_token_hint: 'a.b.c' }, () => desk, '400 invalid_request'],
    ['with a hint token', { login_hint: '', login_hint_token: 'x' }, () => desk, '400 invalid_request'],
    ['with a user code', { user_code: '1234' }, () => desk, '400 invalid_request'],
    ['with a signed request', { request: 'a.b.c' }, () => desk, '400 request_not_supported'],
    ['for a time that is none', { requested_expiry: '-1' }, () => desk, '400 invalid_request'],
    ['for a scope that does not exist', { scope: 'openid everything' }, () => desk, '400 invalid_scope'],
    ['for another resource', { resource: 'https://other.example/' }, () => desk, '400 invalid_target'],
    [
      'with details of another type',
      { authorization_details: '[{"type":"everything"}]' },
      () => desk,
      '400 invalid_authorization_details',
    ],
    ...['<b>Letter</b>', 'Letter \u202e42', 'Letter\n42', 'x'.repeat(61), 'A\u200bB', ' ', '&amp;'].map(
      (message) =>
        [
          `with the words ${JSON.stringify(message)}`,
          { binding_message: message },
          () => desk,
          '400 invalid_binding_message',
        ] as const,
    ),
  ] as const)('%s is refused, recorded and not kept', async (_what, changes, as, error) => {
    const before = await backChannel.kept();
    const records = (await recordsOf(office.server.database, 'token')).length;
    expect(told(await begin(changes, as()))).toBe(error);
    expect(await backChannel.kept()).toEqual(before);
    const after = (await recordsOf(office.server.database, 'token')).slice(records);
    expect(after).toMatchObject([
      { outcome: 'refused', detail: { grantType: 'backchannel_authentication' } },
    ]);
  });

  test.each([
    ['a scope beyond the agent’s role', { scope: 'openid invoices:issue tickets:read' }],
    [
      'more operations than its role has',
      { authorization_details: details({ ...about, limits: { operations: 501 } }) },
    ],
  ])('for %s comes to nothing', async (_what, changes) => {
    const id = await begun(changes);
    const [, page] = await backChannel.opened(await backChannel.linkOf(ines), ines);
    expect(page.html).toContain('Nothing was allowed');
    expect((await backChannel.poll(desk, id)).status).toBe(400);
    expect(await tasks()).toEqual([]);
  });
});

describe('foreign clients', () => {
  test('oauth4webapi goes through the flow with DPoP', async () => {
    const server = await serverOf(office);
    const me = { client_id: desk.name };
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const parameters = { ...asked, login_hint: hint };
    const started = await oauth.processBackchannelAuthenticationResponse(
      server,
      me,
      await oauth.backchannelAuthenticationRequest(server, me, proofOf(desk), parameters, insecure),
    );
    await backChannel.allow(ines);
    const answer = await oauth.processBackchannelAuthenticationGrantResponse(
      server,
      me,
      await oauth.backchannelAuthenticationGrantRequest(server, me, proofOf(desk), started.auth_req_id, {
        ...insecure,
        DPoP,
      }),
    );
    expect(answer).toMatchObject({ token_type: 'dpop', scope: 'customers:read tickets:read' });
  });

  test('openid-client polls until the person has decided', async () => {
    const config = await client.discovery(
      new URL(office.server.url),
      desk.name,
      undefined,
      client.ClientSecretBasic(desk.secret),
      {
        algorithm: 'oauth2',
        execute: [permitHttp],
      },
    );
    const metadata = config.serverMetadata();
    expect(metadata.backchannel_token_delivery_modes_supported).toEqual(['poll', 'ping']);
    expect(metadata.backchannel_user_code_parameter_supported).toBe(false);
    const started = await client.initiateBackchannelAuthentication(config, { ...asked, login_hint: hint });
    await backChannel.allow(ines);
    const answer = await client.pollBackchannelAuthenticationGrant(config, { ...started, interval: 0.01 });
    expect(answer.scope).toBe('customers:read tickets:read');
  });
});

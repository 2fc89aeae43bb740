// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { all, eq } from '../../src/store/sql/condition.js';
import { authorityEpoch, oauthPayloads, users } from '../../src/store/tables/identity.js';
import { signIns } from '../../src/store/tables/sign-ins.js';
import { browserWords } from '../../src/transports/account/sign-in-pages.js';
import { browserOf, recordsOf, signInAt, withPassword } from '../support/account.js';
import { at, codes, nodesAt, type Employee } from '../support/administration.js';
import { Office, type Agent } from '../support/office.js';
import { password } from '../support/passwords.js';
import type { TestServer } from '../support/server.js';
import { Browser, CodeFlow } from './oauth/browser.js';

let office: Office;
let replica: TestServer;
let rosa: Employee;
let helper: Agent;
let shiftMs = 0;

beforeAll(async () => {
  office = await Office.start({ clock: { now: () => Date.now() + shiftMs } });
  replica = await office.server.replica();
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
});
afterAll(async () => {
  await replica.app.close();
  await replica.database.close();
  await office.server.stop();
});

const list = `query ($filter: SignInFilter) { signIns(filter: $filter) { totalCount nodes {
  id program clientId method provider address userAgent createdAt lastUsedAt expiresAt isCurrent person { name } } } }`;
const signInsOf = async (token: string, personId?: string): Promise<Record<string, unknown>[]> =>
  nodesAt(
    await office.company.ask({ token }, list, { filter: personId === undefined ? null : { personId } }),
    'signIns',
  );
const idOfCurrent = async (token: string): Promise<string> =>
  String((await signInsOf(token)).find(({ isCurrent }) => isCurrent)?.id);

const end = (token: string, id: string) => office.change({ token }, 'endSignIn', `id: "${id}"`, 'endedCount');
const statusAt = async (server: TestServer, token: string): Promise<number> =>
  (await server.query(token, '{ viewer { person { name } } }')).status;
const refreshed = async (token = ''): Promise<number> =>
  (
    await office.post('/oauth/token', {
      grant_type: 'refresh_token',
      client_id: 'behalf-cli',
      refresh_token: token,
    })
  ).status;

/** Everything that ending could change. */
const standing = async (): Promise<unknown> => [
  await office.server.database.read.count(oauthPayloads, all()),
  await office.server.database.read.select(authorityEpoch, all()),
];

describe('the list', () => {
  test('tells of each sign-in the program, the way, the browser and the times, and which one asks', async () => {
    const ana = await office.company.employee('ana', 'support-rep');
    await browserOf(office, ana);
    shiftMs += 60_000;
    const { access_token: token } = await office.signIn(ana);
    const found = await signInsOf(token);
    expect(found).toMatchObject([
      { program: 'Behalf command line', clientId: 'behalf-cli', method: 'PASSWORD', isCurrent: true },
      { program: 'your account page', clientId: 'behalf-account', provider: null, isCurrent: false },
    ]);
    for (const one of found) {
      expect(one).toMatchObject({ address: '127.0.0.1', userAgent: 'node', person: { name: 'ana' } });
      const times = [one.createdAt, one.lastUsedAt, one.expiresAt].map(String);
      expect(times).toEqual([...times].sort());
    }
  });

  test('shows the last use anew when the program renews its token', async () => {
    const { access_token: token, refresh_token: renewal } = await office.signIn(rosa);
    const before = (await signInsOf(token)).find(({ isCurrent }) => isCurrent);
    shiftMs += 120_000;
    expect(await refreshed(renewal)).toBe(200);
    const after = (await signInsOf(token)).find(({ isCurrent }) => isCurrent);
    const used = (one: typeof after): number => Date.parse(String(one?.lastUsedAt));
    expect(used(after) - used(before)).toBeGreaterThanOrEqual(120_000);
    expect(after).toEqual({ ...before, lastUsedAt: after?.lastUsedAt });
  });

  test('has only one’s own, and those of others for who reads their accounts', async () => {
    const leo = await office.company.employee('leo', 'support-rep');
    const { access_token: his } = await office.signIn(leo);
    const { access_token: hers } = await office.signIn(rosa);
    const id = await idOfCurrent(his);
    expect((await signInsOf(hers)).map((one) => one.id)).not.toContain(id);
    expect(await signInsOf(hers, leo.id)).toEqual([]);
    expect((await signInsOf(office.company.root.token, leo.id)).map((one) => one.id)).toEqual([id]);
  });

  test('is not there for an agent, nor is the way to end one', async () => {
    const task = await office.delegate(rosa, { agent: 'helper', scopes: ['tickets:read'] });
    const token = await office.tokenOf(helper, task);
    const read = await office.company.ask({ token }, '{ signIns { totalCount } }');
    const ended = await office.change({ token }, 'endOtherSignIns');
    expect([codes(read), codes(ended)]).toEqual([['BAD_USER_INPUT'], ['BAD_USER_INPUT']]);
    expect(read.errors[0]?.message).toContain('Cannot query field "signIns"');
  });

  test('leaves out a sign-in that got no token, and one whose time has passed', async () => {
    const eva = await office.company.employee('eva', 'support-rep');
    const name = await withPassword(office, eva);
    const flow = await CodeFlow.start({ issuer: office.server.url });
    await flow.signIn(name, password);
    expect(await signInsOf(eva.token, eva.id)).toEqual([]);
    await office.signIn(eva);
    expect(await signInsOf(eva.token, eva.id)).toHaveLength(1);
    shiftMs += 86_400_000 * 2;
    const root = await office.server.token(office.company.root.id, undefined);
    expect(await signInsOf(root, eva.id)).toEqual([]);
    shiftMs -= 86_400_000 * 2;
  });
});

describe('ending', () => {
  test('a sign-in ends its tokens on every replica, and nothing else', async () => {
    const ivo = await office.company.employee('ivo', 'support-rep');
    const first = await office.signIn(ivo);
    const second = await office.signIn(ivo);
    const task = await office.delegate(
      { token: first.access_token },
      { agent: 'helper', scopes: ['tickets:read'] },
    );
    const agentToken = await office.tokenOf(helper, task);
    expect(await statusAt(replica, first.access_token)).toBe(200);
    const id = await idOfCurrent(first.access_token);
    expect(at(await end(second.access_token, id), 'endSignIn.endedCount')).toBe(1);
    for (const server of [office.server, replica])
      expect(await statusAt(server, first.access_token)).toBe(401);
    expect(await refreshed(first.refresh_token)).toBe(400);
    expect(await statusAt(replica, second.access_token)).toBe(200);
    expect(await statusAt(replica, agentToken)).toBe(200);
    expect(await refreshed(second.refresh_token)).toBe(200);
    expect((await signInsOf(second.access_token)).map((one) => one.isCurrent)).toEqual([true]);
  });

  test('is recorded, and refused once it has ended', async () => {
    const uma = await office.company.employee('uma', 'support-rep');
    const gone = await office.signIn(uma);
    const { access_token: token } = await office.signIn(uma);
    const id = await idOfCurrent(gone.access_token);
    const document = `mutation EndOne($key: String!) { endSignIn(id: "${id}", idempotencyKey: $key) { endedCount } }`;
    await office.company.ask({ token }, document, { key: 'one' });
    expect(await recordsOf(office, uma, 'EndOne')).toMatchObject([{ outcome: 'succeeded' }]);
    const [record] = await recordsOf(office, uma, 'EndOne');
    expect(record?.body).toMatch(
      /"type":"SignIn","id":"\w+","before":\{[^}]*"program":"Behalf command line"/,
    );
    expect(record?.body).not.toContain('grantId');
    const before = await standing();
    expect(codes(await office.company.ask({ token }, document, { key: 'two' }))).toEqual(['NOT_FOUND']);
    expect(await standing()).toEqual(before);
  });

  test('all others ends those under way too, and leaves the one that asks', async () => {
    const kim = await office.company.employee('kim', 'support-rep');
    const others = [await office.signIn(kim), await office.signIn(kim)];
    const { access_token: token } = await office.signIn(kim);
    const name = await withPassword(office, kim);
    const flow = await CodeFlow.start({ issuer: office.server.url });
    const underWay = await flow.signIn(name, password);
    const answer = await office.change({ token }, 'endOtherSignIns', '', 'endedCount');
    expect(at(answer, 'endOtherSignIns.endedCount')).toBe(3);
    for (const one of others) expect(await statusAt(replica, one.access_token)).toBe(401);
    expect((await flow.redeemRaw(underWay)).status).toBe(400);
    expect(await statusAt(replica, token)).toBe(200);
  });

  test('all others ends one whose password was accepted just before, and which has no grant yet', async () => {
    const lea = await office.company.employee('lea', 'support-rep');
    const { access_token: token } = await office.signIn(lea);
    const name = await withPassword(office, lea);
    const flow = await CodeFlow.start({ issuer: office.server.url });
    const page = await flow.browser.open(flow.url.href);
    const onward = await flow.browser.send(page, { username: name, password });
    expect(codes(await office.change({ token }, 'endOtherSignIns', '', 'endedCount'))).toEqual([]);
    const shown = await flow.browser.open(onward);
    expect(shown.url).not.toContain('code=');
    expect(shown.html).toContain('name="password"');
    expect(await statusAt(replica, token)).toBe(200);
  });

  test('one of somebody else takes the scope to manage their account; otherwise nothing ends', async () => {
    const max = await office.company.employee('max', 'support-rep');
    const auditor = await office.company.employee('audra', 'auditor');
    const his = await office.signIn(max);
    const id = await idOfCurrent(his.access_token);
    const before = await standing();
    const byAuditor = await end(auditor.token, id);
    expect(codes(byAuditor)).toEqual(['FORBIDDEN']);
    expect(byAuditor.errors[0]?.extensions).toMatchObject({
      missingScopes: ['users:manage'],
      layer: 'person',
    });
    expect(codes(await end(rosa.token, id))).toEqual(['NOT_FOUND']);
    expect(codes(await office.change({ token: '' }, 'endSignIn', `id: "${id}"`))).toEqual([
      'UNAUTHENTICATED',
    ]);
    expect(codes(await end(rosa.token, 'nonsense'))).toEqual(['NOT_FOUND']);
    expect(await standing()).toEqual(before);
    expect(await statusAt(replica, his.access_token)).toBe(200);
    expect(codes(await end(office.company.root.token, id))).toEqual([]);
    expect(await statusAt(replica, his.access_token)).toBe(401);
  });
});

describe('on the account page', () => {
  const url = (path: string): string => `${office.server.url}${path}`;

  test('one sign-in is ended: asked first, and its browser is signed out', async () => {
    const ola = await office.company.employee('ola', 'support-rep');
    const lost = new Browser(office.server.url, {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    });
    await signInAt(office, ola, lost);
    const { browser, home } = await browserOf(office, ola);
    const card = /<article[^]*?Firefox on Linux[^]*?<\/article>/.exec(
      home.html.slice(home.html.indexOf('Your sign-ins')),
    )?.[0];
    expect(card).toContain('With a password');
    expect(home.html).toContain('(this one)');
    const href = /href="(\/account\/sign-ins\/[^"]+\/end)"/.exec(card ?? '')?.[1] ?? '';
    const question = await browser.open(url(href));
    expect(question.html).toContain('Tasks that you handed over with it go on');
    expect((await lost.open(url('/account'))).status).toBe(200);
    const after = await browser.submitTo(question, href);
    expect(after.html).toContain('Only this sign-in is left.');
    expect((await lost.open(url('/account'))).status).toBe(401);
    expect(await recordsOf(office, ola, 'AccountEndSignIn')).toMatchObject([{ outcome: 'succeeded' }]);
  });

  test('all others are ended', async () => {
    const pia = await office.company.employee('pia', 'support-rep');
    const { access_token: token } = await office.signIn(pia);
    const { browser } = await browserOf(office, pia);
    const question = await browser.open(url('/account/end-other-sign-ins'));
    expect(question.html).toContain('Behalf command line');
    const after = await browser.submitTo(question, '/account/end-other-sign-ins');
    expect(after.html).toContain('Only this sign-in is left.');
    expect(await statusAt(replica, token)).toBe(401);
  });

  test('those of others, and one’s own current one, are not offered', async () => {
    const { access_token: his } = await office.signIn(await office.company.employee('sam', 'support-rep'));
    const { browser, home } = await browserOf(office, rosa);
    const own = /id="sign-in-([^"]+)">\s*Your account page <strong>/.exec(home.html)?.[1] ?? '';
    expect(own).not.toBe('');
    for (const id of [own, await idOfCurrent(his), 'x'])
      expect((await browser.open(url(`/account/sign-ins/${id}/end`))).status).toBe(404);
  });

  test('an administrator without tasks sees only their own', async () => {
    const boss = await office.company.employee('boss', 'administrator');
    const { home } = await browserOf(office, boss);
    const names = await office.server.database.read.select(signIns, eq('userId', boss.id));
    const cards = [...home.html.matchAll(/aria-labelledby="sign-in-([^"]+)"/g)].map(([, id]) => id);
    expect(cards).toEqual(names.map(({ id }) => id));
    expect((await office.server.database.read.byId(users, boss.id))?.status).toBe('active');
  });

  test.each([
    [null, 'A browser that did not say what it is'],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/128 Safari/537.36 Edg/128.0',
      'Edge on Windows',
    ],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1', 'Safari on iOS'],
    ['Mozilla/5.0 (Linux; Android 14) Chrome/128.0 Mobile Safari/537.36', 'Chrome on Android'],
    ['curl/8.5.0', 'curl/8.5.0'],
  ])('a browser that calls itself %s is %s', (userAgent, words) => {
    expect(browserWords(userAgent)).toBe(words);
  });
});

// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eq } from '../../../src/store/sql/condition.js';
import { delegations, oauthPayloads } from '../../../src/store/tables/identity.js';
import { withPassword } from '../../support/account.js';
import { about, askingAgent, details, proofOf, serverOf } from '../../support/asking-agents.js';
import { codes, type Employee } from '../../support/administration.js';
import { given, Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordsOf } from '../../support/records.js';
import { Browser, insecure, type Shown, permitHttp } from './browser.js';

const grantType = 'urn:ietf:params:oauth:grant-type:device_code';

let office: Office;
/** A public agent without redirect URIs would do as well: the device has no browser. */
let screen: Agent;
let other: Agent;
let ines: Employee;
let people = 0;

beforeAll(async () => {
  office = await Office.start({}, { BEHALF_TRUSTED_PROXIES: '1' });
  screen = await askingAgent(office, 'screen', { isPublic: true });
  other = await askingAgent(office, 'other');
});
afterAll(() => office.server.stop());
beforeEach(async () => {
  people += 1;
  ines = await office.company.employee(`ines-${String(people)}`, 'support-rep');
});

interface Begun {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
}

const tasks = () => office.server.database.read.select(delegations, eq('userId', ines.id));
const told = ({ status, body }: TokenAnswer): string => `${String(status)} ${body.error ?? 'none'}`;
const asked = { scope: 'tickets:read customers:read', authorization_details: details(about) };

const begin = (changes: Record<string, string> = {}, as = screen): Promise<TokenAnswer> => {
  const form = { ...asked, ...changes };
  return as.secret === ''
    ? office.post('/oauth/device_authorization', { client_id: as.name, ...form })
    : office.post('/oauth/device_authorization', form, as);
};
const begun = async (changes: Record<string, string> = {}): Promise<Begun> =>
  (await begin(changes)).body as unknown as Begun;
const redeem = (code: string, as = screen): Promise<TokenAnswer> =>
  as.secret === ''
    ? office.post('/oauth/token', { client_id: as.name, grant_type: grantType, device_code: code })
    : office.post('/oauth/token', { grant_type: grantType, device_code: code }, as);

const browserAt = (address = `192.0.2.${String(people)}`): Browser =>
  new Browser(office.server.url, { 'x-forwarded-for': address });
const entered = async (browser: Browser, code: string): Promise<Shown> =>
  browser.submit(await browser.open(`${office.server.url}/oauth/device`), { user_code: code });
/** The page that asks the person what the agent may do, for a code that they typed. */
async function consentFor(code: string, who = ines, browser = browserAt()): Promise<[Browser, Shown]> {
  const form = await browser.submit(await entered(browser, code), { confirm: 'yes' });
  return [browser, await browser.submit(form, { username: await withPassword(office, who), password })];
}
async function allow(code: string): Promise<Shown> {
  const [browser, page] = await consentFor(code);
  return browser.submit(page, {});
}

describe('a device without a browser (RFC 8628)', () => {
  test('gets a token for the task that a person hands over in a browser elsewhere', async () => {
    const { device_code: code, user_code: typed, verification_uri: uri } = await begun();
    expect([typed, uri]).toEqual([
      expect.stringMatching(/^[B-DF-HJ-NP-TV-Z]{4}-[B-DF-HJ-NP-TV-Z]{4}$/),
      `${office.server.url}/oauth/device`,
    ]);
    expect(told(await redeem(code))).toBe('400 authorization_pending');
    const page = await allow(typed.toLowerCase().replace('-', ' '));
    expect(page.html).toContain('The device goes on');
    const answer = await redeem(code);
    const [task] = await tasks();
    expect(task).toMatchObject({ agentId: screen.id, ...about, scopes: ['customers:read', 'tickets:read'] });
    expect(answer.body).toMatchObject({
      scope: 'customers:read tickets:read',
      authorization_details: [{ type: 'behalf_delegation', delegation: task?.id }],
      refresh_token: expect.any(String) as string,
    });
    const read = await office.company.ask({ token: given(answer) }, '{ tickets(first: 1) { totalCount } }');
    expect(codes(read)).toEqual([]);
  });

  test('the person reads who asks, from where and since when, before and after signing in', async () => {
    const { user_code: typed } = await begun();
    const browser = browserAt();
    const page = await entered(browser, typed);
    for (const text of [
      'Is this your device?',
      typed,
      'Agent screen',
      'known here since',
      'Root',
      '127.0.0.1',
    ])
      expect(page.html).toContain(text);
    const [, consent] = await consentFor(typed);
    expect(consent.html).toContain('Where it was asked');
    expect(consent.html).toContain('127.0.0.1');
    expect(consent.html).not.toContain('Where your browser goes');
  });

  test('a link with the code shows the same page, and decides nothing', async () => {
    const { verification_uri_complete: link, device_code: code } = await begun();
    const browser = browserAt();
    const page = await browser.open(link);
    expect(page.html).toContain('Is this your device?');
    expect(page.headers.get('content-security-policy')).not.toContain('script-src');
    expect(told(await redeem(code))).toBe('400 authorization_pending');
    const form = await browser.submit(page, { confirm: 'yes' });
    expect(form.html).toContain('name="password"');
  });

  test('is told that the person did not begin it, or refused', async () => {
    const first = await begun();
    const browser = browserAt();
    const page = await browser.submit(await entered(browser, first.user_code), { abort: 'yes' });
    expect(page.html).toContain('Nothing was allowed');
    expect(told(await redeem(first.device_code))).toBe('400 access_denied');
    const second = await begun();
    const [there, consent] = await consentFor(second.user_code);
    expect((await there.submit(consent, { action: 'cancel' })).html).toContain('Nothing was allowed');
    expect(told(await redeem(second.device_code))).toBe('400 access_denied');
    expect(await tasks()).toEqual([]);
  });

  test('somebody else can sign in, who types the code again', async () => {
    const { user_code: typed, device_code: code } = await begun();
    const [browser, page] = await consentFor(typed);
    const mika = await office.company.employee(`mika-${String(people)}`, 'support-rep');
    const anew = await browser.submit(page, { action: 'switch' });
    expect(anew.html).toContain('Connect a device');
    const [there, consent] = await consentFor(typed, mika, browser);
    expect(consent.html).toContain(`mika-${String(people)}`);
    await there.submit(consent, {});
    expect(await tasks()).toEqual([]);
    expect((await redeem(code)).status).toBe(200);
  });
});

describe('the codes', () => {
  test('are stored as digests alone', async () => {
    const { device_code: code, user_code: typed } = await begun();
    const rows = await office.server.database.read.select(oauthPayloads, eq('model', 'DeviceCode'));
    const text = JSON.stringify(rows);
    for (const secret of [code, typed, typed.replace('-', '')]) expect(text).not.toContain(secret);
    // What stands for a code in the database is no code.
    const digest = rows.at(-1)?.id ?? '';
    for (const guess of [digest, `\u0001${digest}`])
      expect(told(await redeem(guess))).toBe('400 invalid_grant');
  });

  test('a device code is redeemed once; a second time ends the tokens of the first', async () => {
    const { device_code: code, user_code: typed } = await begun();
    await allow(typed);
    const token = given(await redeem(code));
    expect(told(await redeem(code))).toBe('400 invalid_grant');
    const read = await office.company.ask({ token }, '{ viewer { scopes } }');
    expect(codes(read)).toEqual(['UNAUTHENTICATED']);
  });

  test('a device code is worth nothing to another agent', async () => {
    const { device_code: code, user_code: typed } = await begun();
    await allow(typed);
    expect(told(await redeem(code, other))).toBe('400 invalid_grant');
    expect((await redeem(code)).status).toBe(200);
  });

  test('a device code is worth nothing once the person has taken the task back', async () => {
    const { device_code: code, user_code: typed } = await begun();
    await allow(typed);
    await office.done(ines, 'revokeDelegation', `id: "${(await tasks())[0]?.id ?? ''}"`);
    expect(told(await redeem(code))).toBe('400 invalid_grant');
  });

  test('a user code is for one person: nobody can type it while it is under way or after', async () => {
    const { user_code: typed } = await begun();
    const [browser, page] = await consentFor(typed);
    expect((await entered(browserAt('192.0.2.200'), typed)).html).toContain('was used already');
    await browser.submit(page, {});
    expect((await entered(browserAt('192.0.2.200'), typed)).html).toContain('was used already');
    expect(await tasks()).toHaveLength(1);
  });

  test('guesses are held up, of one address and of all together; others get in', async () => {
    const guesser = browserAt('198.51.100.1');
    const statuses = [];
    for (let guess = 0; guess < 13; guess += 1)
      statuses.push((await guesser.open(`${office.server.url}/oauth/device?user_code=BBBB-BBBB`)).status);
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 422));
    expect(statuses).toContain(429);
    const { user_code: typed } = await begun();
    expect((await entered(browserAt('198.51.100.2'), typed)).html).toContain('Is this your device?');
    const recorded = (await recordsOf(office.server.database, 'token')).filter(
      ({ detail, source }) => detail.errorCode === 'unknown_user_code' && source.address === '198.51.100.1',
    );
    expect(recorded).toHaveLength(statuses.filter((status) => status === 422).length);
    expect(new Set(recorded.map(({ outcome }) => outcome))).toEqual(new Set(['refused']));
    expect(JSON.stringify(recorded)).not.toContain('BBBB');
  });

  test('a form without a code, or from nowhere, is no guess', async () => {
    const count = async () => (await recordsOf(office.server.database, 'token')).length;
    const before = await count();
    const browser = browserAt('198.51.100.3');
    const page = await browser.open(`${office.server.url}/oauth/device`);
    expect((await browser.submit(page, { user_code: '' })).html).toContain('Enter the code');
    for (let form = 0; form < 12; form += 1)
      expect((await browser.submit(page, { xsrf: 'made-up', user_code: 'BBBB-BBBB' })).status).toBe(400);
    expect(await count()).toBe(before);
    const again = await browser.open(`${office.server.url}/oauth/device`);
    expect((await browser.submit(again, { user_code: 'BBBB-BBBB' })).html).toContain(
      'no request with this code',
    );
    expect(await count()).toBe(before + 1);
  });

  test('a client that polls too fast is told to slow down', async () => {
    const { device_code: code } = await begun();
    const answers = [];
    for (let poll = 0; poll < 6; poll += 1) answers.push(told(await redeem(code)));
    expect(answers.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => '400 authorization_pending'));
    expect(answers.at(-1)).toBe('400 slow_down');
  });
});

describe('a request of a device', () => {
  test.each([
    ['of nobody', {}, () => ({ ...screen, name: 'nobody' }), '400 invalid_client|401 invalid_client'],
    ['with a wrong secret', {}, () => ({ ...other, secret: 'guessed' }), '401 invalid_client'],
    ['for a scope that does not exist', { scope: 'everything' }, () => screen, '400 invalid_scope'],
    ['for another resource', { resource: 'https://other.example/' }, () => screen, '400 invalid_target'],
    [
      'with details of another type',
      { authorization_details: '[{"type":"everything"}]' },
      () => screen,
      '400 invalid_authorization_details',
    ],
    ['of a program of people', {}, () => ({ ...screen, name: 'behalf-account' }), '400 invalid_request'],
  ])('%s is refused, recorded and not kept', async (_what, changes, as, errors) => {
    const count = () => office.server.database.read.count(oauthPayloads, eq('model', 'DeviceCode'));
    const before = await count();
    const records = (await recordsOf(office.server.database, 'token')).length;
    expect(errors.split('|')).toContain(told(await begin(changes, as())));
    expect(await count()).toBe(before);
    const after = (await recordsOf(office.server.database, 'token')).slice(records);
    expect(after).toMatchObject([{ outcome: 'refused', detail: { grantType: 'device_authorization' } }]);
  });

  test.each([
    ['a scope beyond the agent’s role', { scope: 'invoices:issue tickets:read' }],
    [
      'more operations than its role has',
      { authorization_details: details({ ...about, limits: { operations: 501 } }) },
    ],
    [
      'a boundary that nobody has',
      { authorization_details: details({ ...about, boundary: { region: ['x'] } }) },
    ],
  ])('for %s comes to nothing', async (_what, changes) => {
    const { device_code: code, user_code: typed } = await begun(changes);
    const [, page] = await consentFor(typed);
    expect(page.html).toContain('Nothing was allowed');
    expect((await redeem(code)).status).toBe(400);
    expect(await tasks()).toEqual([]);
  });

  test('its form is taken from this server’s page alone', async () => {
    const { user_code: typed } = await begun();
    const browser = browserAt();
    const page = await entered(browser, typed);
    const foreign = await browser.submit(page, { confirm: 'yes' }, { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const stranger = await browserAt('192.0.2.201').submit(page, { confirm: 'yes' });
    expect(stranger.status).toBe(400);
  });
});

describe('foreign clients', () => {
  test('oauth4webapi goes through the flow with DPoP', async () => {
    const server = await serverOf(office);
    const me = { client_id: other.name };
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const started = await oauth.processDeviceAuthorizationResponse(
      server,
      me,
      await oauth.deviceAuthorizationRequest(server, me, proofOf(other), asked, insecure),
    );
    await allow(started.user_code);
    const answer = await oauth.processDeviceCodeResponse(
      server,
      me,
      await oauth.deviceCodeGrantRequest(server, me, proofOf(other), started.device_code, {
        ...insecure,
        DPoP,
      }),
    );
    expect(answer).toMatchObject({ token_type: 'dpop', scope: 'customers:read tickets:read' });
  });

  test('openid-client polls until the person has decided', async () => {
    const config = await client.discovery(new URL(office.server.url), screen.name, undefined, client.None(), {
      algorithm: 'oauth2',
      execute: [permitHttp],
    });
    const started = await client.initiateDeviceAuthorization(config, asked);
    await allow(started.user_code);
    const answer = await client.pollDeviceAuthorizationGrant(config, { ...started, interval: 0.01 });
    expect(answer.scope).toBe('customers:read tickets:read');
  });
});

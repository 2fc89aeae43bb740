// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eq } from '../../../src/store/sql/condition.js';
import { delegations, oauthPayloads } from '../../../src/store/tables/identity.js';
import { withPassword } from '../../support/account.js';
import { about, askingAgent, callback, details, proofOf, serverOf } from '../../support/asking-agents.js';
import { codes, type Employee } from '../../support/administration.js';
import { Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordsOf } from '../../support/records.js';
import { Browser, insecure, permitHttp } from './browser.js';

let office: Office;
let helper: Agent;
let other: Agent;
let ines: Employee;
let people = 0;

beforeAll(async () => {
  office = await Office.start();
  helper = await askingAgent(office, 'helper');
  other = await askingAgent(office, 'other');
});
afterAll(() => office.server.stop());
beforeEach(async () => {
  people += 1;
  ines = await office.company.employee(`ines-${String(people)}`, 'support-rep');
});

const tasks = () => office.server.database.read.select(delegations, eq('userId', ines.id));
const pushed = () =>
  office.server.database.read.count(oauthPayloads, eq('model', 'PushedAuthorizationRequest'));

const verifier = 'v'.repeat(43);
const request = async (): Promise<Record<string, string>> => ({
  ...{ client_id: helper.name, redirect_uri: callback, response_type: 'code', state: 'a-state' },
  ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
  ...{ scope: 'tickets:read customers:read', authorization_details: details(about) },
});
const push = async (changes: Record<string, string> = {}, as: Agent = helper): Promise<TokenAnswer> => {
  const sent = Object.entries({ ...(await request()), ...changes }).filter(([, value]) => value !== '');
  return office.post('/oauth/par', Object.fromEntries(sent), as);
};
const uriOf = ({ body }: TokenAnswer): string => String((body as { request_uri?: string }).request_uri);
const told = ({ status, body }: TokenAnswer): string => `${String(status)} ${body.error ?? 'none'}`;

/** What the person comes back with, who opens the request and allows what is asked. */
async function allow(url: string): Promise<URL> {
  const browser = new Browser(office.server.url);
  const form = await browser.open(url);
  const page = await browser.submit(form, { username: await withPassword(office, ines), password });
  return new URL((await browser.submit(page, {})).url);
}
const authorizeAt = (parameters: Record<string, string>): string =>
  `${office.server.url}/oauth/authorize?${new URLSearchParams(parameters).toString()}`;

describe('a pushed authorization request (RFC 9126)', () => {
  test('by oauth4webapi: is asked as it was pushed, answered with iss, and used once', async () => {
    const server = await serverOf(office);
    const me = { client_id: helper.name };
    const response = await oauth.pushedAuthorizationRequest(
      server,
      me,
      proofOf(helper),
      await request(),
      insecure,
    );
    const { request_uri: uri } = await oauth.processPushedAuthorizationResponse(server, me, response);
    // What stands beside the reference does not count.
    const url = authorizeAt({
      client_id: helper.name,
      request_uri: uri,
      scope: 'users:manage',
      state: 'evil',
    });
    const returned = await allow(url);
    expect(returned.searchParams.get('iss')).toBe(office.server.url);
    const parameters = oauth.validateAuthResponse(server, me, returned, 'a-state');
    const answer = await oauth.processAuthorizationCodeResponse(
      server,
      me,
      await oauth.authorizationCodeGrantRequest(
        server,
        me,
        proofOf(helper),
        parameters,
        callback,
        verifier,
        insecure,
      ),
    );
    expect(answer.scope).toBe('customers:read tickets:read');
    expect(await tasks()).toMatchObject([about]);
    const again = await new Browser(office.server.url).open(url);
    expect(new URL(again.url).searchParams.get('error')).toBe('invalid_request_uri');
  });

  test('by openid-client', async () => {
    const config = await client.discovery(
      new URL(office.server.url),
      helper.name,
      undefined,
      client.ClientSecretBasic(helper.secret),
      { algorithm: 'oauth2', execute: [permitHttp] },
    );
    const url = await client.buildAuthorizationUrlWithPAR(config, await request());
    const checks = { pkceCodeVerifier: verifier, expectedState: 'a-state' };
    const answer = await client.authorizationCodeGrant(config, await allow(url.href), checks);
    const read = await office.company.ask(
      { token: answer.access_token },
      '{ tickets(first: 1) { totalCount } }',
    );
    expect(codes(read)).toEqual([]);
    expect(answer.refresh_token).toBeDefined();
  });

  test('that says nothing of its task asks for one all the same', async () => {
    const answer = await push({ authorization_details: '', scope: '' });
    expect(answer.status).toBe(201);
    const uri = uriOf(answer);
    const browser = new Browser(office.server.url);
    const form = await browser.open(authorizeAt({ client_id: helper.name, request_uri: uri }));
    const page = await browser.submit(form, { username: await withPassword(office, ines), password });
    expect(page.html).toContain('What the task is for');
  });

  test.each([
    ['a wrong secret', {}, () => ({ ...helper, secret: 'guessed' }), '401 invalid_client'],
    ['the name of another agent', {}, () => other, '400 invalid_request'],
    ['another redirect URI', { redirect_uri: 'https://evil.example/' }, () => helper, '400 invalid_request'],
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, () => helper, '400 invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, () => helper, '400 invalid_request'],
    ['a scope that does not exist', { scope: 'everything' }, () => helper, '400 invalid_scope'],
    ['another resource', { resource: 'https://other.example/' }, () => helper, '400 invalid_target'],
    ['a request object', { request: 'e30.e30.' }, () => helper, '400 request_not_supported'],
    ['a reference', { request_uri: 'https://evil.example/' }, () => helper, '400 request_uri_not_supported'],
    [
      'details of another type',
      { authorization_details: '[{"type":"everything"}]' },
      () => helper,
      '400 invalid_authorization_details',
    ],
    ['an answer by a script', { response_mode: 'form_post' }, () => helper, '400 unsupported_response_mode'],
  ])('with %s is refused, recorded and not kept', async (_what, changes, as, error) => {
    const before = await pushed();
    const records = (await recordsOf(office.server.database, 'token')).length;
    expect(told(await push(changes, as()))).toBe(error);
    expect(await pushed()).toBe(before);
    const after = (await recordsOf(office.server.database, 'token')).slice(records);
    expect(after).toMatchObject([
      {
        outcome: 'refused',
        detail: { grantType: 'pushed_authorization_request', errorCode: error.slice(4) },
      },
    ]);
  });

  test('of another client is answered as one that there is not: nothing of it is told, and it stays good', async () => {
    const uri = uriOf(await push({ state: 'secret-state' }));
    const answers = [uri, 'urn:ietf:params:oauth:request_uri:guessed'].map(async (reference) => {
      const mine = {
        client_id: other.name,
        request_uri: reference,
        state: 'my-state',
        redirect_uri: callback,
      };
      const browser = new Browser(office.server.url);
      return [
        (await browser.open(authorizeAt(mine))).url,
        (await browser.open(authorizeAt({ ...mine, state: '', redirect_uri: 'https://evil.example/' }))).html,
      ];
    });
    const [others, guessed] = await Promise.all(answers);
    expect(others).toEqual(guessed);
    const { searchParams } = new URL(others?.[0] ?? '');
    expect(Object.fromEntries(searchParams)).toEqual({
      ...{ error: 'invalid_request_uri', state: 'my-state', iss: office.server.url },
      error_description: expect.any(String) as unknown,
    });
    const returned = await allow(authorizeAt({ client_id: helper.name, request_uri: uri }));
    expect(returned.searchParams.get('state')).toBe('secret-state');
  });

  test.each([
    ['of another agent', async () => ({ client_id: other.name, request_uri: uriOf(await push()) })],
    [
      'that nobody pushed',
      () =>
        Promise.resolve({ client_id: helper.name, request_uri: 'urn:ietf:params:oauth:request_uri:guessed' }),
    ],
    [
      'at another site',
      () => Promise.resolve({ client_id: helper.name, request_uri: 'https://evil.example/' }),
    ],
  ])('a reference %s opens no page to sign in', async (_what, parameters) => {
    const page = await new Browser(office.server.url).open(authorizeAt(await parameters()));
    // The agent has one redirect URI, to which its errors go (RFC 6749 section 4.1.2.1).
    const { origin, pathname, searchParams } = new URL(page.url);
    expect([origin + pathname, searchParams.get('code')]).toEqual([callback, null]);
    expect(searchParams.get('error')).toMatch(/^(invalid_request_uri|request_uri_not_supported)$/);
    expect(await tasks()).toEqual([]);
  });

  test('is stored without its reference', async () => {
    const uri = uriOf(await push());
    const rows = await office.server.database.read.select(
      oauthPayloads,
      eq('model', 'PushedAuthorizationRequest'),
    );
    const id = uri.split(':').at(-1) ?? '';
    expect([id.length > 20, JSON.stringify(rows).includes(id)]).toEqual([true, false]);
  });
});

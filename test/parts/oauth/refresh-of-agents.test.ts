// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { PayloadAdapter } from '../../../src/oauth/library/payload-adapter.js';
import { eq } from '../../../src/store/sql/condition.js';
import { delegations } from '../../../src/store/tables/identity.js';
import { askedBy, askingAgent, callback, details, proofOf, serverOf } from '../../support/asking-agents.js';
import { codes, type Employee } from '../../support/administration.js';
import { given, Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { recordsOf } from '../../support/records.js';
import { insecure, permitHttp } from './browser.js';

let office: Office;
let open: Agent;
let secretive: Agent;
let ines: Employee;
let people = 0;

beforeAll(async () => {
  office = await Office.start();
  open = await askingAgent(office, 'open', { isPublic: true });
  secretive = await askingAgent(office, 'secretive');
});
afterAll(async () => {
  await office.server.stop();
  vi.useRealTimers();
});
beforeEach(async () => {
  people += 1;
  ines = await office.company.employee(`ines-${String(people)}`, 'support-rep');
});

/** The answer to an agent's code: the first access token and refresh token of a task. */
async function allowed(agent: Agent, parameters: Record<string, string> = {}): Promise<TokenAnswer['body']> {
  const [flow, page] = await askedBy(office, agent, ines, parameters);
  const returned = await flow.browser.submit(page, {});
  const form = {
    ...{ grant_type: 'authorization_code', code: new URL(returned.url).searchParams.get('code') ?? '' },
    ...{ redirect_uri: callback, code_verifier: flow.verifier },
  };
  return (await send(form, agent)).body;
}

const send = (form: Record<string, string>, as: Agent): Promise<TokenAnswer> =>
  as.secret === ''
    ? office.post('/oauth/token', { client_id: as.name, ...form })
    : office.post('/oauth/token', form, as);

const refresh = (token: string | undefined, as: Agent, more: Record<string, string> = {}) =>
  send({ grant_type: 'refresh_token', refresh_token: token ?? '', ...more }, as);

const read = (token: string) => office.company.ask({ token }, '{ tickets(first: 1) { totalCount } }');
const task = async () => {
  const [row] = await office.server.database.read.select(delegations, eq('userId', ines.id));
  if (row === undefined) throw new Error('no task');
  return row;
};
const told = ({ status, body }: TokenAnswer): string => `${String(status)} ${body.error ?? 'none'}`;
/** Time never goes back, nor does it fall behind the clock of the reading thread. */
function forwardSeconds(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000, shouldAdvanceTime: true });
}

describe.each([
  ['a public agent', () => open],
  ['an agent with a secret', () => secretive],
])('%s', (_kind, agentOf) => {
  test('keeps its token fresh while the task lasts, and no longer', async () => {
    const first = await allowed(agentOf());
    const second = await refresh(first.refresh_token, agentOf());
    expect(second.body).toMatchObject({
      scope: 'customers:read tickets:read',
      authorization_details: [{ type: 'behalf_delegation', delegation: (await task()).id }],
    });
    expect(second.body.refresh_token).not.toBe(first.refresh_token);
    expect(codes(await read(given(second)))).toEqual([]);
    await office.done(ines, 'revokeDelegation', `id: "${(await task()).id}"`);
    expect(codes(await read(given(second)))).toEqual(['UNAUTHENTICATED']);
    expect(told(await refresh(second.body.refresh_token, agentOf()))).toBe('400 invalid_grant');
  });

  test('gets one answer by 32 refreshes of one token at once; a later replay ends the family', async () => {
    const first = await allowed(agentOf());
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => refresh(first.refresh_token, agentOf())),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 32 }, () => 200));
    const tokens = [...new Set(answers.map(given))];
    for (const token of tokens) expect(codes(await read(token))).toEqual([]);
    const [next] = answers;
    const again = await refresh(next?.body.refresh_token, agentOf());
    expect(again.status).toBe(200);
    forwardSeconds(11);
    expect(told(await refresh(first.refresh_token, agentOf()))).toBe('400 invalid_grant');
    expect(codes(await read(given(again)))).toEqual(['UNAUTHENTICATED']);
    expect(told(await refresh(again.body.refresh_token, agentOf()))).toBe('400 invalid_grant');
    expect((await recordsOf(office.server.database, 'token')).at(-1)).toMatchObject({ outcome: 'refused' });
  });

  test('gets none after an administrator has stopped it, even once it is started again', async () => {
    const { id } = agentOf();
    const first = await allowed(agentOf());
    await office.done(office.company.root, 'stopAgent', `id: "${id}"`);
    expect(told(await refresh(first.refresh_token, agentOf()))).toBe('401 invalid_client');
    await office.done(office.company.root, 'startAgent', `id: "${id}"`);
    expect(told(await refresh(first.refresh_token, agentOf()))).toBe('400 invalid_grant');
  });
});

test('a refresh that is saved while a replay ends its family gives nothing, not even with the next grant', async () => {
  const first = await allowed(secretive);
  const second = await refresh(first.refresh_token, secretive);
  forwardSeconds(11);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its adapter
  const upsert = PayloadAdapter.prototype.upsert;
  const saved: string[] = [];
  const spy = vi.spyOn(PayloadAdapter.prototype, 'upsert').mockImplementation(async function save(
    this: PayloadAdapter,
    id,
    payload,
    expiresIn,
  ) {
    if (payload.kind === 'AccessToken') {
      saved.push(id);
      if (saved.length === 1)
        expect(told(await refresh(first.refresh_token, secretive))).toBe('400 invalid_grant');
    }
    await upsert.call(this, id, payload, expiresIn);
  });
  const late = await refresh(second.body.refresh_token, secretive);
  spy.mockRestore();
  expect(told(late)).toBe('400 invalid_grant');
  const anew = await office.tokenOf(secretive, (await task()).id);
  expect(codes(await read(anew))).toEqual([]);
  expect(codes(await read(saved[0] ?? ''))).toEqual(['UNAUTHENTICATED']);
});

test('the refresh token ends with the task', async () => {
  const short = details({ purpose: 'Look', task: 'ticket:T-1', limits: { expiresInSeconds: 60 } });
  const first = await allowed(open, { authorization_details: short });
  forwardSeconds(61);
  expect(told(await refresh(first.refresh_token, open))).toBe('400 invalid_grant');
});

describe('a refresh widens nothing', () => {
  test('a narrower scope is for one token; the next refresh has all of them', async () => {
    const first = await allowed(open);
    const narrow = await refresh(first.refresh_token, open, { scope: 'tickets:read' });
    expect(narrow.body.scope).toBe('tickets:read');
    const wide = await refresh(narrow.body.refresh_token, open);
    expect(wide.body.scope).toBe('customers:read tickets:read');
  });

  test.each([
    ['a scope that the task does not have', { scope: 'tickets:read invoices:read' }, '400 invalid_scope'],
    ['another resource', { resource: 'https://other.example/' }, '400 invalid_target'],
    [
      'another task',
      { authorization_details: details({ delegation: '01JD8Z0Q6Y3V5W7X9ABCDEFGHJ' }) },
      '400 invalid_authorization_details',
    ],
    [
      'a wider boundary',
      { authorization_details: details({ boundary: { customer: 'all' } }) },
      '400 invalid_authorization_details',
    ],
    [
      'more time',
      { authorization_details: details({ limits: { expiresInSeconds: 9_999_999 } }) },
      '400 invalid_authorization_details',
    ],
    [
      'more depth',
      { authorization_details: details({ limits: { depth: 9 } }) },
      '400 invalid_authorization_details',
    ],
  ])('%s is refused, and uses nothing up', async (_what, more, error) => {
    const first = await allowed(open);
    const before = await task();
    expect(told(await refresh(first.refresh_token, open, more))).toBe(error);
    expect(await task()).toEqual(before);
    expect((await refresh(first.refresh_token, open)).status).toBe(200);
  });

  test('another agent, another program and a wrong secret get nothing, and use nothing up', async () => {
    const first = await allowed(secretive);
    const { refresh_token: token } = first;
    expect(told(await refresh(token, open))).toBe('400 invalid_grant');
    const program = { grant_type: 'refresh_token', refresh_token: token ?? '', client_id: 'behalf-cli' };
    expect(told(await office.post('/oauth/token', program))).toBe('400 invalid_grant');
    expect(told(await refresh(token, { ...secretive, secret: 'guessed' }))).toBe('401 invalid_client');
    expect((await refresh(token, secretive)).status).toBe(200);
  });

  test('a refresh token is no access token, no subject of an exchange, and no code', async () => {
    const { refresh_token: token = '' } = await allowed(secretive);
    expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
    expect(told(await office.exchange(secretive, token, { task: 't', purpose: 'p' }))).toBe(
      '400 invalid_request',
    );
    const code = { grant_type: 'authorization_code', code: token, redirect_uri: callback };
    expect(told(await send({ ...code, code_verifier: 'v'.repeat(43) }, secretive))).toBe('400 invalid_grant');
  });
});

test('a public agent has no grant that rests on its name alone', async () => {
  const { access_token: token = '' } = await allowed(open);
  const { id } = await task();
  const byName = { grant_type: 'client_credentials', authorization_details: details({ delegation: id }) };
  expect(told(await send(byName, open))).toBe('400 invalid_request');
  const tokenExchange = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
  expect(told(await send(tokenExchange, open))).toBe('400 invalid_request');
});

describe('foreign clients', () => {
  test('oauth4webapi refreshes with DPoP, and only with the key of the first proof', async () => {
    const server = await serverOf(office);
    const me = { client_id: open.name };
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const [flow, page] = await askedBy(office, open, ines);
    const returned = await flow.browser.submit(page, {});
    const parameters = oauth.validateAuthResponse(server, me, new URL(returned.url), flow.state);
    const answer = await oauth.processAuthorizationCodeResponse(
      server,
      me,
      await oauth.authorizationCodeGrantRequest(
        server,
        me,
        proofOf(open),
        parameters,
        callback,
        flow.verifier,
        {
          ...insecure,
          DPoP,
        },
      ),
    );
    const refreshed = async (options: object) =>
      oauth.processRefreshTokenResponse(
        server,
        me,
        await oauth.refreshTokenGrantRequest(server, me, proofOf(open), answer.refresh_token ?? '', {
          ...insecure,
          ...options,
        }),
      );
    const stranger = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    for (const options of [{}, { DPoP: stranger }])
      await expect(refreshed(options)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await refreshed({ DPoP })).toMatchObject({
      token_type: 'dpop',
      scope: 'customers:read tickets:read',
    });
  });

  test('openid-client refreshes with a secret', async () => {
    const first = await allowed(secretive);
    const config = await client.discovery(
      new URL(office.server.url),
      secretive.name,
      undefined,
      client.ClientSecretBasic(secretive.secret),
      { algorithm: 'oauth2', execute: [permitHttp] },
    );
    const next = await client.refreshTokenGrant(config, first.refresh_token ?? '');
    expect(codes(await read(next.access_token))).toEqual([]);
    expect(next.refresh_token).toBeDefined();
  });
});

describe('client credentials without a name', () => {
  const ask = (agent: Agent, more: Record<string, string> = {}) =>
    office.post('/oauth/token', { grant_type: 'client_credentials', ...more }, agent);

  test('are for the only active delegation; several are listed, and none is refused', async () => {
    const agent = await office.agent(`named-${String(people)}`, office.company.root, 'support-agent');
    expect(told(await ask(agent))).toBe('400 invalid_grant');
    const input = { agent: agent.name, role: 'support-agent', scopes: ['tickets:read'] };
    const one = await office.delegate(ines, { ...input, task: 'ticket:T-1' });
    const token = await ask(agent, { scope: 'tickets:read' });
    expect(token.body).toMatchObject({ authorization_details: [{ delegation: one }] });
    const two = await office.delegate(ines, { ...input, task: 'ticket:T-2' });
    const refused = await ask(agent);
    expect(told(refused)).toBe('400 invalid_authorization_details');
    expect(refused.body.error_description).toContain(`${two} (ticket:T-2), ${one} (ticket:T-1)`);
    expect((await office.requestToken(agent, two)).status).toBe(200);
    await office.done(ines, 'revokeDelegation', `id: "${two}"`);
    expect((await ask(agent)).body).toMatchObject({ authorization_details: [{ delegation: one }] });
  });

  test('that describe a task make none', async () => {
    const agent = await office.agent(`maker-${String(people)}`, office.company.root, 'support-agent');
    await office.delegate(ines, { agent: agent.name, role: 'support-agent', scopes: ['tickets:read'] });
    const described = details({ purpose: 'More', task: 'ticket:T-9' });
    expect(told(await ask(agent, { authorization_details: described }))).toBe(
      '400 invalid_authorization_details',
    );
  });
});

// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isoTime } from '../../../src/core/clock.js';
import { sha256 } from '../../../src/core/digest.js';
import { eq } from '../../../src/store/sql/condition.js';
import {
  agents,
  oauthPayloads,
  users,
  type AgentRow,
  type UserRow,
} from '../../../src/store/tables/identity.js';
import { CodeFlow, discover, insecure, program, tokensOf } from './browser.js';
import { allScopes, forwardSeconds, Harness } from './harness.js';
import { password } from '../../support/passwords.js';

let harness: Harness;
let ada: UserRow;
let support: { agent: AgentRow; secret: string };
let server: oauth.AuthorizationServer;

beforeAll(async () => {
  harness = await Harness.start();
  ada = await harness.addUser('ada');
  support = await harness.addAgent('support-agent', ada.id);
  server = await discover(harness);
});
afterAll(() => harness.stop());
beforeEach(() => {
  forwardSeconds(3600);
  harness.recorder.events.length = 0;
  harness.recorder.isBroken = false;
});

const details = (members: object): string => JSON.stringify([{ type: 'behalf_delegation', ...members }]);
const credentials = () => ({ id: 'support-agent', secret: support.secret });
const delegate = (scopes = ['tickets:read', 'refunds:issue'], changes = {}) =>
  harness.delegations.make({ userId: ada.id, agentId: support.agent.id, scopes, ...changes });
const ask = (delegation: string, more: Record<string, string> = {}, as = credentials()) =>
  harness.post(
    '/oauth/token',
    { grant_type: 'client_credentials', authorization_details: details({ delegation }), ...more },
    as,
  );

describe('client credentials', () => {
  test('give an agent a token of the person, under the delegation it names', async () => {
    const delegation = delegate();
    const client = { client_id: 'support-agent' };
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(support.secret),
      { authorization_details: details({ delegation: delegation.id }) },
      insecure,
    );
    const token = await oauth.processClientCredentialsResponse(server, client, response);
    expect(token.scope).toBe('tickets:read refunds:issue');
    expect(token.expires_in).toBe(300);
    expect(token.authorization_details).toEqual([{ type: 'behalf_delegation', delegation: delegation.id }]);
    expect(token.refresh_token).toBeUndefined();
    expect(await harness.fact(token.access_token)).toEqual({
      tokenId: `tok_${sha256(token.access_token).slice(0, 22)}`,
      audience: `${harness.issuer}/graphql`,
      userId: ada.id,
      grantId: delegation.id,
      clientId: 'support-agent',
      delegationId: delegation.id,
      generation: 0,
      scopes: ['tickets:read', 'refunds:issue'],
      expiresAt: Date.now() + 300_000,
    });
    expect(harness.recorder.events).toEqual([
      {
        kind: 'token',
        outcome: 'success',
        userId: ada.id,
        agentId: support.agent.id,
        clientName: 'support-agent',
        delegationId: delegation.id,
        tokenId: `tok_${sha256(token.access_token).slice(0, 22)}`,
        grantType: 'client_credentials',
        address: '127.0.0.1',
        userAgent: expect.any(String) as string,
      },
    ]);
  });

  test('narrow to the scopes that are asked for', async () => {
    const { body } = await ask(delegate().id, { scope: 'tickets:read' });
    expect(body.scope).toBe('tickets:read');
  });

  test('never outlive the delegation', async () => {
    const { body } = await ask(delegate(['tickets:read'], { expiresAt: Date.now() + 20_500 }).id);
    expect(body.expires_in).toBe(20);
    forwardSeconds(20);
    expect(await harness.fact(String(body.access_token))).toBeUndefined();
  });

  test.each([
    ['no delegation', {}, 'invalid_authorization_details'],
    ['an unknown type', { authorization_details: '[{"type":"payment"}]' }, 'invalid_authorization_details'],
    ['what is no JSON', { authorization_details: 'yes please' }, 'invalid_authorization_details'],
    [
      'an unknown member',
      { authorization_details: details({ delegation: 'x', all: true }) },
      'invalid_authorization_details',
    ],
    [
      'an unknown delegation',
      { authorization_details: details({ delegation: '01J00000000000000000000000' }) },
      'invalid_grant',
    ],
    [
      'another resource',
      { authorization_details: details({ delegation: 'x' }), resource: 'https://elsewhere.example' },
      'invalid_target',
    ],
    [
      'an unknown scope',
      { authorization_details: details({ delegation: 'x' }), scope: 'world:rule' },
      'invalid_scope',
    ],
  ])('%s is refused, and recorded', async (_name, form, error) => {
    const answer = await harness.post(
      '/oauth/token',
      { grant_type: 'client_credentials', ...form },
      credentials(),
    );
    expect(answer.status).toBe(400);
    expect(answer.body.error).toBe(error);
    expect(answer.body.access_token).toBeUndefined();
    expect(harness.recorder.last()).toMatchObject({
      kind: 'token',
      outcome: 'refused',
      errorCode: error,
      agentId: support.agent.id,
    });
  });

  test("two delegations at once and another agent's are refused", async () => {
    const two = JSON.stringify([
      { type: 'behalf_delegation', delegation: delegate().id },
      { type: 'behalf_delegation', delegation: delegate().id },
    ]);
    expect((await ask('', { authorization_details: two })).body.error).toBe('invalid_authorization_details');
    const other = await harness.addAgent('other-agent', ada.id);
    const theirs = harness.delegations.make({
      userId: ada.id,
      agentId: other.agent.id,
      scopes: ['tickets:read'],
    });
    expect((await ask(theirs.id)).body.error).toBe('invalid_grant');
  });

  test('people cannot use them', async () => {
    const answer = await harness.post('/oauth/token', {
      grant_type: 'client_credentials',
      client_id: 'behalf-cli',
    });
    expect(answer.status).toBe(400);
    expect(answer.body.access_token).toBeUndefined();
  });
});

describe('an agent proves who it is', () => {
  test.each([
    ['a wrong secret', { id: 'support-agent', secret: 'wrong' }],
    ['an unknown name', { id: 'nobody', secret: 'wrong' }],
    ["a person's program", { id: 'behalf-cli', secret: 'wrong' }],
  ])('%s is no proof', async (_name, as) => {
    const answer = await ask(delegate().id, {}, as);
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({
      error: 'invalid_client',
      error_description: 'client authentication failed',
    });
    expect(harness.recorder.last()).toMatchObject({ outcome: 'refused', errorCode: 'invalid_client' });
  });

  test('secrets rotate with overlap, and end at their time', async () => {
    const { agent, secret } = await harness.addAgent('rotating', ada.id);
    const delegation = harness.delegations.make({
      userId: ada.id,
      agentId: agent.id,
      scopes: ['tickets:read'],
    });
    const next = await harness.addSecret(agent.id, 'the next secret', isoTime(Date.now() + 60_000));
    const status = async (tried: string) =>
      (await ask(delegation.id, {}, { id: 'rotating', secret: tried })).status;
    expect(await status(secret)).toBe(200);
    expect(await status(next)).toBe(200);
    forwardSeconds(60);
    expect(await status(secret)).toBe(200);
    expect(await status(next)).toBe(401);
  });

  test('a stopped agent is unknown at once', async () => {
    const { agent, secret } = await harness.addAgent('stopping', ada.id);
    const delegation = harness.delegations.make({
      userId: ada.id,
      agentId: agent.id,
      scopes: ['tickets:read'],
    });
    expect((await ask(delegation.id, {}, { id: 'stopping', secret })).status).toBe(200);
    await harness.database.transaction((tx) => tx.update(agents, eq('id', agent.id), { status: 'stopped' }));
    expect((await ask(delegation.id, {}, { id: 'stopping', secret })).status).toBe(401);
  });

  test('a signed assertion is a proof, once', async () => {
    const { agent, key } = await harness.addKeyAgent('signing', ada.id);
    const delegation = harness.delegations.make({
      userId: ada.id,
      agentId: agent.id,
      scopes: ['tickets:read'],
    });
    const client = { client_id: 'signing' };
    let sent = '';
    const capture: typeof fetch = (input, init) => {
      if (init?.body instanceof URLSearchParams) sent = init.body.toString();
      return fetch(input, init);
    };
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.PrivateKeyJwt({ key, kid: 'k1' }),
      { authorization_details: details({ delegation: delegation.id }) },
      { ...insecure, [oauth.customFetch]: capture },
    );
    await expect(oauth.processClientCredentialsResponse(server, client, response)).resolves.toMatchObject({
      scope: 'tickets:read',
    });
    const again = await harness.post('/oauth/token', Object.fromEntries(new URLSearchParams(sent)));
    expect(again.status).toBe(401);
  });
});

describe('codes and refresh tokens', () => {
  const refresh = (token: string) =>
    harness.post('/oauth/token', {
      grant_type: 'refresh_token',
      client_id: 'behalf-cli',
      refresh_token: token,
    });

  test('a code works once; used twice it takes its tokens with it', async () => {
    const flow = await CodeFlow.start(harness);
    const returned = await flow.signIn('ada', password);
    const tokens = await flow.redeem(returned);
    const before = await harness.delegations.epoch();
    const replay = await flow.redeemRaw(returned);
    expect(replay.status).toBe(400);
    expect(await replay.json()).toMatchObject({ error: 'invalid_grant' });
    expect(await harness.fact(tokens.access_token)).toBeUndefined();
    expect((await refresh(tokens.refresh_token ?? '')).body.error).toBe('invalid_grant');
    expect(await harness.delegations.epoch()).toBeGreaterThan(before);
  });

  test('of many uses of a code at the same moment at most one gets a token, and that one is revoked', async () => {
    const flow = await CodeFlow.start(harness);
    const returned = await flow.signIn('ada', password);
    const answers = await Promise.all(Array.from({ length: 6 }, () => flow.redeemRaw(returned)));
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { access_token?: string }[];
    const given = bodies.flatMap(({ access_token: token }) => (token === undefined ? [] : [token]));
    expect(given.length).toBeLessThanOrEqual(1);
    for (const token of given) expect(await harness.fact(token)).toBeUndefined();
  });

  test('a code needs its verifier and expires', async () => {
    const flow = await CodeFlow.start(harness);
    const code = new URL((await flow.signIn('ada', password)).url).searchParams.get('code') ?? '';
    const form = {
      grant_type: 'authorization_code',
      client_id: 'behalf-cli',
      redirect_uri: 'http://127.0.0.1:45678/callback',
      code,
    };
    expect((await harness.post('/oauth/token', { ...form, code_verifier: 'x'.repeat(43) })).body.error).toBe(
      'invalid_grant',
    );
    forwardSeconds(61);
    expect((await harness.post('/oauth/token', { ...form, code_verifier: 'x'.repeat(43) })).body.error).toBe(
      'invalid_grant',
    );
  });

  test('refresh tokens rotate; an old one ends the whole sign-in', async () => {
    const first = await tokensOf(harness, 'ada', password);
    const response = await oauth.refreshTokenGrantRequest(
      server,
      program,
      oauth.None(),
      first.refresh_token ?? '',
      insecure,
    );
    const second = await oauth.processRefreshTokenResponse(server, program, response);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await harness.fact(second.access_token))?.scopes).toEqual(allScopes);
    forwardSeconds(60);
    expect((await refresh(first.refresh_token ?? '')).body.error).toBe('invalid_grant');
    expect(await harness.fact(second.access_token)).toBeUndefined();
    expect((await refresh(second.refresh_token ?? '')).body.error).toBe('invalid_grant');
  });

  test('a refresh never widens, and ends with the account and with the sign-in', async () => {
    const { refresh_token: token = '' } = await tokensOf(harness, 'ada', password, { scope: 'tickets:read' });
    const wider = await harness.post('/oauth/token', {
      grant_type: 'refresh_token',
      client_id: 'behalf-cli',
      refresh_token: token,
      scope: 'tickets:read refunds:issue',
    });
    expect(wider.body.error).toBe('invalid_scope');
    const user = await harness.addUser('leaving');
    const theirs = await tokensOf(harness, 'leaving', password);
    await harness.database.transaction((tx) => tx.update(users, eq('id', user.id), { status: 'disabled' }));
    expect((await refresh(theirs.refresh_token ?? '')).body.error).toBe('invalid_grant');
    forwardSeconds(86_400);
    expect((await refresh(token)).body.error).toBe('invalid_grant');
  });

  test('access tokens end after five minutes and are purged', async () => {
    const tokens = await tokensOf(harness, 'ada', password);
    forwardSeconds(299);
    expect(await harness.fact(tokens.access_token)).toBeDefined();
    forwardSeconds(1);
    expect(await harness.fact(tokens.access_token)).toBeUndefined();
    expect(await harness.oauth.purgeExpired()).toBeGreaterThan(0);
    expect(await harness.dump()).not.toContain(sha256(tokens.access_token));
    forwardSeconds(90_000);
    await harness.oauth.purgeExpired();
    expect(await harness.dump()).toBe('[]');
  });

  test('a backlog longer than one transaction takes is purged whole, and nothing that is alive', async () => {
    const tokens = await tokensOf(harness, 'ada', password);
    const row = {
      grantId: null,
      uid: null,
      userCode: null,
      accountId: null,
      payload: '{}',
      consumedAt: null,
    };
    const backlog = Array.from({ length: 1_201 }, (_, n) => ({
      ...row,
      model: n % 3 === 0 ? 'Session' : 'ReplayDetection',
      id: sha256(`old ${String(n)}`),
      expiresAt: '2026-01-01T00:00:00.000Z',
    }));
    await harness.oauth.purgeExpired();
    await harness.database.transaction((tx) => tx.insert(oauthPayloads, backlog));
    expect(await harness.oauth.purgeExpired()).toBe(1_201);
    expect(await harness.dump()).not.toContain(sha256('old 0'));
    expect(await harness.fact(tokens.access_token)).toBeDefined();
  });
});

describe('introspection and revocation', () => {
  const introspect = async (token: string, as = credentials()) =>
    (await harness.post('/oauth/introspect', { token }, as)).body;

  test('an agent sees its own token with its chain', async () => {
    const delegation = delegate();
    const token = String((await ask(delegation.id)).body.access_token);
    const client = { client_id: 'support-agent' };
    const response = await oauth.introspectionRequest(
      server,
      client,
      oauth.ClientSecretBasic(support.secret),
      token,
      insecure,
    );
    expect(await oauth.processIntrospectionResponse(server, client, response)).toEqual({
      active: true,
      sub: ada.id,
      client_id: 'support-agent',
      scope: 'tickets:read refunds:issue',
      exp: Math.floor(Date.now() / 1000) + 300,
      iat: Math.floor(Date.now() / 1000),
      iss: harness.issuer,
      aud: `${harness.issuer}/graphql`,
      token_type: 'Bearer',
      authorization_details: [{ type: 'behalf_delegation', delegation: delegation.id }],
      act: { sub: support.agent.id, client_id: 'support-agent' },
    });
  });

  test("what has ended, what is somebody else's and what never was look alike", async () => {
    const other = await harness.addAgent('curious', ada.id);
    const delegation = delegate();
    const token = String((await ask(delegation.id)).body.access_token);
    const curious = { id: 'curious', secret: other.secret };
    expect(await introspect(token, curious)).toEqual({ active: false });
    expect(await introspect('made up', curious)).toEqual({ active: false });
    harness.delegations.end(delegation.id);
    expect(await introspect(token)).toEqual({ active: false });
    const { status } = await harness.post('/oauth/introspect', { token, client_id: 'behalf-cli' });
    expect(status).toBe(200);
    const person = await tokensOf(harness, 'ada', password);
    expect(
      (await harness.post('/oauth/introspect', { token: person.access_token, client_id: 'behalf-cli' })).body,
    ).toEqual({ active: false });
  });

  test('a revoked token is gone at once, for its owner alone, and moves the version', async () => {
    const token = String((await ask(delegate().id)).body.access_token);
    const other = await harness.addAgent('meddler', ada.id);
    await harness.post('/oauth/revoke', { token }, { id: 'meddler', secret: other.secret });
    expect(await harness.fact(token)).toBeDefined();
    const before = await harness.delegations.epoch();
    const client = { client_id: 'support-agent' };
    const response = await oauth.revocationRequest(
      server,
      client,
      oauth.ClientSecretBasic(support.secret),
      token,
      insecure,
    );
    await oauth.processRevocationResponse(response);
    expect(await harness.fact(token)).toBeUndefined();
    expect(await introspect(token)).toEqual({ active: false });
    expect(await harness.delegations.epoch()).toBeGreaterThan(before);
    expect(
      harness.recorder.events.find(
        ({ kind, agentId }) => kind === 'revocation' && agentId === support.agent.id,
      ),
    ).toMatchObject({ outcome: 'success', userId: ada.id });
  });

  test('signing out ends the refresh token and the access token', async () => {
    const tokens = await tokensOf(harness, 'ada', password);
    await harness.post('/oauth/revoke', { token: tokens.refresh_token ?? '', client_id: 'behalf-cli' });
    expect(await harness.fact(tokens.access_token)).toBeUndefined();
  });
});

describe('what is kept and told', () => {
  test('no table holds a token, a code, a secret or a cookie', async () => {
    const flow = await CodeFlow.start(harness);
    const page = await flow.browser.open(flow.url.href);
    const uid = page.url.split('/').at(-1) ?? '';
    const cookies = flow.browser.cookieValues().filter((value) => value.length > 20);
    const during = await harness.dump();
    const returned = await flow.browser.submit(page, { username: 'ada', password });
    const code = new URL(returned.url).searchParams.get('code') ?? '';
    const tokens = await flow.redeem(returned);
    const agentToken = String((await ask(delegate().id)).body.access_token);
    const kept = during + (await harness.dump());
    const secrets = [
      uid,
      code,
      tokens.access_token,
      tokens.refresh_token ?? '',
      agentToken,
      support.secret,
      password,
      ...cookies,
      ...flow.browser.cookieValues(),
    ];
    for (const secret of secrets.filter((value) => value.length > 10)) expect(kept).not.toContain(secret);
    const told = harness.logLines.join('\n') + JSON.stringify(harness.recorder.events);
    for (const secret of secrets.filter((value) => value.length > 10)) expect(told).not.toContain(secret);
  });

  test('a token that cannot be recorded is not given out', async () => {
    harness.recorder.isBroken = true;
    const answer = await ask(delegate().id);
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'the server cannot record this now; try again later',
    });
  });

  test('a revocation that cannot be recorded is not confirmed', async () => {
    const token = String((await ask(delegate().id)).body.access_token);
    harness.recorder.isBroken = true;
    expect((await harness.post('/oauth/revoke', { token }, credentials())).status).toBe(503);
  });

  test.each([
    ['GET', '/oauth/token', 405],
    ['GET', '/oauth/jwks', 404],
    ['GET', '/oauth/session/end', 404],
    ['POST', '/session/end/confirm', 404],
    ['GET', '/.well-known/openid-configuration', 404],
    ['GET', '/oauth/interaction/unknown', 400],
    ['GET', '/oauth/signed-in', 200],
  ])('%s %s answers %i', async (method, path, status) => {
    expect((await fetch(`${harness.issuer}${path}`, { method })).status).toBe(status);
  });

  test('a body that is too long is refused', async () => {
    const answer = await harness.post(
      '/oauth/token',
      { grant_type: 'client_credentials', scope: 'x'.repeat(60_000) },
      credentials(),
    );
    expect(answer.status).toBe(413);
    expect(answer.body.error).toBe('invalid_request');
  });

  test('the Host header changes nothing', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const flow = await CodeFlow.start(harness);
    const response = await fetch(flow.url, { headers, redirect: 'manual' });
    expect(response.headers.get('location')).toMatch(/^\/oauth\/interaction\//);
    expect(response.headers.getSetCookie().join()).not.toContain('evil.example');
  });

  test('our own failures tell nothing about the inside', async () => {
    const broken = delegate();
    harness.delegations.all.set(broken.id, {
      ...broken,
      get scopes(): string[] {
        throw new Error('table delegations is on fire');
      },
    });
    const answer = await ask(broken.id);
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('fire');
    expect(harness.recorder.last()).toMatchObject({ outcome: 'failure' });
    expect(harness.logLines.join()).toContain('fire');
  });
});

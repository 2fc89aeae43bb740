// databases: sqlite, mariadb
import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eq } from '../../../src/store/sql/condition.js';
import { agents, delegations, oauthPayloads } from '../../../src/store/tables/identity.js';
import { withPassword } from '../../support/account.js';
import { codes, key, at, type Employee } from '../../support/administration.js';
import {
  about,
  askedBy,
  askingAgent,
  callback,
  details,
  proofOf,
  serverOf,
} from '../../support/asking-agents.js';
import { accessTokenType, given, Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { recordsOf } from '../../support/records.js';
import { type TestServer } from '../../support/server.js';
import { Browser, CodeFlow, insecure, permitHttp } from './browser.js';
import { loopback } from './harness.js';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

let office: Office;
let replica: TestServer;
let server: oauth.AuthorizationServer;
let helper: Agent;
let next: Agent;
/** Public. */
let app: Agent;
/** Its tokens must be bound to a key. */
let bound: Agent;
let rosa: Employee;
let delegation: string;
let people = 0;

interface Keys {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}
let mine: Keys;
let theirs: Keys;
const newKeys = async (): Promise<Keys> => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  return { ...pair, jwk: await exportJWK(pair.publicKey) };
};

beforeAll(async () => {
  office = await Office.start();
  replica = await office.server.replica();
  server = await serverOf(office);
  mine = await newKeys();
  theirs = await newKeys();
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await askingAgent(office, 'helper');
  next = await office.agent('next', rosa, 'support-agent');
  app = await askingAgent(office, 'app', { isPublic: true });
  bound = await askingAgent(office, 'bound');
  await bind(bound, 'DPOP');
  delegation = await office.delegate(rosa, { agent: 'helper', scopes: ['tickets:read'], depth: 2 });
});
afterAll(async () => {
  await replica.stop();
  await office.server.stop();
});
beforeEach(async () => {
  people += 1;
  rosa = await office.company.employee(`rosa-${String(people)}`, 'support-rep');
});

async function bind({ id }: Agent, binding: string): Promise<void> {
  const row = await office.server.database.read.byId(agents, id);
  const args = `id: "${id}", input: { tokenBinding: ${binding} }, expectedVersion: ${String(row?.version)},`;
  const answer = await office.change(office.company.root, 'updateAgent', args, 'agent { tokenBinding }');
  expect(at(answer, 'updateAgent.agent.tokenBinding')).toBe(binding);
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const urlOf = (path: string): string => `${office.server.url}${path}`;

/** A proof for the token endpoint unless the claims say something else. */
const proof = (claims: object = {}, { privateKey, jwk }: Keys = mine, header: object = {}): Promise<string> =>
  new SignJWT({ jti: randomUUID(), iat: seconds(), htm: 'POST', htu: urlOf('/oauth/token'), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(privateKey);
const ath = (token: string): string => createHash('sha256').update(token).digest('base64url');

interface Sending {
  readonly dpop?: string | readonly string[];
  /** The server that is asked. */
  readonly to?: string;
}

async function post(
  path: string,
  form: Record<string, string>,
  as: Agent,
  { dpop, to = office.server.url }: Sending = {},
): Promise<TokenAnswer> {
  const headers = new Headers();
  if (as.secret !== '')
    headers.set('authorization', `Basic ${Buffer.from(`${as.name}:${as.secret}`).toString('base64')}`);
  for (const one of dpop === undefined ? [] : [dpop].flat()) headers.append('dpop', one);
  const body = new URLSearchParams({ ...(as.secret === '' && { client_id: as.name }), ...form });
  const response = await fetch(`${to}${path}`, { method: 'POST', headers, body });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as TokenAnswer['body']) };
}
const credentials = (
  sending: Sending,
  more: Record<string, string> = {},
  as = helper,
): Promise<TokenAnswer> =>
  post(
    '/oauth/token',
    { grant_type: 'client_credentials', authorization_details: details({ delegation }), ...more },
    as,
    sending,
  );

/** Expects that nothing but a record came of it. */
async function refused(run: () => Promise<TokenAnswer>, error: string): Promise<void> {
  const { database } = office.server;
  const standing = async () => [
    await database.read.count(oauthPayloads, eq('model', 'AccessToken')),
    await database.read.count(oauthPayloads, eq('model', 'PushedAuthorizationRequest')),
    await database.read.count(delegations),
  ];
  const before = [await standing(), (await recordsOf(database, 'token')).length] as const;
  const answer = await run();
  expect([answer.body.error, answer.body.access_token]).toEqual([error, undefined]);
  expect(await standing()).toEqual(before[0]);
  expect((await recordsOf(database, 'token')).slice(before[1])).toMatchObject([
    { outcome: 'refused', detail: { errorCode: error } },
  ]);
}

const query = '{"query":"{ tickets(first: 1) { totalCount } }"}';
async function read(
  token: string,
  dpop: string | undefined,
  { scheme = 'DPoP', path = '/graphql', to = office.server.url } = {},
): Promise<{ status: number; challenge: string | null }> {
  const isQuery = path === '/graphql';
  const response = await fetch(`${to}${path}`, {
    method: isQuery ? 'POST' : 'GET',
    headers: {
      ...{ authorization: `${scheme} ${token}`, 'content-type': 'application/json' },
      ...(dpop !== undefined && { dpop }),
    },
    ...(isQuery && { body: query }),
  });
  await response.text();
  return { status: response.status, challenge: response.headers.get('www-authenticate') };
}
const forGraphql = (token: string, claims: object = {}, keys = mine): Promise<string> =>
  proof({ htu: urlOf('/graphql'), ath: ath(token), ...claims }, keys);
const works = async (token: string, keys = mine): Promise<boolean> =>
  (await read(token, await forGraphql(token, {}, keys))).status === 200;

const verifier = 'v'.repeat(43);
const request = async (name: string): Promise<Record<string, string>> => ({
  ...{ client_id: name, redirect_uri: callback, response_type: 'code', state: 'a-state' },
  ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
  ...{ scope: 'tickets:read customers:read', authorization_details: details(about) },
});
/** The parameters of the redirect, after the person has opened the request and allowed it. */
async function allow(url: string): Promise<URL> {
  const browser = new Browser(office.server.url);
  const form = await browser.open(url);
  const page = await browser.submit(form, { username: await withPassword(office, rosa), password });
  return new URL((await browser.submit(page, {})).url);
}
const redeem = (
  code: string,
  as: Agent,
  sending: Sending = {},
  codeVerifier = verifier,
): Promise<TokenAnswer> =>
  post(
    '/oauth/token',
    { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: codeVerifier },
    as,
    sending,
  );
const codeIn = (returned: URL): string => returned.searchParams.get('code') ?? '';

describe('a pushed authorization request', () => {
  test('with a proof binds the code to its key, by oauth4webapi', async () => {
    const me = { client_id: 'helper' };
    const DPoP = oauth.DPoP({}, mine);
    const { request_uri: uri } = await oauth.processPushedAuthorizationResponse(
      server,
      me,
      await oauth.pushedAuthorizationRequest(server, me, proofOf(helper), await request('helper'), {
        DPoP,
        ...insecure,
      }),
    );
    const returned = await allow(
      urlOf(`/oauth/authorize?${new URLSearchParams({ client_id: 'helper', request_uri: uri }).toString()}`),
    );
    await refused(() => redeem(codeIn(returned), helper), 'invalid_grant');
    await refused(
      async () => redeem(codeIn(returned), helper, { dpop: await proof({}, theirs) }),
      'invalid_grant',
    );
    const parameters = oauth.validateAuthResponse(server, me, returned, 'a-state');
    const answer = await oauth.processAuthorizationCodeResponse(
      server,
      me,
      await oauth.authorizationCodeGrantRequest(server, me, proofOf(helper), parameters, callback, verifier, {
        DPoP,
        ...insecure,
      }),
    );
    expect(answer.token_type).toBe('dpop');
    expect(await works(answer.access_token)).toBe(true);
  });

  test('with a proof, by openid-client', async () => {
    const config = new client.Configuration(
      server,
      'helper',
      undefined,
      client.ClientSecretBasic(helper.secret),
    );
    permitHttp(config);
    const DPoP = client.getDPoPHandle(config, mine);
    const url = await client.buildAuthorizationUrlWithPAR(config, await request('helper'), { DPoP });
    const checks = { pkceCodeVerifier: verifier, expectedState: 'a-state' };
    const answer = await client.authorizationCodeGrant(config, await allow(url.href), checks, undefined, {
      DPoP,
    });
    const used = await client.fetchProtectedResource(
      config,
      answer.access_token,
      new URL(urlOf('/graphql')),
      'POST',
      query,
      new Headers({ 'content-type': 'application/json' }),
      { DPoP },
    );
    expect(await used.json()).toMatchObject({
      data: { tickets: { totalCount: expect.any(Number) as unknown } },
    });
  });

  test.each<[string, () => Promise<string>, string]>([
    [
      'a key that the proof does not prove',
      () => proof({ htu: urlOf('/oauth/par') }, theirs),
      'invalid_request',
    ],
    ['a proof for another endpoint', () => proof(), 'invalid_dpop_proof'],
  ])('with %s is refused', async (_what, dpop, error) => {
    const asked = { ...(await request('helper')), dpop_jkt: await calculateJwkThumbprint(mine.jwk) };
    await refused(async () => post('/oauth/par', asked, helper, { dpop: await dpop() }), error);
  });
});

describe('an authorization request with dpop_jkt', () => {
  test.each(['an agent', 'a public agent'])('of %s gives a code for this key alone', async (who) => {
    const agent = who === 'an agent' ? helper : app;
    const [flow, page] = await askedBy(office, agent, rosa, {
      dpop_jkt: await calculateJwkThumbprint(mine.jwk),
    });
    const code = codeIn(new URL((await flow.browser.submit(page, {})).url));
    await refused(() => redeem(code, agent, {}, flow.verifier), 'invalid_grant');
    await refused(
      async () => redeem(code, agent, { dpop: await proof({}, theirs) }, flow.verifier),
      'invalid_grant',
    );
    const answer = await redeem(code, agent, { dpop: await proof() }, flow.verifier);
    expect(await works(given(answer))).toBe(true);
  });

  test('of a person’s program gives a code for this key alone', async () => {
    const program = { id: '', name: 'behalf-cli', secret: '' };
    const jkt = await calculateJwkThumbprint(mine.jwk);
    const form = async (): Promise<Record<string, string>> => {
      const flow = await CodeFlow.start({ issuer: office.server.url }, { dpop_jkt: jkt });
      const returned = new URL((await flow.signIn(await withPassword(office, rosa), password)).url);
      return {
        ...{ grant_type: 'authorization_code', code: codeIn(returned) },
        ...{ redirect_uri: loopback, code_verifier: flow.verifier },
      };
    };
    const [first, second, third] = [await form(), await form(), await form()];
    await refused(() => post('/oauth/token', first, program), 'invalid_grant');
    const stolen = await proof({}, theirs);
    await refused(() => post('/oauth/token', second, program, { dpop: stolen }), 'invalid_grant');
    const answer = await post('/oauth/token', third, program, { dpop: await proof() });
    expect(await works(given(answer))).toBe(true);
  });
});

describe('a refresh token', () => {
  const first = async (agent: Agent): Promise<TokenAnswer['body']> => {
    const [flow, page] = await askedBy(office, agent, rosa);
    const code = codeIn(new URL((await flow.browser.submit(page, {})).url));
    return (await redeem(code, agent, { dpop: await proof() }, flow.verifier)).body;
  };
  const refresh = (token: string | undefined, agent: Agent, sending: Sending = {}): Promise<TokenAnswer> =>
    post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token ?? '' }, agent, sending);

  test('of a public client is bound to the key, also after it was used', async () => {
    const { refresh_token: one } = await first(app);
    await refused(() => refresh(one, app), 'invalid_grant');
    await refused(async () => refresh(one, app, { dpop: await proof({}, theirs) }), 'invalid_grant');
    const second = await refresh(one, app, { dpop: await proof() });
    // Within the grace, the answer is for the same key alone.
    await refused(async () => refresh(one, app, { dpop: await proof({}, theirs) }), 'invalid_grant');
    await refused(() => refresh(second.body.refresh_token, app), 'invalid_grant');
    const third = await refresh(second.body.refresh_token, app, { dpop: await proof() });
    expect(await works(given(third))).toBe(true);
  });

  test('of a confidential client takes another key, and in the grace only the one of the answer', async () => {
    const { refresh_token: one } = await first(helper);
    const second = await refresh(one, helper, { dpop: await proof({}, theirs) });
    expect(await works(given(second), theirs)).toBe(true);
    await refused(async () => refresh(one, helper, { dpop: await proof() }), 'invalid_grant');
    const again = await refresh(one, helper, { dpop: await proof({}, theirs) });
    expect(again.body.access_token).toBe(second.body.access_token);
  });

  test('of a client whose tokens must be bound gives no bearer token', async () => {
    const { refresh_token: one } = await first(bound);
    await refused(() => refresh(one, bound), 'invalid_grant');
    expect((await refresh(one, bound, { dpop: await proof() })).body.token_type).toBe('DPoP');
  });
});

describe('a client whose tokens must be bound to a key', () => {
  test('gets none without a proof, by any grant', async () => {
    const own = await office.delegate(rosa, { agent: 'bound', scopes: ['tickets:read'] });
    const subject = await office.tokenOf(helper, delegation);
    const started = await post(
      '/oauth/device_authorization',
      { scope: 'tickets:read', authorization_details: details(about) },
      bound,
    );
    const device = (started.body as { device_code?: string }).device_code ?? '';
    const [flow, page] = await askedBy(office, bound, rosa);
    const code = codeIn(new URL((await flow.browser.submit(page, {})).url));
    const forms: Record<string, string>[] = [
      { grant_type: 'client_credentials', authorization_details: details({ delegation: own }) },
      { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: flow.verifier },
      { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device },
      { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: device },
      { grant_type: tokenExchange, subject_token: subject, subject_token_type: accessTokenType },
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'a.b.c' },
    ];
    for (const form of forms) await refused(() => post('/oauth/token', form, bound), 'invalid_grant');
    const answer = await post('/oauth/token', forms[0] ?? {}, bound, { dpop: await proof() });
    expect(answer.body.token_type).toBe('DPoP');
  });

  test('may be registered so, or say so of itself', async () => {
    const input = {
      ...{ clientId: 'tool', name: 'Tool', redirectUris: [callback], ownTool: true, tokenBinding: 'DPOP' },
    };
    const document = `mutation ($input: CreateClientInput!, $key: String!) { createClient(input: $input, idempotencyKey: $key) {
      client { tokenBinding } } }`;
    const answer = await office.company.ask(office.company.root, document, { input, key: key() });
    expect(at(answer, 'createClient.client')).toEqual({ tokenBinding: 'DPOP' });
    const flow = await CodeFlow.start(
      { issuer: office.server.url },
      { client_id: 'tool', redirect_uri: callback },
    );
    const returned = new URL((await flow.signIn(await withPassword(office, rosa), password)).url);
    const tool = { id: '', name: 'tool', secret: '' };
    await refused(() => redeem(codeIn(returned), tool, {}, flow.verifier), 'invalid_grant');
    const redeemed = await redeem(codeIn(returned), tool, { dpop: await proof() }, flow.verifier);
    expect(redeemed.body.token_type).toBe('DPoP');
  });
});

describe('a bound token of an agent', () => {
  test('is exchanged with a proof of its key alone', async () => {
    const subject = given(await credentials({ dpop: await proof() }));
    const form = {
      grant_type: tokenExchange,
      subject_token: subject,
      subject_token_type: accessTokenType,
      authorization_details: details(about),
    };
    await refused(() => post('/oauth/token', form, next), 'invalid_request');
    await refused(
      async () => post('/oauth/token', form, next, { dpop: await proof({}, theirs) }),
      'invalid_request',
    );
    const answer = await post('/oauth/token', form, next, { dpop: await proof() });
    expect(await works(given(answer))).toBe(true);
  });

  test('is told with its key by introspection', async () => {
    const token = given(await credentials({ dpop: await proof() }));
    const answer = await office.post('/oauth/introspect', { token }, helper);
    expect(answer.body).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: await calculateJwkThumbprint(mine.jwk) },
    });
  });

  test.each<
    [string, 'invalid_token' | 'invalid_dpop_proof', (token: string) => Promise<Parameters<typeof read>>]
  >([
    [
      'as a bearer token',
      'invalid_token',
      (token) => Promise.resolve([token, undefined, { scheme: 'Bearer' }]),
    ],
    [
      'as a bearer token with a proof',
      'invalid_token',
      async (token) => [token, await forGraphql(token), { scheme: 'Bearer' }],
    ],
    ['without a proof', 'invalid_dpop_proof', (token) => Promise.resolve([token, undefined])],
    ['with another key', 'invalid_token', async (token) => [token, await forGraphql(token, {}, theirs)]],
    [
      'with a proof for another method',
      'invalid_dpop_proof',
      async (token) => [token, await forGraphql(token, { htm: 'GET' })],
    ],
    [
      'with a proof for the token endpoint',
      'invalid_dpop_proof',
      async (token) => [token, await forGraphql(token, { htu: urlOf('/oauth/token') })],
    ],
    [
      'with a proof for the replica’s own address',
      'invalid_dpop_proof',
      async (token) => [
        token,
        await forGraphql(token, { htu: `${replica.url}/graphql` }),
        { to: replica.url },
      ],
    ],
    [
      'at the SDL with a proof for operations',
      'invalid_dpop_proof',
      async (token) => [token, await forGraphql(token, { htm: 'GET' }), { path: '/graphql/schema.graphql' }],
    ],
    ['with a proof for another token', 'invalid_dpop_proof', async (token) => [token, await forGraphql('x')]],
    [
      'with a proof without ath',
      'invalid_dpop_proof',
      async (token) => [token, await forGraphql(token, { ath: undefined })],
    ],
    [
      'with an old proof',
      'invalid_dpop_proof',
      async (token) => [token, await forGraphql(token, { iat: seconds() - 301 })],
    ],
    [
      'with a proof of the future',
      'invalid_dpop_proof',
      async (token) => [token, await forGraphql(token, { iat: seconds() + 360 })],
    ],
    [
      'with a proof that nobody signed',
      'invalid_dpop_proof',
      async (token) => [token, unsigned({ htu: urlOf('/graphql'), ath: ath(token) })],
    ],
    [
      'with a proof that a shared secret signed',
      'invalid_dpop_proof',
      async (token) => [token, await bySecret({ htu: urlOf('/graphql'), ath: ath(token) })],
    ],
    [
      'with a proof that has the private key',
      'invalid_dpop_proof',
      async (token) => [token, await withPrivateKey({ htu: urlOf('/graphql'), ath: ath(token) })],
    ],
  ])('is worth nothing %s', async (_what, error, sent) => {
    const token = given(await credentials({ dpop: await proof() }));
    const { status, challenge } = await read(...(await sent(token)));
    expect([status, challenge]).toEqual([
      401,
      expect.stringMatching(`^DPoP error="${error}", .*algs="ES256 Ed25519 EdDSA"`),
    ]);
    expect(await works(token)).toBe(true);
  });

  test('is worth nothing with a proof that was used, at any replica', async () => {
    const token = given(await credentials({ dpop: await proof() }));
    const used = await forGraphql(token);
    expect((await read(token, used)).status).toBe(200);
    for (const to of [office.server.url, replica.url])
      expect(await read(token, used, { to })).toMatchObject({
        status: 401,
        challenge: expect.stringContaining('invalid_dpop_proof') as unknown,
      });
    // The proof names the public address, wherever the request arrives.
    expect((await read(token, await forGraphql(token), { to: replica.url })).status).toBe(200);
  });

  test('reads the schema with a proof for its address', async () => {
    const token = given(await credentials({ dpop: await proof() }));
    const path = '/graphql/schema.graphql';
    const dpop = await proof({ htm: 'GET', htu: urlOf(path), ath: ath(token) });
    expect((await read(token, dpop, { path })).status).toBe(200);
  });
});

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsOf = (claims: object): object => ({
  jti: randomUUID(),
  iat: seconds(),
  htm: 'POST',
  htu: urlOf('/oauth/token'),
  ...claims,
});
const unsigned = (claims: object = {}): string =>
  `${encoded({ alg: 'none', typ: 'dpop+jwt', jwk: mine.jwk })}.${encoded(claimsOf(claims))}.`;
const bySecret = (claims: object = {}): Promise<string> =>
  new SignJWT({ ...claimsOf(claims) })
    .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk: mine.jwk })
    .sign(Buffer.from(JSON.stringify(mine.jwk).padEnd(32)));
const withPrivateKey = async (claims: object = {}): Promise<string> =>
  proof(claims, mine, { jwk: await exportJWK(mine.privateKey) });

describe('a token request', () => {
  test.each<[string, () => Promise<string | readonly string[]> | string]>([
    ['a text that is no proof', () => 'no'],
    ['two proofs', async () => [await proof(), await proof()]],
    ['a proof that nobody signed', () => unsigned()],
    ['a proof that a shared secret signed', () => bySecret()],
    ['a proof that has the private key', () => withPrivateKey()],
    ['a proof that another key signed', async () => proof({}, { ...theirs, jwk: mine.jwk })],
    ['a proof without a key', async () => proof({}, mine, { jwk: undefined })],
    ['a proof of another type', async () => proof({}, mine, { typ: 'JWT' })],
    ['a proof for another method', async () => proof({ htm: 'GET' })],
    ['a proof for another address', async () => proof({ htu: urlOf('/graphql') })],
    ['a proof for another server', async () => proof({ htu: 'https://evil.example/oauth/token' })],
    ['a proof without an id', async () => proof({ jti: undefined })],
    ['an old proof', async () => proof({ iat: seconds() - 301 })],
    ['a proof of the future', async () => proof({ iat: seconds() + 360 })],
    ['a nonce, of which this server gives none', async () => proof({ nonce: 'x' })],
  ])('with %s is refused', async (_what, dpop) => {
    await refused(async () => credentials({ dpop: await dpop() }), 'invalid_dpop_proof');
  });

  test('with a proof that was used is refused, at any replica', async () => {
    const dpop = await proof();
    given(await credentials({ dpop }));
    await refused(() => credentials({ dpop }), 'invalid_grant');
    await refused(() => credentials({ dpop, to: replica.url }), 'invalid_grant');
    expect(codes(await office.company.ask({ token: 'x' }, '{ viewer { scopes } }'))).toEqual([
      'UNAUTHENTICATED',
    ]);
  });
});

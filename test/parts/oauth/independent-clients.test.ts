// databases: sqlite, mariadb
import { exportJWK, generateKeyPair, type CryptoKey } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAgent } from '../../../src/admin/agents.js';
import { giveAgentRole } from '../../../src/admin/assignments.js';
import { withPassword } from '../../support/account.js';
import { codes, type Employee } from '../../support/administration.js';
import { about, askingAgent, callback, details } from '../../support/asking-agents.js';
import { accessTokenType, Office, type Agent } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { Exchange, TestIssuers, type Client, type TestIssuer } from '../../support/token-issuers.js';
import { Browser, discover, insecure, permitHttp } from './browser.js';
import { secretsAllowed } from '../../support/secrets-allowed.js';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

let office: Office;
let issuers: TestIssuers;
let issuer: TestIssuer;
let rosa: Employee;
/** May ask people itself. */
let asking: Agent;
/** Has keys in place of a secret. */
let signer: { readonly name: string; readonly key: CryptoKey };
/** Is known to the issuer. */
let known: Client;
let delegation: string;

beforeAll(async () => {
  [office, issuers] = await Promise.all([
    Office.start({}, { BEHALF_CLIENT_REGISTRATION: 'true' }),
    TestIssuers.start(),
  ]);
  const { company } = office;
  const exchange = await Exchange.of(company);
  rosa = await exchange.person('rosa', 'sub-rosa', 'support-rep');
  await withPassword(office, rosa);
  asking = await askingAgent(office, 'asking');
  const pair = await generateKeyPair('ES256', { extractable: true });
  const publicKeys = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one' }] });
  await company.do(async (unit) => {
    const of = { displayName: 'Signer', businessTask: 'Sign', ownerId: rosa.id, publicKeys };
    const { agent } = await createAgent(unit, { name: 'signer', ...of }, secretsAllowed);
    await giveAgentRole(unit, agent, await company.role('support-agent'), null);
  });
  signer = { name: 'signer', key: pair.privateKey };
  known = await exchange.agent('known', rosa, 'support-agent');
  await exchange.consent(rosa, known, ['tickets:read']);
  issuer = await issuers.add('issuer');
  await exchange.map(await exchange.trust('issuer', issuer), 'known', known);
  delegation = await office.delegate(rosa, { agent: 'signer', scopes: ['tickets:read'] });
});
afterAll(() => Promise.all([issuers.stop(), office.server.stop()]));

interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string | undefined;
  readonly token_type: string;
}
type Form = Readonly<Record<string, string>>;
interface Dpop {
  /** Whether the token is to be bound to a key (RFC 9449). */
  readonly isBound?: boolean;
}

/** A library that knows nothing of this server, as the client of one agent. */
interface Library {
  code(ask: (url: URL) => Promise<URL>, request: Form, how?: Dpop & { isPushed?: boolean }): Promise<Tokens>;
  device(ask: (link: string) => Promise<unknown>, request: Form): Promise<Tokens>;
  grant(type: string, form: Form): Promise<Tokens>;
  clientCredentials(form: Form, how?: Dpop): Promise<Tokens>;
  refresh(token: string): Promise<Tokens>;
  introspect(token: string): Promise<{ readonly active: boolean; readonly sub?: string | undefined }>;
  revoke(token: string): Promise<void>;
}
type Proof = { readonly secret: string } | { readonly key: CryptoKey };

async function byOauth4webapi(clientId: string, proof: Proof): Promise<Library> {
  const as = await discover({ issuer: office.server.url });
  const me = { client_id: clientId };
  const auth =
    'secret' in proof
      ? oauth.ClientSecretBasic(proof.secret)
      : oauth.PrivateKeyJwt({ key: proof.key, kid: 'one' });
  const optionsOf = async ({ isBound = false }: Dpop = {}) =>
    isBound ? { ...insecure, DPoP: oauth.DPoP({}, await oauth.generateKeyPair('ES256')) } : insecure;
  return {
    code: async (ask, request, how = {}) => {
      const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
      const parameters = {
        ...{ client_id: clientId, redirect_uri: callback, response_type: 'code', state, ...request },
        ...{
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        },
      };
      let sent: Form = parameters;
      if (how.isPushed === true) {
        const response = await oauth.pushedAuthorizationRequest(as, me, auth, parameters, insecure);
        const pushed = await oauth.processPushedAuthorizationResponse(as, me, response);
        sent = { client_id: clientId, request_uri: pushed.request_uri };
      }
      const url = new URL(as.authorization_endpoint ?? '');
      url.search = new URLSearchParams(sent).toString();
      const answer = oauth.validateAuthResponse(as, me, await ask(url), state);
      const options = await optionsOf(how);
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        me,
        auth,
        answer,
        callback,
        verifier,
        options,
      );
      return oauth.processAuthorizationCodeResponse(as, me, response);
    },
    device: async (ask, request) => {
      const begun = await oauth.processDeviceAuthorizationResponse(
        as,
        me,
        await oauth.deviceAuthorizationRequest(as, me, auth, request, insecure),
      );
      await ask(begun.verification_uri_complete ?? '');
      const response = await oauth.deviceCodeGrantRequest(as, me, auth, begun.device_code, insecure);
      return oauth.processDeviceCodeResponse(as, me, response);
    },
    grant: async (type, form) => {
      const response = await oauth.genericTokenEndpointRequest(as, me, auth, type, form, insecure);
      return oauth.processGenericTokenEndpointResponse(as, me, response);
    },
    clientCredentials: async (form, how) => {
      const response = await oauth.clientCredentialsGrantRequest(as, me, auth, form, await optionsOf(how));
      return oauth.processClientCredentialsResponse(as, me, response);
    },
    refresh: async (token) =>
      oauth.processRefreshTokenResponse(
        as,
        me,
        await oauth.refreshTokenGrantRequest(as, me, auth, token, insecure),
      ),
    introspect: async (token) =>
      oauth.processIntrospectionResponse(
        as,
        me,
        await oauth.introspectionRequest(as, me, auth, token, insecure),
      ),
    revoke: async (token) =>
      oauth.processRevocationResponse(await oauth.revocationRequest(as, me, auth, token, insecure)),
  };
}

const insecurely = { algorithm: 'oauth2' as const, execute: [permitHttp] };

async function byOpenidClient(clientId: string, proof: Proof): Promise<Library> {
  const auth =
    'secret' in proof
      ? client.ClientSecretBasic(proof.secret)
      : client.PrivateKeyJwt({ key: proof.key, kid: 'one' });
  const config = await client.discovery(new URL(office.server.url), clientId, undefined, auth, insecurely);
  const optionsOf = async ({ isBound = false }: Dpop = {}) =>
    isBound ? { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) } : {};
  return {
    code: async (ask, request, how = {}) => {
      const [verifier, state] = [client.randomPKCECodeVerifier(), client.randomState()];
      const parameters = {
        ...{ redirect_uri: callback, state, ...request },
        ...{
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        },
      };
      const url =
        how.isPushed === true
          ? await client.buildAuthorizationUrlWithPAR(config, parameters)
          : client.buildAuthorizationUrl(config, parameters);
      const checks = { pkceCodeVerifier: verifier, expectedState: state };
      return client.authorizationCodeGrant(config, await ask(url), checks, {}, await optionsOf(how));
    },
    device: async (ask, request) => {
      const begun = await client.initiateDeviceAuthorization(config, request);
      await ask(begun.verification_uri_complete ?? '');
      return client.pollDeviceAuthorizationGrant(config, { ...begun, interval: 0.01 });
    },
    grant: (type, form) => client.genericGrantRequest(config, type, form),
    clientCredentials: async (form, how) => client.clientCredentialsGrant(config, form, await optionsOf(how)),
    refresh: (token) => client.refreshTokenGrant(config, token),
    introspect: (token) => client.tokenIntrospection(config, token),
    revoke: (token) => client.tokenRevocation(config, token),
  };
}

const request = { scope: 'tickets:read', authorization_details: details(about) };
const read = async (token: string): Promise<unknown[]> =>
  codes(await office.company.ask({ token }, '{ tickets(first: 1) { totalCount } }'));
const named = (): Form => ({ authorization_details: details({ delegation }) });

/** What rosa comes back with, who signs in and allows what is asked. */
async function allow(url: URL): Promise<URL> {
  const browser = new Browser(office.server.url);
  const form = await browser.open(url.href);
  const page = await browser.submit(form, { username: 'rosa', password });
  return new URL((await browser.submit(page, {})).url);
}
async function allowDevice(link: string): Promise<void> {
  const browser = new Browser(office.server.url);
  const form = await browser.submit(await browser.open(link), { confirm: 'yes' });
  await browser.submit(await browser.submit(form, { username: 'rosa', password }), {});
}

describe.each([
  ['oauth4webapi', byOauth4webapi],
  ['openid-client', byOpenidClient],
] as const)('%s', (_name, library) => {
  const ofAsking = (): Promise<Library> => library(asking.name, { secret: asking.secret });
  const ofSigner = (): Promise<Library> => library(signer.name, { key: signer.key });
  const ofKnown = (): Promise<Library> => library(known.row.name, { secret: known.secret });

  test('by code with PKCE, renewed by its refresh token', async () => {
    const mine = await ofAsking();
    const tokens = await mine.code(allow, request);
    const next = await mine.refresh(tokens.refresh_token ?? '');
    expect([await read(tokens.access_token), await read(next.access_token)]).toEqual([[], []]);
  });

  test('by a pushed request, with DPoP', async () => {
    const mine = await ofAsking();
    const tokens = await mine.code(allow, request, { isPushed: true, isBound: true });
    expect(tokens.token_type.toLowerCase()).toBe('dpop');
    expect(await read(tokens.access_token)).toEqual(['UNAUTHENTICATED']);
  });

  test('by device', async () => {
    const mine = await ofAsking();
    const tokens = await mine.device(allowDevice, request);
    expect(await read(tokens.access_token)).toEqual([]);
  });

  test('by client credentials with a key of its own, introspected and revoked', async () => {
    const mine = await ofSigner();
    const { access_token: token } = await mine.clientCredentials(named());
    expect(await read(token)).toEqual([]);
    expect(await mine.introspect(token)).toMatchObject({ active: true, sub: rosa.id });
    await mine.revoke(token);
    expect(await mine.introspect(token)).toMatchObject({ active: false });
    expect(await read(token)).toEqual(['UNAUTHENTICATED']);
  });

  test('by client credentials with DPoP', async () => {
    const mine = await ofSigner();
    const { token_type: type } = await mine.clientCredentials(named(), { isBound: true });
    expect(type.toLowerCase()).toBe('dpop');
  });

  test('by exchange of a person’s token', async () => {
    const mine = await ofKnown();
    const { access_token: subject } = await office.signIn(rosa);
    const form = { subject_token: subject, subject_token_type: accessTokenType, ...request };
    const tokens = await mine.grant(tokenExchange, form);
    expect(await read(tokens.access_token)).toEqual([]);
  });

  test('by an ID-JAG of another issuer', async () => {
    const mine = await ofKnown();
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer.url, aud: office.server.url, sub: 'sub-rosa', client_id: 'known' };
    const assertion = await issuer.sign(
      { ...claims, iat: now, exp: now + 300, jti: oauth.generateRandomState() },
      { typ: 'oauth-id-jag+jwt' },
    );
    const tokens = await mine.grant(jwtBearer, { assertion, ...request });
    expect(await read(tokens.access_token)).toEqual([]);
  });
});

test('openid-client registers itself, as a public client that waits', async () => {
  const registered = await client.dynamicClientRegistration(
    new URL(office.server.url),
    { client_name: 'Older', redirect_uris: [callback], token_endpoint_auth_method: 'none' },
    client.None(),
    insecurely,
  );
  expect(registered.clientMetadata()).toMatchObject({ token_endpoint_auth_method: 'none' });
});

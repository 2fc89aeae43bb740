// databases: sqlite, mariadb
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAgent } from '../../../src/admin/agents.js';
import { passkeyAcr } from '../../../src/authority/chain.js';
import { paths } from '../../../src/oauth/contract/paths.js';
import { key } from '../../support/administration.js';
import { askingAgent, callback } from '../../support/asking-agents.js';
import { ClientHost } from '../../support/client-host.js';
import { Office, type Agent } from '../../support/office.js';
import { secretsAllowed } from '../../support/secrets-allowed.js';
import { TestServer } from '../../support/server.js';
import { loopback } from './harness.js';

type Metadata = Readonly<Record<string, unknown>>;
type Check = (value: never, url: string, metadata: Metadata) => Promise<void> | void;

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const grants = {
  device: 'urn:ietf:params:oauth:grant-type:device_code',
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  ciba: 'urn:openid:params:grant-type:ciba',
  saml: 'urn:ietf:params:oauth:grant-type:saml2-bearer',
};
/** Each request comes from an address of its own, so that none is held up for refused ones before it. */
const proxied = { BEHALF_TRUSTED_PROXIES: '1' };
let requests = 0;
const fromElsewhere = (): Record<string, string> => {
  requests += 1;
  return { 'x-forwarded-for': `192.0.${String(requests >> 8)}.${String(requests & 255)}` };
};
const everything = {
  BEHALF_CLIENT_METADATA_DOCUMENTS: 'true',
  BEHALF_CLIENT_REGISTRATION: 'true',
  BEHALF_PRIVATE_HOSTS: '127.0.0.1',
  BEHALF_SIGNING_KEY_SECRETS: 'a secret of a test that encrypts keys',
};

let office: Office;
let host: ClientHost;
/** By their settings, over one database. */
const servers: Record<'usual' | 'all' | 'bare', string> = { usual: '', all: '', bare: '' };
const others: TestServer[] = [];
let secretAgent: Agent;
let publicAgent: Agent;
const signer = 'signer';
/** By the kinds of keys that an agent may have. */
const keys: Record<'EC' | 'OKP' | 'RSA', { publicKey: KeyObject; privateKey: KeyObject }> = {
  EC: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  OKP: generateKeyPairSync('ed25519'),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
};
const strange = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;

beforeAll(async () => {
  host = await ClientHost.start();
  office = await Office.start({}, proxied);
  servers.usual = office.server.url;
  const { databaseUrl } = office.server;
  for (const [name, env] of [
    ['all', everything],
    ['bare', { BEHALF_STATIC_SECRETS: 'off' }],
  ] as const) {
    const hosts = { BEHALF_CLIENT_METADATA_HOSTS: host.host };
    const server = await TestServer.start({}, { ...proxied, ...hosts, ...env }, { databaseUrl });
    others.push(server);
    servers[name] = server.url;
  }
  const rosa = await office.company.employee('rosa', 'support-rep');
  secretAgent = await office.agent('secretive', rosa);
  publicAgent = await askingAgent(office, 'open', { isPublic: true });
  const jwks = await Promise.all(
    Object.entries(keys).map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid })),
  );
  await office.company.do(async (unit) => {
    const of = { displayName: 'Signer', businessTask: 'Sign', ownerId: rosa.id };
    const publicKeys = JSON.stringify({ keys: jwks.map(({ alg: _alg, ...jwk }) => jwk) });
    await createAgent(unit, { name: signer, ...of, publicKeys }, secretsAllowed);
  });
});
afterAll(async () => {
  host.stop();
  for (const server of others) await server.stop();
  await office.server.stop();
});

const metadataAt = async (url: string): Promise<Metadata> =>
  (await (await fetch(`${url}${paths.metadata}`)).json()) as Metadata;

interface Told {
  readonly status: number;
  readonly error: unknown;
}
async function post(
  address: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Told> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { ...headers, ...fromElsewhere() },
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  const { error } = (text.startsWith('{') ? JSON.parse(text) : {}) as { error?: unknown };
  return { status: response.status, error };
}

const kindOf = (alg: string): 'EC' | 'OKP' | 'RSA' =>
  alg === 'ES256' ? 'EC' : alg.startsWith('Ed') ? 'OKP' : 'RSA';
const signingKey = (alg: string): KeyObject => (alg === 'ES384' ? strange : keys[kindOf(alg)].privateKey);
const now = (): number => Math.floor(office.server.clock.now() / 1000);

async function assertion(url: string, alg = 'ES256'): Promise<Record<string, string>> {
  const jwt = await new SignJWT({ jti: key() })
    .setProtectedHeader({ alg, kid: kindOf(alg) })
    .setIssuer(signer)
    .setSubject(signer)
    .setAudience(url)
    .setIssuedAt(now())
    .setExpirationTime(now() + 60)
    .sign(signingKey(alg));
  return { client_id: signer, client_assertion_type: assertionType, client_assertion: jwt };
}
async function bySecretJwt(url: string): Promise<Record<string, string>> {
  const jwt = await new SignJWT({ jti: key() })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(secretAgent.name)
    .setSubject(secretAgent.name)
    .setAudience(url)
    .setExpirationTime(now() + 60)
    .sign(new TextEncoder().encode(secretAgent.secret));
  return { client_id: secretAgent.name, client_assertion_type: assertionType, client_assertion: jwt };
}

/** Every way for a client to prove who it is that this test knows: the form and the headers of its request. */
const methods: Readonly<Record<string, (url: string) => Promise<Record<string, string>>>> = {
  none: () => Promise.resolve({ client_id: publicAgent.name }),
  client_secret_basic: () => Promise.resolve({}),
  client_secret_post: () =>
    Promise.resolve({ client_id: secretAgent.name, client_secret: secretAgent.secret }),
  client_secret_jwt: bySecretJwt,
  private_key_jwt: (url) => assertion(url),
};
async function isAccepted(address: string, url: string, method: string): Promise<boolean> {
  const proof = await methods[method]?.(url);
  if (proof === undefined) throw new Error(`This test does not know ${method}.`);
  const basic = `Basic ${Buffer.from(`${secretAgent.name}:${secretAgent.secret}`).toString('base64')}`;
  const form = { grant_type: 'refresh_token', refresh_token: 'x'.repeat(43), token: 'x'.repeat(43) };
  const headers: Record<string, string> = method === 'client_secret_basic' ? { authorization: basic } : {};
  const { error } = await post(address, { ...form, ...proof }, headers);
  return error !== 'invalid_client';
}

const methodsAt =
  (endpoint: string): Check =>
  async (value: readonly string[], url, metadata) => {
    const address = String(metadata[`${endpoint}_endpoint`]);
    const accepted = [];
    for (const method of Object.keys(methods))
      if (await isAccepted(address, url, method)) accepted.push(method);
    // A public client is known at the introspection endpoint, and learns nothing there.
    const told = endpoint === 'introspection' ? [...value, 'none'] : [...value];
    expect(accepted.sort()).toEqual(told.sort());
  };
const algorithmsAt =
  (endpoint: string): Check =>
  async (value: readonly string[], url, metadata) => {
    const address = String(metadata[`${endpoint}_endpoint`]);
    const accepted = [];
    for (const alg of ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'PS384', 'RS256', 'RS512', 'ES384']) {
      const form = { token: 'x'.repeat(43), grant_type: 'refresh_token', refresh_token: 'x'.repeat(43) };
      const { error } = await post(address, { ...form, ...(await assertion(url, alg)) });
      if (error !== 'invalid_client') accepted.push(alg);
    }
    expect(accepted.sort()).toEqual([...value].sort());
  };

/** The parameters of the answer to an authorization request. */
async function answered(url: string, parameters: Record<string, string>): Promise<URLSearchParams> {
  const asked = new URLSearchParams({
    ...{ client_id: 'behalf-cli', redirect_uri: loopback, response_type: 'code', state: 's' },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', ...parameters },
  });
  const response = await fetch(`${url}${paths.authorize}?${asked.toString()}`, {
    redirect: 'manual',
    headers: fromElsewhere(),
  });
  const location = response.headers.get('location');
  if (location === null) return new URLSearchParams({ error: `page ${String(response.status)}` });
  return new URL(location.replace('#', '?'), url).searchParams;
}
async function supported(url: string, name: string, values: readonly string[]): Promise<string[]> {
  const taken = [];
  for (const value of values) if (!(await answered(url, { [name]: value })).has('error')) taken.push(value);
  return taken;
}
const isSupported =
  (name: string, others: readonly string[]): Check =>
  async (value: readonly string[], url) => {
    expect(await supported(url, name, [...value, ...others])).toEqual(value);
  };

const isThere: Check = async (value: string, url) => {
  expect(value.startsWith(`${url}/oauth/`)).toBe(true);
  const { status } = await post(value, {});
  expect([400, 401]).toContain(status);
};

/** Each member of the metadata, compared with the behaviour of the server. */
const members: Readonly<Record<string, Check>> = {
  issuer: async (value: string, url) => {
    expect(value).toBe(url);
    expect((await answered(url, { response_type: 'token' })).get('iss')).toBe(value);
  },
  authorization_response_iss_parameter_supported: (value: boolean) => {
    expect(value).toBe(true);
  },
  authorization_endpoint: async (value: string, url) => {
    expect(value).toBe(`${url}${paths.authorize}`);
    expect((await answered(url, {})).has('error')).toBe(false);
  },
  pushed_authorization_request_endpoint: isThere,
  device_authorization_endpoint: isThere,
  backchannel_authentication_endpoint: isThere,
  // OpenID CIBA section 4; how a client is told is proved with the flow.
  backchannel_token_delivery_modes_supported: (value: readonly string[], _url, metadata) => {
    expect(value).toEqual(['poll', 'ping']);
    expect(metadata.grant_types_supported).toContain(grants.ciba);
  },
  backchannel_user_code_parameter_supported: (value: boolean) => {
    expect(value).toBe(false);
  },
  token_endpoint: isThere,
  revocation_endpoint: isThere,
  introspection_endpoint: isThere,
  registration_endpoint: async (value: string) => {
    const client = { redirect_uris: ['https://app.example/back'], token_endpoint_auth_method: 'none' };
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(value, { method: 'POST', headers, body: JSON.stringify(client) });
    expect(response.status).toBe(201);
  },
  jwks_uri: async (value: string, _url, metadata) => {
    const { keys: published } = (await (await fetch(value)).json()) as { keys: { alg: string }[] };
    expect(published.map(({ alg }) => alg)).toEqual(metadata.introspection_signing_alg_values_supported);
  },
  introspection_signing_alg_values_supported: async (value: readonly string[], url) => {
    const response = await fetch(`${url}${paths.introspection}`, {
      method: 'POST',
      headers: { accept: 'application/token-introspection+jwt' },
      body: new URLSearchParams({ token: 'x'.repeat(43), ...(await assertion(url)) }),
    });
    const [header = ''] = (await response.text()).split('.');
    expect(value).toContain((JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg: string }).alg);
  },
  response_types_supported: isSupported('response_type', ['token', 'id_token', 'code id_token', 'none']),
  response_modes_supported: isSupported('response_mode', ['fragment', 'form_post', 'query.jwt', 'jwt']),
  code_challenge_methods_supported: isSupported('code_challenge_method', ['plain', 'S512']),
  grant_types_supported: async (value: readonly string[], url) => {
    const known = ['authorization_code', 'refresh_token', 'client_credentials', 'password', 'implicit'];
    const unsupported = [];
    for (const grantType of new Set([...known, ...Object.values(grants), ...value])) {
      const form = { grant_type: grantType, ...(await assertion(url)) };
      const { error } = await post(`${url}${paths.token}`, form);
      if (error === 'unsupported_grant_type') unsupported.push(grantType);
      expect([grantType, value.includes(grantType)]).toEqual([grantType, error !== 'unsupported_grant_type']);
    }
    expect(unsupported).toContain('password');
  },
  authorization_grant_profiles_supported: (value: readonly string[], _url, metadata) => {
    expect(value).toEqual(['urn:ietf:params:oauth:grant-profile:id-jag']);
    expect(metadata.grant_types_supported).toContain(grants.bearer);
  },
  token_endpoint_auth_methods_supported: methodsAt('token'),
  revocation_endpoint_auth_methods_supported: methodsAt('revocation'),
  introspection_endpoint_auth_methods_supported: methodsAt('introspection'),
  token_endpoint_auth_signing_alg_values_supported: algorithmsAt('token'),
  revocation_endpoint_auth_signing_alg_values_supported: algorithmsAt('revocation'),
  introspection_endpoint_auth_signing_alg_values_supported: algorithmsAt('introspection'),
  dpop_signing_alg_values_supported: async (value: readonly string[], url) => {
    const accepted = [];
    for (const alg of ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256']) {
      const jwk = await exportJWK(keys[kindOf(alg)].publicKey);
      const claims = { jti: key(), iat: now(), htm: 'POST', htu: `${url}${paths.token}` };
      const proof = new SignJWT(claims).setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: { ...jwk, alg } });
      const form = { grant_type: 'client_credentials', ...(await assertion(url)) };
      const headers = { dpop: await proof.sign(signingKey(alg)) };
      if ((await post(`${url}${paths.token}`, form, headers)).error !== 'invalid_dpop_proof')
        accepted.push(alg);
    }
    expect(accepted.sort()).toEqual([...value].sort());
  },
  acr_values_supported: (value: readonly string[]) => {
    expect(value).toEqual([passkeyAcr]);
  },
  authorization_details_types_supported: async (value: readonly string[], url) => {
    const taken = [];
    for (const [type, more] of [
      ['behalf_consent', { agent: secretAgent.name }],
      ['behalf_delegation', {}],
      ['openid_credential', {}],
    ] as const) {
      const asked = { authorization_details: JSON.stringify([{ type, ...more }]) };
      const ofAgent = { client_id: publicAgent.name, redirect_uri: callback };
      const answers = [await answered(url, asked), await answered(url, { ...ofAgent, ...asked })];
      if (answers.some((answer) => !answer.has('error'))) taken.push(type);
    }
    expect(taken.sort()).toEqual([...value].sort());
  },
  client_id_metadata_document_supported: async (value: boolean, url) => {
    const path = `/${key()}.json`;
    const parameters = { client_id: host.publish(path), redirect_uri: 'https://foreign.example/back' };
    const waits = (await answered(url, parameters)).get('error');
    expect([waits, host.asked.includes(path)]).toEqual(value ? ['page 403', true] : ['page 400', false]);
  },
  protected_resources: async (value: readonly string[], url) => {
    expect(value.length).toBeGreaterThan(0);
    for (const resource of value) {
      const { origin, pathname } = new URL(resource);
      const address = `${origin}/.well-known/oauth-protected-resource${pathname}`;
      const told = (await (await fetch(address)).json()) as Metadata;
      expect(told).toMatchObject({ resource, authorization_servers: [url] });
    }
  },
};

describe.each(['usual', 'all', 'bare'] as const)('the metadata of a server: %s', (name) => {
  test.each(Object.keys(members))('%s says what the server does', async (member) => {
    const url = servers[name];
    const metadata = await metadataAt(url);
    const value = metadata[member];
    if (value !== undefined) await members[member]?.(value as never, url, metadata);
  });

  test('has no other member, and what is not there is off', async () => {
    const url = servers[name];
    const metadata = await metadataAt(url);
    expect(Object.keys(metadata).filter((member) => members[member] === undefined)).toEqual([]);
    const optional = { registration_endpoint: paths.registration, jwks_uri: paths.jwks };
    for (const [member, path] of Object.entries(optional)) {
      const method = path === paths.jwks ? 'GET' : 'POST';
      const isOff = (await fetch(`${url}${path}`, { method })).status === 404;
      expect([member, isOff]).toEqual([member, metadata[member] === undefined]);
      expect([name, isOff]).toEqual([name, name !== 'all']);
    }
    const missing = Object.keys(members).filter((member) => metadata[member] === undefined);
    const switched = ['registration_endpoint', 'jwks_uri', 'introspection_signing_alg_values_supported'];
    expect(missing.sort()).toEqual(name === 'all' ? [] : switched.sort());
    // Mutual TLS is off, and has a test of its own.
    expect(Object.keys(metadata).filter((member) => /tls/.test(member))).toEqual([]);
    const offered = metadata.token_endpoint_auth_methods_supported as readonly string[];
    expect(offered.filter((method) => /tls/.test(method))).toEqual([]);
  });
});

test('every endpoint for clients is in the document of a server that has everything on', async () => {
  const { device, interaction, callback: answers, backchannelLogout, securityEvents, ...more } = paths;
  const { signedIn, passkeyScript, metadata, ...forClients } = more;
  const pages = [device, interaction, answers, signedIn, passkeyScript];
  expect([...pages, backchannelLogout, securityEvents, metadata]).not.toContain(undefined);
  const told = Object.values(await metadataAt(servers.all));
  for (const path of Object.values(forClients)) expect(told).toContain(`${servers.all}${path}`);
});

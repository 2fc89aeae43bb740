// databases: sqlite, mariadb
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { request } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificateThumbprint } from '../../../src/core/certificates.js';
import { eq } from '../../../src/store/sql/condition.js';
import { clients } from '../../../src/store/tables/clients.js';
import { agents, delegations, oauthPayloads } from '../../../src/store/tables/identity.js';
import { at, codes, key, type Employee } from '../../support/administration.js';
import { askedBy, askingAgent, callback, details, serverOf } from '../../support/asking-agents.js';
import { certify, makeAuthority, type Certified } from '../../support/certificates.js';
import { digestOf } from '../../support/faults.js';
import { Office, type Agent } from '../../support/office.js';
import { recordOf, recordsOf } from '../../support/records.js';
import type { Answer } from '../../support/server.js';
import { fetchWith, headerOf, proxyAddress, TlsProxy } from '../../support/tls-proxy.js';
import { insecure } from './browser.js';

const identity = 'spiffe://acme.example/desk';

let folder: string;
let authority: Certified;
let proxy: TlsProxy;
let office: Office;
let server: oauth.AuthorizationServer;
let rosa: Employee;
/** Authenticated by the name in a certificate of the authority. */
let desk: Agent;
/** Authenticated by its own certificate. */
let kiosk: Agent;
/** Authenticated by a secret; its tokens are bound to a certificate. */
let bot: Agent;
/** Public, and asks people; its tokens are bound to a certificate. */
let app: Agent;
let hers: Readonly<Record<'desk' | 'kiosk' | 'bot', string>>;
const certificates = {} as Record<
  'desk' | 'other' | 'forged' | 'expired' | 'forServers' | 'byCommonName' | 'kiosk' | 'kiosk2',
  Certified
>;

/** A certificate that nobody else has signed. */
function selfSigned(name: string, ...more: string[]): Certified {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const out = ['-out', files.cert, '-keyout', files.key];
  execFileSync('openssl', ['req', '-x509', ...options, '-subj', `/CN=${name}`, ...more, ...out], {
    stdio: 'ignore',
  });
  return files;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-mtls-'));
  authority = await makeAuthority(folder, 'authority');
  const others = await makeAuthority(folder, 'others');
  const made = (name: string, names: string, by = authority, options = {}): Promise<Certified> =>
    certify(by, folder, name, names, options);
  Object.assign(certificates, {
    desk: await made('desk', `URI:${identity},DNS:desk.example`),
    other: await made('other', 'URI:spiffe://acme.example/other,DNS:desk.example'),
    forged: await made('forged', `URI:${identity}`, others),
    expired: await made('expired', `URI:${identity}`, authority, { days: -1 }),
    forServers: await made('for-servers', `URI:${identity}`, authority, { usage: 'serverAuth' }),
    byCommonName: await made(identity.replaceAll('/', '_'), 'DNS:common.example'),
    kiosk: selfSigned('kiosk'),
    kiosk2: selfSigned('kiosk2'),
  });
  proxy = await TlsProxy.start(await made('proxy', 'IP:127.0.0.1'));
  office = await Office.start(
    {},
    {
      BEHALF_CLIENT_CERTIFICATE_HEADER: 'Client-Cert',
      BEHALF_CLIENT_CERTIFICATE_PROXIES: `192.0.2.0/24, ${proxyAddress}`,
      BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: authority.cert,
      BEHALF_MTLS_URL: proxy.url,
    },
  );
  proxy.target = office.server.url;
  server = await serverOf(office);
  rosa = await office.company.employee('rosa', 'support-rep');
  desk = await office.agent('desk', rosa, 'support-agent');
  kiosk = await office.agent('kiosk', rosa, 'support-agent');
  bot = await office.agent('bot', rosa, 'support-agent');
  app = await askingAgent(office, 'app', { isPublic: true });
  await set(desk, `certificateName: { kind: SAN_URI, value: "${identity}" }`);
  await set(kiosk, `certificates: ${JSON.stringify(readFileSync(certificates.kiosk.cert, 'utf8'))}`);
  await bind(desk, 'CERTIFICATE');
  await bind(bot, 'CERTIFICATE');
  await office.company.do(({ tx }) =>
    tx.update(clients, eq('clientId', app.name), { tokenBinding: 'certificate' }),
  );
  hers = {
    desk: await office.delegate(rosa, { agent: 'desk', scopes: ['tickets:read'] }),
    kiosk: await office.delegate(rosa, { agent: 'kiosk', scopes: ['tickets:read'] }),
    bot: await office.delegate(rosa, { agent: 'bot', scopes: ['tickets:read'] }),
  };
});
afterAll(async () => {
  await Promise.all([office.server.stop(), proxy.stop()]);
  rmSync(folder, { recursive: true });
});

const setCertificate = (
  { id }: Pick<Agent, 'id'>,
  args: string,
  who = office.company.root,
): Promise<Answer> =>
  office.change(
    who,
    'setAgentCertificate',
    `id: "${id}", ${args},`,
    'agent { authMethod publicKeys certificateName { kind value } }',
  );
async function set(agent: Agent, args: string): Promise<void> {
  expect((await setCertificate(agent, args)).errors).toEqual([]);
}
async function bind({ id }: Agent, binding: string): Promise<void> {
  const row = await office.server.database.read.byId(agents, id);
  const args = `id: "${id}", input: { tokenBinding: ${binding} }, expectedVersion: ${String(row?.version)},`;
  expect(
    (await office.change(office.company.root, 'updateAgent', args, 'agent { tokenBinding }')).errors,
  ).toEqual([]);
}

interface Sent {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}
interface By {
  /** The certificate of the connection to the proxy. */
  readonly certificate?: Certified;
  /** Straight to the server, with this header. */
  readonly header?: string;
  readonly authorization?: string;
  readonly dpop?: string;
}

const rawOf = ({ cert }: Certified): Buffer => new X509Certificate(readFileSync(cert)).raw;
const thumbprintOf = ({ cert }: Certified): string =>
  certificateThumbprint(new X509Certificate(readFileSync(cert)));

async function send(
  path: string,
  init: RequestInit,
  { certificate, header, authorization }: By,
): Promise<Sent> {
  const straight = header !== undefined;
  const headers = {
    ...(init.headers as Record<string, string> | undefined),
    ...(straight && { 'client-cert': header }),
    ...(authorization !== undefined && { authorization }),
  };
  const url = `${straight ? office.server.url : proxy.url}${path}`;
  const response = await fetchWith(authority, certificate)(url, { ...init, headers });
  const text = await response.text();
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, body, headers: response.headers };
}
const basic = ({ name, secret }: Agent): string =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
});
const tokenFields = (delegation: string, more: Record<string, string> = {}): Record<string, string> => ({
  ...{ grant_type: 'client_credentials', authorization_details: details({ delegation }), ...more },
});
const tokenForm = (delegation: string, more: Record<string, string> = {}): RequestInit =>
  form(tokenFields(delegation, more));
function tokenIn({ status, body }: Sent): string {
  expect([status, body.error_description]).toEqual([200, undefined]);
  return String(body.access_token);
}
const deskToken = async (certificate: Certified = certificates.desk): Promise<string> =>
  tokenIn(await send('/oauth/token', tokenForm(hers.desk, { client_id: 'desk' }), { certificate }));
const query = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"query":"{ tickets(first: 1) { totalCount } }"}',
};
const read = (token: string, by: By): Promise<Sent> =>
  send('/graphql', query, { authorization: `Bearer ${token}`, ...by });

/** Expects that nothing but a record came of it. */
async function refusedToken(run: () => Promise<Sent>, error: string): Promise<Sent> {
  const { database } = office.server;
  const standing = async () => [
    await database.read.count(oauthPayloads, eq('model', 'AccessToken')),
    await database.read.count(delegations),
  ];
  const before = [await standing(), (await recordsOf(database, 'token')).length] as const;
  const answer = await run();
  expect([answer.body.error, answer.body.access_token]).toEqual([error, undefined]);
  expect(await standing()).toEqual(before[0]);
  expect((await recordsOf(database, 'token')).slice(before[1])).toMatchObject([
    { outcome: 'refused', detail: { errorCode: error } },
  ]);
  return answer;
}

describe('an agent with a certificate', () => {
  test('finds in the metadata what is supported, and where', async () => {
    expect(server).toMatchObject({
      tls_client_certificate_bound_access_tokens: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining([
        'tls_client_auth',
        'self_signed_tls_client_auth',
      ]) as unknown,
      mtls_endpoint_aliases: { token_endpoint: `${proxy.url}/oauth/token` },
    });
    const resource = await send('/.well-known/oauth-protected-resource/graphql', {}, {});
    expect(resource.body).toMatchObject({
      resource: `${office.server.url}/graphql`,
      tls_client_certificate_bound_access_tokens: true,
    });
  });

  test.each(['rfc9440', 'pem'] as const)(
    'of an authority gets a bound token and uses it, by oauth4webapi (%s)',
    async (written) => {
      proxy.form = written;
      const me = { client_id: 'desk', use_mtls_endpoint_aliases: true };
      const by = { [oauth.customFetch]: fetchWith(authority, certificates.desk), ...insecure };
      const parameters = new URLSearchParams({ authorization_details: details({ delegation: hers.desk }) });
      const answer = await oauth.processClientCredentialsResponse(
        server,
        me,
        await oauth.clientCredentialsGrantRequest(server, me, oauth.TlsClientAuth(), parameters, by),
      );
      expect(answer).toMatchObject({ token_type: 'bearer', scope: 'tickets:read' });
      const used = await oauth.protectedResourceRequest(
        answer.access_token,
        'POST',
        new URL(`${proxy.url}/graphql`),
        new Headers(query.headers),
        query.body,
        by,
      );
      expect(await used.json()).toMatchObject({
        data: { tickets: { totalCount: expect.any(Number) as unknown } },
      });
      const told = await oauth.processIntrospectionResponse(
        server,
        me,
        await oauth.introspectionRequest(server, me, oauth.TlsClientAuth(), answer.access_token, by),
      );
      expect(told).toMatchObject({ active: true, cnf: { 'x5t#S256': thumbprintOf(certificates.desk) } });
    },
  );

  test('of its own gets a token, by openid-client', async () => {
    const config = new client.Configuration(
      server,
      'kiosk',
      { use_mtls_endpoint_aliases: true },
      client.TlsClientAuth(),
    );
    config[client.customFetch] = fetchWith(authority, certificates.kiosk);
    const answer = await client.clientCredentialsGrant(config, {
      authorization_details: details({ delegation: hers.kiosk }),
    });
    // Its tokens need not be bound.
    expect(
      (await office.company.ask({ token: answer.access_token }, '{ tickets(first: 1) { totalCount } }'))
        .errors,
    ).toEqual([]);
  });

  test('may bind its token to a key, whose proofs name the address for mutual TLS', async () => {
    const me = { client_id: 'kiosk', use_mtls_endpoint_aliases: true };
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const by = { [oauth.customFetch]: fetchWith(authority, certificates.kiosk), DPoP, ...insecure };
    const parameters = new URLSearchParams({ authorization_details: details({ delegation: hers.kiosk }) });
    const answer = await oauth.processClientCredentialsResponse(
      server,
      me,
      await oauth.clientCredentialsGrantRequest(server, me, oauth.TlsClientAuth(), parameters, by),
    );
    expect(answer.token_type).toBe('dpop');
    for (const origin of [proxy.url, office.server.url]) {
      const used = await oauth.protectedResourceRequest(
        answer.access_token,
        'POST',
        new URL(`${origin}/graphql`),
        new Headers(query.headers),
        query.body,
        by,
      );
      expect(used.status).toBe(200);
    }
  });

  test.each<[string, () => By, string?]>([
    ['without a certificate', () => ({})],
    ['with the certificate of another client', () => ({ certificate: certificates.other })],
    ['with its name in a certificate of another authority', () => ({ certificate: certificates.forged })],
    ['with its name in a certificate that it signed itself', () => ({ certificate: certificates.kiosk })],
    ['with its name as a common name', () => ({ certificate: certificates.byCommonName })],
    ['with a certificate that has expired', () => ({ certificate: certificates.expired })],
    ['with a certificate for servers', () => ({ certificate: certificates.forServers })],
    [
      'with a header that a stranger made up',
      () => ({ header: headerOf(rawOf(certificates.desk), 'rfc9440') }),
    ],
    ['with such a header in PEM', () => ({ header: headerOf(rawOf(certificates.desk), 'pem') })],
    ['with the certificate of another own one', () => ({ certificate: certificates.kiosk2 }), 'kiosk'],
    [
      'with one of the authority, where its own one is registered',
      () => ({ certificate: certificates.desk }),
      'kiosk',
    ],
  ])('gets no token %s', async (_what, by, name = 'desk') => {
    const delegation = name === 'desk' ? hers.desk : hers.kiosk;
    await refusedToken(
      () => send('/oauth/token', tokenForm(delegation, { client_id: name }), by()),
      'invalid_client',
    );
  });

  test.each<[string, Record<string, string>, string]>([
    ['a secret', { client_secret: 'x' }, 'invalid_client'],
    ['an assertion', { client_assertion: 'a.b.c', client_assertion_type: 'x' }, 'invalid_request'],
  ])('gets no token by %s instead', async (_what, more, error) => {
    const asked = tokenForm(hers.desk, { client_id: 'desk', ...more });
    await refusedToken(() => send('/oauth/token', asked, { certificate: certificates.desk }), error);
  });

  test('of which the proxy passes two gets no token', async () => {
    const one = headerOf(rawOf(certificates.desk), 'rfc9440');
    const { hostname, port } = new URL(office.server.url);
    const body = new URLSearchParams(tokenFields(hers.desk, { client_id: 'desk' })).toString();
    const asked = (headers: string[]): Promise<number> =>
      new Promise((resolve, reject) => {
        const type = 'application/x-www-form-urlencoded';
        const sent = request({
          hostname,
          port,
          path: '/oauth/token',
          method: 'POST',
          localAddress: proxyAddress,
          agent: false,
        });
        sent.setHeader('content-type', type);
        sent.setHeader('client-cert', headers);
        sent.on('response', (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        });
        sent.on('error', reject);
        sent.end(body);
      });
    expect(await asked([one])).toBe(200);
    expect(await asked([one, one])).toBe(401);
  });
});

describe('a token that is bound to a certificate', () => {
  test.each<[string, () => By]>([
    ['without a certificate', () => ({})],
    ['with another certificate', () => ({ certificate: certificates.other })],
    [
      'with a header that a stranger made up',
      () => ({ header: headerOf(rawOf(certificates.desk), 'rfc9440') }),
    ],
    ['with such a header in PEM', () => ({ header: headerOf(rawOf(certificates.desk), 'pem') })],
  ])('is worth nothing %s', async (_what, by) => {
    const token = await deskToken();
    expect((await read(token, { certificate: certificates.desk })).status).toBe(200);
    const sdl = { authorization: `Bearer ${token}`, ...by() };
    const known = (await recordsOf(office.server.database, 'rejected')).length;
    for (const answer of [await read(token, by()), await send('/graphql/schema.graphql', {}, sdl)]) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(
        /^Bearer error="invalid_token", error_description="This access token is bound/,
      );
    }
    // The token that was used is known, and so is its task.
    const records = (await recordsOf(office.server.database, 'rejected')).slice(known);
    expect(records.map(({ delegation }) => delegation?.id)).toEqual([hers.desk, hers.desk]);
  });

  test('is no DPoP token', async () => {
    const token = await deskToken();
    expect(
      (await read(token, { certificate: certificates.desk, authorization: `DPoP ${token}` })).status,
    ).toBe(401);
  });

  test('is exchanged over the same certificate alone', async () => {
    const subject = await deskToken();
    const asked = form({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    });
    const answer = await refusedToken(
      () => send('/oauth/token', asked, { certificate: certificates.other, authorization: basic(bot) }),
      'invalid_request',
    );
    expect(answer.body.error_description).toContain('RFC 8705');
  });
});

describe('a client whose tokens must be bound to a certificate', () => {
  test('gets none without a certificate, or with a DPoP proof beside it', async () => {
    const authorization = basic(bot);
    await refusedToken(() => send('/oauth/token', tokenForm(hers.bot), { authorization }), 'invalid_grant');
    await refusedToken(
      () =>
        send('/oauth/token', tokenForm(hers.bot), {
          authorization,
          header: headerOf(rawOf(certificates.desk), 'pem'),
        }),
      'invalid_grant',
    );
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const by = { [oauth.customFetch]: fetchWith(authority, certificates.desk), DPoP, ...insecure };
    const me = { client_id: 'bot' };
    const parameters = new URLSearchParams({ authorization_details: details({ delegation: hers.bot }) });
    const aliased = { ...server, token_endpoint: `${proxy.url}/oauth/token` };
    const response = await oauth.clientCredentialsGrantRequest(
      aliased,
      me,
      oauth.ClientSecretBasic(bot.secret),
      parameters,
      by,
    );
    expect(((await response.json()) as Sent['body']).error).toBe('invalid_request');
    const bound = await send('/oauth/token', tokenForm(hers.bot), {
      authorization,
      certificate: certificates.other,
    });
    const token = tokenIn(bound);
    expect((await read(token, { certificate: certificates.other })).status).toBe(200);
    expect((await read(token, { certificate: certificates.desk })).status).toBe(401);
  });

  test('that is public keeps its refresh token to the certificate', async () => {
    const [flow, page] = await askedBy(office, app, rosa);
    const returned = await flow.browser.submit(page, {});
    const first = await send(
      '/oauth/token',
      form({
        ...{ grant_type: 'authorization_code', client_id: 'app', redirect_uri: callback },
        ...{ code: new URL(returned.url).searchParams.get('code') ?? '', code_verifier: flow.verifier },
      }),
      { certificate: certificates.kiosk },
    );
    tokenIn(first);
    const again = (by: By): Promise<Sent> =>
      send(
        '/oauth/token',
        form({
          grant_type: 'refresh_token',
          client_id: 'app',
          refresh_token: String(first.body.refresh_token),
        }),
        by,
      );
    await refusedToken(() => again({}), 'invalid_grant');
    await refusedToken(() => again({ certificate: certificates.kiosk2 }), 'invalid_grant');
    await refusedToken(
      () => again({ header: headerOf(rawOf(certificates.kiosk), 'rfc9440') }),
      'invalid_grant',
    );
    const second = await again({ certificate: certificates.kiosk });
    expect((await read(tokenIn(second), { certificate: certificates.kiosk })).status).toBe(200);
    expect((await read(tokenIn(second), {})).status).toBe(401);
  });

  test('loses the tokens from before', async () => {
    const agent = await office.agent('later', rosa, 'support-agent');
    const delegation = await office.delegate(rosa, { agent: 'later', scopes: ['tickets:read'] });
    const token = await office.tokenOf(agent, delegation);
    expect((await office.company.ask({ token }, '{ viewer { scopes } }')).errors).toEqual([]);
    await bind(agent, 'CERTIFICATE');
    expect(codes(await office.company.ask({ token }, '{ viewer { scopes } }'))).toEqual(['UNAUTHENTICATED']);
  });
});

describe('an administrator', () => {
  test('sees by which certificate an agent is authenticated', async () => {
    const answer = await office.company.ask(
      office.company.root,
      `{ desk: agent(id: "${desk.id}") { authMethod tokenBinding publicKeys certificateName { kind value } }
         kiosk: agent(id: "${kiosk.id}") { authMethod tokenBinding publicKeys certificateName { kind } } }`,
    );
    expect(at(answer, 'desk')).toEqual({
      ...{ authMethod: 'TLS_CLIENT_AUTH', tokenBinding: 'CERTIFICATE', publicKeys: null },
      certificateName: { kind: 'SAN_URI', value: identity },
    });
    expect(at(answer, 'kiosk')).toMatchObject({
      authMethod: 'SELF_SIGNED_TLS_CLIENT_AUTH',
      certificateName: null,
    });
    expect(at(answer, 'kiosk.publicKeys')).toContain(rawOf(certificates.kiosk).toString('base64'));
  });

  test('registers a client that authenticates by its certificate', async () => {
    const input = {
      ...{ clientId: 'tool', name: 'Tool', redirectUris: [callback], ownTool: true },
      ...{ certificateName: { kind: 'SAN_DNS', value: 'desk.example' }, tokenBinding: 'CERTIFICATE' },
    };
    const document = `mutation ($input: CreateClientInput!, $key: String!) { createClient(input: $input, idempotencyKey: $key) {
      client { authMethod tokenBinding certificateName { kind value } } } }`;
    const answer = await office.company.ask(office.company.root, document, { input, key: key() });
    expect(answer.errors).toEqual([]);
    expect(at(answer, 'createClient.client')).toEqual({
      ...{ authMethod: 'TLS_CLIENT_AUTH', tokenBinding: 'CERTIFICATE' },
      certificateName: { kind: 'SAN_DNS', value: 'desk.example' },
    });
    const introspected = await send('/oauth/introspect', form({ client_id: 'tool', token: 'x' }), {
      certificate: certificates.other,
    });
    expect([introspected.status, introspected.body]).toEqual([200, { active: false }]);
    expect((await send('/oauth/introspect', form({ client_id: 'tool', token: 'x' }), {})).status).toBe(401);
  });

  test.each([
    ['nothing', ''],
    ['both', 'certificates: "x", certificateName: { kind: SAN_DNS, value: "desk.example" }'],
    ['no certificate', 'certificates: "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----"'],
    ['a wildcard', 'certificateName: { kind: SAN_DNS, value: "*.example" }'],
    ['an address that is none', 'certificateName: { kind: SAN_IP, value: "1.2.3" }'],
    ['a subject that is none', 'certificateName: { kind: SUBJECT_DN, value: "desk" }'],
    ['an empty name', 'certificateName: { kind: SAN_URI, value: "" }'],
  ])('cannot set %s', async (_what, args) => {
    const { database } = office.server;
    const before = await digestOf(database);
    const answer = await setCertificate(bot, args);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect((await recordOf(database, answer)).outcome).not.toBe('succeeded');
    expect(await digestOf(database)).toBe(before);
  });

  test('cannot set one that has expired', async () => {
    const pem = JSON.stringify(readFileSync(certificates.expired.cert, 'utf8'));
    expect(codes(await setCertificate(bot, `certificates: ${pem}`))).toEqual(['BAD_USER_INPUT']);
  });
});

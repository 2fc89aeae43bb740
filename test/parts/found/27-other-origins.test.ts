// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.js';
import { auditRecords } from '../../../src/store/tables/audit.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

const app = 'https://app.example.com';
const local = 'http://localhost:5173';

let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  const secret = 'a secret of a test that encrypts keys';
  const settings = { BEHALF_ALLOWED_ORIGINS: `${app}, ${local}`, BEHALF_SIGNING_KEY_SECRETS: secret };
  server = await TestServer.start({}, settings);
  person = await server.person({ scopes: ['customers:read'] });
});
afterAll(() => server.stop());

const cross = (response: Response): Record<string, string> =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));

const preflight = (path: string, origin: string, method: string, to = server): Promise<Response> =>
  fetch(`${to.url}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type,dpop',
    },
  });

const shared: readonly (readonly [path: string, method: string])[] = [
  ['/graphql', 'POST'],
  ['/graphql', 'GET'],
  ['/graphql/schema.graphql', 'GET'],
  ['/oauth/token', 'POST'],
  ['/oauth/revoke', 'POST'],
];

describe('27 pages of the origins that are allowed', () => {
  test.each(shared)(
    'may ask %s by %s: the preflight needs no token and leaves no record',
    async (path, method) => {
      const before = await server.database.read.count(auditRecords);
      for (const origin of [app, local]) {
        const response = await preflight(path, origin, method);
        expect([response.status, await response.text()]).toEqual([204, '']);
        expect(cross(response)).toMatchObject({
          'access-control-allow-origin': origin,
          'access-control-allow-headers': 'authorization,content-type,dpop',
        });
        expect(response.headers.get('access-control-allow-methods')?.split(', ')).toContain(method);
        expect(response.headers.get('vary')).toContain('origin');
        expect(response.headers.has('access-control-allow-credentials')).toBe(false);
      }
      expect(await server.database.read.count(auditRecords)).toBe(before);
    },
  );

  test('may read what they asked for: answers, refusals, and the headers that matter', async () => {
    const ask = (token: string): Promise<Response> =>
      fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { origin: app, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"query":"{ viewer { scopes } }"}',
      });
    for (const [token, status] of [
      [person.token, 200],
      [person.token, 200],
      [person.token, 200],
      ['x'.repeat(43), 401],
    ] as const) {
      const response = await ask(token);
      expect(response.status).toBe(status);
      expect(cross(response)).toEqual({
        'access-control-allow-origin': app,
        'access-control-expose-headers': 'behalf-operation-id, dpop-nonce, retry-after, www-authenticate',
      });
    }
    const token = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: { origin: local },
      body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'behalf-cli', refresh_token: 'x' }),
    });
    expect([token.status, cross(token)['access-control-allow-origin']]).toEqual([400, local]);
    expect(await token.json()).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('27 pages of any other origin', () => {
  const others = [
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://sub.app.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'HTTPS://APP.EXAMPLE.COM',
    'null',
  ];
  test.each(shared)('may not ask %s by %s', async (path, method) => {
    for (const origin of others) {
      const response = await preflight(path, origin, method);
      expect(response.headers.has('access-control-allow-origin'), origin).toBe(false);
      expect(response.headers.has('access-control-allow-headers'), origin).toBe(false);
    }
    for (const origin of others) {
      const body = method === 'POST' ? { body: new URLSearchParams({ client_id: 'nobody' }) } : {};
      const response = await fetch(`${server.url}${path}`, { method, headers: { origin }, ...body });
      expect(response.headers.has('access-control-allow-origin'), origin).toBe(false);
    }
  });

  test('may not sign anybody in, whatever is allowed', async () => {
    for (const path of ['/oauth/authorize', '/oauth/interaction/x', '/oauth/signed-in', '/readyz']) {
      expect(cross(await preflight(path, app, 'POST'))).toEqual({});
    }
  });

  test('are all others where none is allowed', async () => {
    const closed = await TestServer.start();
    try {
      const response = await preflight('/graphql', app, 'POST', closed);
      expect([response.status, response.headers.has('access-control-allow-origin')]).toEqual([204, false]);
    } finally {
      await closed.stop();
    }
  });
});

describe('27 what says how to get a token is open to all', () => {
  test.each([
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/graphql',
    '/.well-known/oauth-authorization-server',
    '/oauth/jwks',
  ])('%s', async (path) => {
    const asked = await preflight(path, 'https://anywhere.example', 'GET');
    expect([asked.status, cross(asked)]).toMatchObject([204, { 'access-control-allow-origin': '*' }]);
    const response = await fetch(`${server.url}${path}`, { headers: { origin: 'https://anywhere.example' } });
    expect([response.status, cross(response)]).toEqual([200, { 'access-control-allow-origin': '*' }]);
  });
});

describe('27 BEHALF_ALLOWED_ORIGINS', () => {
  test.each([
    '*',
    'null',
    'app.example.com',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://*.example.com',
    'https://app.example.com:443',
    'https://App.example.com',
    'https://user@app.example.com',
    'ftp://app.example.com',
    'https://app.example.com,',
    'https://app.example.com;http://localhost:1',
  ])('is refused at the start: %s', (text) => {
    expect(() => readConfig({ BEHALF_ALLOWED_ORIGINS: text })).toThrow(/BEHALF_ALLOWED_ORIGINS/);
  });

  test('is a list of exact origins', () => {
    expect(readConfig({ BEHALF_ALLOWED_ORIGINS: `${app}, ${local}` }).BEHALF_ALLOWED_ORIGINS).toEqual([
      app,
      local,
    ]);
    expect(readConfig({}).BEHALF_ALLOWED_ORIGINS).toEqual([]);
  });
});

// databases: sqlite, mariadb
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, recordedCodes } from '../../support/faults.js';
import { addRegions } from '../../support/regions.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  person = await server.person({ scopes: ['customers:read'] });
});
afterAll(() => server.stop());

/** With any method, which `fetch` would not send. */
const ask = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<{ status: number | undefined; allow: string | undefined; id: string }> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest(`${server.url}${path}`, { method, headers }, (response) => {
      const { allow, 'behalf-operation-id': id } = response.headers;
      response.resume().on('end', () => {
        resolve({ status: response.statusCode, allow, id: String(id) });
      });
    });
    sent.on('error', reject).end(method === 'POST' ? body : undefined);
  });

describe('31 a known path with another method is told which it takes', () => {
  test.each([
    ['/healthz', 'POST', 'GET, HEAD'],
    ['/readyz', 'DELETE', 'GET, HEAD'],
    ['/metrics', 'POST', 'GET, HEAD'],
    ['/.well-known/oauth-protected-resource', 'PUT', 'GET, HEAD'],
    ['/.well-known/oauth-protected-resource/graphql', 'POST', 'GET, HEAD'],
    ['/.well-known/oauth-authorization-server', 'POST', 'GET, HEAD'],
    ['/oauth/token', 'GET', 'POST'],
    ['/oauth/token?grant_type=x', 'PUT', 'POST'],
    ['/oauth/revoke', 'GET', 'POST'],
    ['/oauth/introspect', 'DELETE', 'POST'],
    ['/oauth/authorize', 'PUT', 'GET'],
    ['/oauth/authorize', 'POST', 'GET'],
    ['/healthz', 'QUERY', 'GET, HEAD'],
    ['/oauth/interaction/x', 'DELETE', 'GET, POST'],
    ['/oauth/signed-in', 'POST', 'GET, HEAD'],
    ['/healthz', 'PROPFIND', 'GET, HEAD'],
  ])('%s by %s', async (path, method, allow) => {
    expect(await ask(method, path)).toMatchObject({ status: 405, allow });
  });

  test.each([
    ['/graphql', 'GET, POST'],
    ['/graphql/schema.graphql', 'GET'],
  ])('%s, to whom it knows', async (path, allow) => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const headers = { authorization: `Bearer ${person.token}` };
      const answer = await ask(method, path, headers);
      expect(answer).toMatchObject({ status: 405, allow });
      const response = await fetch(`${server.url}${path}`, { method, headers });
      const { errors } = (await response.json()) as { errors: { extensions: object }[] };
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(
        await recordedCodes(server, { status: 405, headers: response.headers, data: null, errors: [] }),
      ).toEqual(['BAD_USER_INPUT']);
    }
    expect((await ask('PUT', path)).status).toBe(401);
  });

  test('what is nowhere stays not found', async () => {
    for (const path of ['/nowhere', '/graphql/x', '/oauth/x', '/mcp/x'])
      expect((await ask('POST', path)).status, path).toBe(404);
    const odd: [string, Record<string, string>][] = [
      ['QUERY', {}],
      ['POST', { 'content-type': 'text/xml', 'content-length': '1' }],
      ['POST', { 'content-type': 'application/json', 'content-length': '1' }],
    ];
    for (const [method, headers] of odd) {
      expect((await ask(method, '/nowhere', headers, '{')).status, method).toBe(404);
      expect((await ask(method, '/healthz', headers, '{')).status, method).toBe(405);
    }
  });
});

describe('31 a failure of the server is never the caller’s fault', () => {
  test('also where the address has to wait for what it did before', async () => {
    const post = (token: string): Promise<Response> =>
      fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"query":"{ viewer { scopes } }"}',
      });
    for (let at = 0; at < 121; at += 1) await post('x'.repeat(43));
    expect((await post('x'.repeat(43))).status).toBe(429);
    const before = await digestOf(server.database);
    const run = (sql: string) => server.database.transaction((tx) => tx.query(sql));
    await run('ALTER TABLE behalf_oauth_payloads RENAME TO oauth_lost');
    try {
      const fresh = await post('y'.repeat(43));
      expect([fresh.status, fresh.headers.has('retry-after')]).toEqual([500, false]);
      expect(await fresh.json()).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL' } }] });
    } finally {
      await run('ALTER TABLE oauth_lost RENAME TO behalf_oauth_payloads');
    }
    expect(await digestOf(server.database)).toBe(before);
  });
});

// databases: sqlite, mariadb
import { createHash, randomUUID } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/digest.js';
import { eq } from '../../../src/store/sql/condition.js';
import { oauthPayloads } from '../../../src/store/tables/identity.js';
import { TestServer } from '../../support/server.js';

const publicUrl = 'https://behalf.example:8443';
const metadata = `${publicUrl}/.well-known/oauth-protected-resource/graphql`;
const algs = 'ES256 Ed25519 EdDSA';

let server: TestServer;
let bearer: string;
let bound: string;
let keys: { publicKey: CryptoKey; privateKey: CryptoKey };
beforeAll(async () => {
  server = await TestServer.start({}, { BEHALF_PUBLIC_URL: publicUrl });
  const person = await server.person({ scopes: ['customers:read'] });
  bearer = person.token;
  bound = await server.token(person.id, undefined);
  keys = await generateKeyPair('ES256', { extractable: true });
  const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
  const row = eq<{ id: string }>('id', sha256(bound));
  const [stored] = await server.database.read.select(oauthPayloads, row);
  const payload = JSON.stringify({ ...(JSON.parse(stored?.payload ?? '') as object), jkt });
  await server.database.transaction((tx) => tx.update(oauthPayloads, row, { payload }));
});
afterAll(() => server.stop());

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly authorization?: string;
  readonly dpop?: string;
}

/** As it is written: `fetch` would normalize the path. */
async function ask({ path = '/graphql', method = 'POST', authorization, dpop }: Asked) {
  const { hostname, port } = new URL(server.url);
  const headers = {
    'content-type': 'application/json',
    ...(authorization !== undefined && { authorization }),
    ...(dpop !== undefined && { dpop }),
  };
  const sent = request({ hostname, port, path, method, headers });
  sent.end(method === 'POST' ? '{"query":"{ __typename }"}' : undefined);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  const { headersDistinct } = response;
  return { status: response.statusCode, challenges: headersDistinct['www-authenticate'] ?? [] };
}

const proof = async (claims: Record<string, unknown>, token = bound, signer = keys): Promise<string> => {
  const ath = createHash('sha256').update(token).digest('base64url');
  const iat = Math.floor(Date.now() / 1000);
  return new SignJWT({ jti: randomUUID(), iat, ath, htm: 'POST', htu: `${publicUrl}/graphql`, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(signer.publicKey) })
    .sign(signer.privateKey);
};

describe('28 a challenge says what to send, and what was wrong with what was sent', () => {
  test.each([
    ['no header', undefined],
    ['another scheme', `Basic ${btoa('ada:secret')}`],
    ['a scheme without a token', 'Bearer'],
  ])('%s: both schemes are offered, and no error is told', async (_name, authorization) => {
    for (const path of ['/graphql', '/graphql/schema.graphql']) {
      const method = path === '/graphql' ? 'POST' : 'GET';
      expect(await ask({ path, method, ...(authorization !== undefined && { authorization }) })).toEqual({
        status: 401,
        challenges: [
          `Bearer resource_metadata="${metadata}"`,
          `DPoP algs="${algs}", resource_metadata="${metadata}"`,
        ],
      });
    }
  });

  test.each(['x'.repeat(43), 'eyJhbGciOiJub25lIn0.e30.', 'two words', 'ünknown"quote\\'])(
    'a token that is none: %s',
    async (token) => {
      const authorization = Buffer.from(`bEARER ${token}`).toString('latin1');
      const { status, challenges } = await ask({ authorization });
      expect(status).toBe(401);
      expect(challenges).toEqual([
        expect.stringMatching(
          /^Bearer error="invalid_token", error_description="The access token is unknown[^"\\]*", resource_metadata="/,
        ),
      ]);
      const asDpop = await ask({ authorization: authorization.replace('bEARER', 'DPoP') });
      expect(asDpop.challenges).toEqual([
        expect.stringMatching(
          new RegExp(
            `^DPoP error="invalid_token", error_description="[^"\\\\]+", algs="${algs}", resource_metadata="`,
          ),
        ),
      ]);
    },
  );

  const refusals: [string, () => Promise<Asked>, string][] = [
    [
      'a bound token as a bearer token',
      () => Promise.resolve({ authorization: `Bearer ${bound}` }),
      'invalid_token',
    ],
    [
      'a bearer token as a bound one',
      () => Promise.resolve({ authorization: `DPoP ${bearer}` }),
      'invalid_token',
    ],
    ['no proof', () => Promise.resolve({ authorization: `DPoP ${bound}` }), 'invalid_dpop_proof'],
    [
      'a proof that is none',
      () => Promise.resolve({ authorization: `DPoP ${bound}`, dpop: 'no' }),
      'invalid_dpop_proof',
    ],
    [
      'another method',
      async () => ({ authorization: `DPoP ${bound}`, dpop: await proof({ htm: 'GET' }) }),
      'invalid_dpop_proof',
    ],
    [
      'another key',
      async () => ({
        authorization: `DPoP ${bound}`,
        dpop: await proof({}, bound, await generateKeyPair('ES256', { extractable: true })),
      }),
      'invalid_token',
    ],
  ];
  test.each(refusals)('%s', async (_name, asked, error) => {
    const { status, challenges } = await ask(await asked());
    expect(status).toBe(401);
    expect(challenges).toEqual([
      expect.stringMatching(
        new RegExp(
          `^DPoP error="${error}", error_description="[^"]+", algs="${algs}", resource_metadata="${metadata}"$`,
        ),
      ),
    ]);
  });

  test('the metadata is of the resource that was asked (RFC 9728)', async () => {
    const response = await fetch(metadata.replace(publicUrl, server.url));
    expect(await response.json()).toMatchObject({ resource: `${publicUrl}/graphql` });
  });
});

describe('28 htu is the URL that was asked', () => {
  const status = async (htu: unknown, asked: Asked = {}): Promise<number | undefined> => {
    const claims = { htu, htm: asked.method ?? 'POST' };
    return (await ask({ authorization: `DPoP ${bound}`, dpop: await proof(claims), ...asked })).status;
  };
  const sdl: Asked = { path: '/graphql/schema.graphql', method: 'GET' };

  test.each([
    ['/graphql', {}],
    ['/graphql/schema.graphql', sdl],
    ['/graphql', { path: '/graphql?query=%7B__typename%7D', method: 'GET' }],
    ['/%67raphql', {}],
    ['/graphql', { path: '/%67raphql' }],
    ['/a/../graphql', {}],
    ['/graphql?x=1#y', {}],
  ])('%s for %o', async (path, asked) => {
    expect(await status(`${publicUrl}${path}`, asked)).toBe(200);
  });

  test('whatever the case of scheme and host', async () => {
    expect(await status('HTTPS://BEHALF.example:8443/graphql')).toBe(200);
  });

  test.each([
    ['/graphql', sdl],
    ['/graphql/schema.graphql', {}],
    ['/graphql/', {}],
    ['/GraphQL', {}],
    ['/graphql%2Fschema.graphql', sdl],
    ['', {}],
  ])('not %s for %o', async (path, asked) => {
    expect(await status(`${publicUrl}${path}`, asked)).toBe(401);
  });

  test.each([
    'http://behalf.example:8443/graphql',
    'https://behalf.example/graphql',
    'https://behalf.example.:8443/graphql',
    'https://other.example:8443/graphql',
    'https://ada@behalf.example:8443/graphql',
    'https://ada:secret@behalf.example:8443/graphql',
    '/graphql',
    'graphql',
    '',
    7,
    null,
    ['https://behalf.example:8443/graphql'],
  ])('not %j', async (htu) => {
    expect(await status(htu)).toBe(401);
  });

  test('nor the address where the server listens, when another is public', async () => {
    expect(await status(`${server.url}/graphql`)).toBe(401);
  });
});

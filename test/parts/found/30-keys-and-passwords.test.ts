// databases: sqlite, mariadb
import { exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agents, users, type UserRow } from '../../../src/store/tables/identity.js';
import { Office } from '../../support/office.js';
import { CodeFlow, discover, insecure } from '../oauth/browser.js';
import { Harness } from '../oauth/harness.js';
import { password } from '../../support/passwords.js';

const pair = (alg: string, options: object = {}): Promise<{ publicKey: CryptoKey; privateKey: CryptoKey }> =>
  generateKeyPair(alg, { extractable: true, ...options });
const publicKey = async (alg: string, options: object = {}): Promise<JWK> =>
  exportJWK((await pair(alg, options)).publicKey);

describe('30 keys that can never sign in are refused when they are set', () => {
  let office: Office;
  let agent: { id: string };
  beforeAll(async () => {
    office = await Office.start();
    agent = await office.company.agent('signing', office.company.root, 'support-agent');
  });
  afterAll(() => office.server.stop());

  let sent = 0;
  const set = (...keys: readonly JWK[]) =>
    office.server.query(
      office.company.root.token,
      `mutation ($id: ID!, $keys: String!, $key: String!) {
        setAgentKeys(id: $id, publicKeys: $keys, idempotencyKey: $key) { agent { publicKeys } }
      }`,
      { id: agent.id, keys: JSON.stringify({ keys }), key: `keys ${String((sent += 1))}` },
    );

  const bad: [string, () => Promise<JWK>, RegExp][] = [
    ['P-384', () => publicKey('ES384'), /P-384/],
    ['P-521', () => publicKey('ES512'), /P-521/],
    ['X25519', () => publicKey('ECDH-ES', { crv: 'X25519' }), /X25519/],
    ['a curve of another type', async () => ({ ...(await publicKey('ES256')), crv: 'Ed25519' }), /Ed25519/],
    ['RSA of 1,024 bits', () => Promise.resolve({ kty: 'RSA', n: 'w'.repeat(171), e: 'AQAB' }), /2048/],
    ['RSA with exponent 1', async () => ({ ...(await publicKey('RS256')), e: 'AQ' }), /exponent/],
    ['alg of another type', async () => ({ ...(await publicKey('ES256')), alg: 'RS256' }), /alg/],
    ['an alg that nobody accepts', async () => ({ ...(await publicKey('RS256')), alg: 'RS512' }), /alg/],
    ['an alg that is none', async () => ({ ...(await publicKey('Ed25519')), alg: 'none' }), /alg/],
    ['use enc', async () => ({ ...(await publicKey('ES256')), use: 'enc' }), /use/],
    [
      'key_ops without verify',
      async () => ({ ...(await publicKey('ES256')), key_ops: ['encrypt'] }),
      /key_ops/,
    ],
    ['a point beside the curve', async () => ({ ...(await publicKey('ES256')), y: 'A'.repeat(43) }), /point/],
  ];
  test.each(bad)('%s', async (_name, make, why) => {
    const before = await office.server.database.read.byId(agents, agent.id);
    const good = await publicKey('ES256');
    const { errors } = await set(good, await make());
    expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors[0]?.message).toMatch(/^Key 2 of this set could never sign in: /);
    expect(errors[0]?.message).toMatch(why);
    expect(await office.server.database.read.byId(agents, agent.id)).toEqual(before);
  });

  test('a dry run refuses them as well', async () => {
    const key = await publicKey('ES384');
    const before = await office.server.database.read.byId(agents, agent.id);
    const { errors } = await office.server.query(
      office.company.root.token,
      `mutation ($id: ID!, $keys: String!) {
        setAgentKeys(id: $id, publicKeys: $keys, dryRun: true, idempotencyKey: "dry") { endedCount }
      }`,
      { id: agent.id, keys: JSON.stringify({ keys: [key] }) },
    );
    expect(errors[0]?.message).toMatch(/^Key 1 of this set could never sign in: /);
    expect(await office.server.database.read.byId(agents, agent.id)).toEqual(before);
  });

  test('those that can are kept', async () => {
    const keys = await Promise.all([
      publicKey('ES256'),
      publicKey('Ed25519').then((key) => ({ ...key, alg: 'EdDSA', use: 'sig', key_ops: ['verify'] })),
      publicKey('Ed25519').then((key) => ({ ...key, alg: 'Ed25519' })),
      publicKey('RS256').then((key) => ({ ...key, alg: 'PS256' })),
    ]);
    expect((await set(...keys)).errors).toEqual([]);
  });
});

describe('30 EdDSA and Ed25519 are one', () => {
  let harness: Harness;
  let ada: UserRow;
  beforeAll(async () => {
    harness = await Harness.start();
    ada = await harness.addUser('ada');
  });
  afterAll(() => harness.stop());

  test.each([
    ['EdDSA', 'Ed25519'],
    ['Ed25519', 'EdDSA'],
    ['EdDSA', 'EdDSA'],
    ['Ed25519', 'Ed25519'],
    [undefined, 'EdDSA'],
  ])('a key for %s signs as %s', async (alg, signedAs) => {
    const { publicKey: open, privateKey: key } = await pair('Ed25519');
    const name = `signer-${String(alg)}-${signedAs}`.toLowerCase();
    const jwk = { ...(await exportJWK(open)), ...(alg !== undefined && { alg }) };
    const changes = { authMethod: 'private_key_jwt', jwks: { keys: [jwk] } };
    const { agent } = await harness.addAgent(name, ada.id, changes);
    const made = { userId: ada.id, agentId: agent.id, scopes: ['tickets:read'] };
    const details = [{ type: 'behalf_delegation', delegation: harness.delegations.make(made).id }];
    const response = await oauth.clientCredentialsGrantRequest(
      await discover(harness),
      { client_id: name },
      oauth.PrivateKeyJwt(key, {
        [oauth.modifyAssertion]: (header) => {
          header.alg = signedAs;
        },
      }),
      { authorization_details: JSON.stringify(details) },
      insecure,
    );
    expect([response.status, await response.json()]).toMatchObject([200, { scope: 'tickets:read' }]);
  });
});

describe('30 an assertion works once, however late it ends', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
  });
  afterAll(() => harness.stop());

  test.each([1e12, 1e300])('at %d', async (end) => {
    const name = `late-${String(String(end).length)}`;
    const owner = await harness.addUser(`owner-of-${name}`);
    const { agent, key } = await harness.addKeyAgent(name, owner.id);
    const made = { userId: owner.id, agentId: agent.id, scopes: ['tickets:read'] };
    const details = [{ type: 'behalf_delegation', delegation: harness.delegations.make(made).id }];
    let sent = '';
    const capture: typeof fetch = (input, init) => {
      if (init?.body instanceof URLSearchParams) sent = init.body.toString();
      return fetch(input, init);
    };
    const signed = oauth.PrivateKeyJwt(
      { key, kid: 'k1' },
      {
        [oauth.modifyAssertion]: (_header, claims) => {
          claims.exp = end;
        },
      },
    );
    const response = await oauth.clientCredentialsGrantRequest(
      await discover(harness),
      { client_id: name },
      signed,
      { authorization_details: JSON.stringify(details) },
      { ...insecure, [oauth.customFetch]: capture },
    );
    expect([response.status, await response.json()]).toMatchObject([200, { scope: 'tickets:read' }]);
    await harness.oauth.purgeExpired();
    const again = await harness.post('/oauth/token', Object.fromEntries(new URLSearchParams(sent)));
    expect([again.status, again.body.error]).toEqual([401, 'invalid_client']);
  });
});

describe('30 a password that is common, or made of names, is not set', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
  });
  afterAll(() => harness.stop());

  test('the page says why, and the account stays as it was', async () => {
    const user = await harness.addUser('rosa.lind', {
      displayName: 'Rosa Lindqvist',
      email: 'rl2@example.com',
      mustChangePassword: true,
    });
    const flow = await CodeFlow.start(harness);
    let page = await flow.signIn('rosa.lind', password);
    for (const [chosen, why] of [
      ['password1234', 'less common'],
      ['P@ssw0rd2026!', 'less common'],
      ['RosaLind1234', 'Leave your name'],
      ['lindqvist-2026', 'Leave your name'],
      ['Behalf123456', 'Leave your name'],
    ] as const) {
      page = await flow.browser.submit(page, { 'new-password': chosen, 'repeat-password': chosen });
      expect([chosen, page.status, page.html]).toEqual([chosen, 422, expect.stringContaining(why)]);
    }
    expect(await harness.database.read.byId(users, user.id)).toEqual(user);
    const good = 'a much better password';
    const tokens = await flow.redeem(
      await flow.browser.submit(page, { 'new-password': good, 'repeat-password': good }),
    );
    expect((await harness.fact(tokens.access_token))?.userId).toBe(user.id);
  });
});

// databases: sqlite, mariadb
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeProvider } from '../../../src/admin/identity-providers.js';
import {
  removeTransmitter,
  setTransmitter,
  type NewTransmitter,
} from '../../../src/admin/signal-transmitters.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { authorityEpoch, oauthPayloads, users } from '../../../src/store/tables/identity.js';
import {
  identityProviders,
  signalTransmitters,
  userIdentities,
} from '../../../src/store/tables/identity-providers.js';
import { Company } from '../../support/administration.js';
import { addCompany, companyClientId, CompanyProvider } from '../../support/company-provider.js';
import { ProviderJourney } from '../../support/provider-journey.js';
import { recordsOf } from '../../support/records.js';
import type { TestServer } from '../../support/server.js';

const audience = 'https://behalf.example/signals';
const authorization = 'Bearer the-agreed-header-of-the-transmitter';
const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const revoked = `${caep}session-revoked`;

let company: Company;
let acme: CompanyProvider;
/** Another trusted provider, whose transmitter has an issuer and keys of its own, and must send a header. */
let other: CompanyProvider;
let replica: TestServer;

beforeAll(async () => {
  company = await Company.start();
  replica = await company.server.replica();
  const at = (name: string): string => `${company.server.url}/oauth/callback/${name}`;
  [acme, other] = [await CompanyProvider.start([at('acme')]), await CompanyProvider.start([at('other')])];
  for (const [name, provider] of Object.entries({ acme, other }))
    await addCompany(company, name, provider.issuer);
  await trust('acme', { audience });
  const keysUri = `${other.issuer}/jwks`;
  await trust('other', { issuer: 'https://signals.example', audience, keysUri, authorization });
});
afterAll(async () => {
  await replica.app.close();
  await replica.database.close();
  await Promise.all([company.server.stop(), acme.stop(), other.stop()]);
});

async function trust(name: string, transmitter: NewTransmitter): Promise<void> {
  const provider = await company.server.database.read.one(identityProviders, eq('name', name));
  if (provider === undefined) throw new Error('no provider');
  await company.do((unit) => setTransmitter(unit, provider, transmitter, false));
}

const now = (): number => Math.floor(Date.now() / 1000);
const claimsFor = (sub: string, event = revoked, members: object = {}): JWTPayload => ({
  ...{ iss: acme.issuer, aud: audience, iat: now(), jti: `set-${String(Math.random())}` },
  sub_id: { format: 'iss_sub', iss: acme.issuer, sub },
  events: { [event]: members },
});
const sign = (claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> =>
  acme.sign(claims, { typ: 'secevent+jwt', ...header });

const push = (token: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${company.server.url}/oauth/security_events`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json', ...headers },
    body: token,
  });

async function tokenOf(sub: string, sid?: string): Promise<string> {
  acme.signedIn = { sub };
  acme.forge = ({ sid: _, ...claims }) => acme.sign({ ...claims, ...(sid === undefined ? {} : { sid }) });
  const journey = await ProviderJourney.begin(company.server.url, 'acme', acme);
  return (await journey.flow.redeem(await journey.arrive())).access_token;
}
const statusAt = async (server: TestServer, token: string): Promise<number> =>
  (await server.query(token, '{ viewer { scopes } }')).status;
const revocations = () => recordsOf(company.server.database, 'revocation');

const standing = async (): Promise<unknown> => {
  const { read } = company.server.database;
  return [
    await read.count(oauthPayloads, all()),
    await read.select(users, all(), { order: [{ column: 'id', direction: 'asc' }] }),
    await read.select(userIdentities, all()),
    await read.select(authorityEpoch, all()),
  ];
};

describe('a security event', () => {
  test.each([
    ['a session was revoked', revoked, {}],
    [
      'a credential has changed',
      `${caep}credential-change`,
      { credential_type: 'password', change_type: 'update' },
    ],
    ['the account was disabled', 'https://schemas.openid.net/secevent/risc/event-type/account-disabled', {}],
  ])(
    'that %s ends all of the person with the next operation, on every replica',
    async (_name, event, members) => {
      const hers = [await tokenOf('acme|leaving', 'one'), await tokenOf('acme|leaving')];
      const somebody = await tokenOf('acme|staying');
      const answer = await push(await sign(claimsFor('acme|leaving', event, members)));
      expect([answer.status, await answer.text()]).toEqual([202, '']);
      for (const server of [company.server, replica])
        for (const token of hers) expect(await statusAt(server, token)).toBe(401);
      expect(await statusAt(replica, somebody)).toBe(200);
      const name = event.slice(event.lastIndexOf('/') + 1);
      expect((await revocations()).at(-1)).toMatchObject({
        outcome: 'succeeded',
        chain: { person: {} },
        detail: { detail: `security event ${name}, provider acme, subject acme|leaving` },
      });
    },
  );

  test('of one session ends the sign-ins of that session alone', async () => {
    const [one, two] = [await tokenOf('acme|two', 'first'), await tokenOf('acme|two', 'second')];
    const user = { format: 'iss_sub', iss: acme.issuer, sub: 'acme|two' };
    const session = { format: 'opaque', id: 'first' };
    const claims = { ...claimsFor(''), sub_id: { format: 'complex', user, session } };
    expect((await push(await sign(claims))).status).toBe(202);
    expect([await statusAt(replica, one), await statusAt(replica, two)]).toEqual([401, 200]);
  });

  test('may name the person by the subject alone', async () => {
    const token = await tokenOf('acme|opaque');
    const claims = { ...claimsFor(''), sub_id: { format: 'opaque', id: 'acme|opaque' } };
    expect((await push(await sign(claims))).status).toBe(202);
    expect(await statusAt(replica, token)).toBe(401);
  });

  test('refuses a sign-in that was under way', async () => {
    acme.signedIn = { sub: 'acme|new-and-revoked' };
    acme.forge = undefined;
    const journey = await ProviderJourney.begin(company.server.url, 'acme', acme);
    expect((await push(await sign(claimsFor('acme|new-and-revoked')))).status).toBe(202);
    expect((await journey.arrive()).status).toBe(400);
  });

  test('that comes again is acknowledged, and ends nothing more', async () => {
    const sent = await sign(claimsFor('acme|again'));
    await tokenOf('acme|again');
    expect((await push(sent)).status).toBe(202);
    const token = await tokenOf('acme|again');
    const [before, known] = [await standing(), (await revocations()).length];
    expect((await push(sent)).status).toBe(202);
    expect([await standing(), await statusAt(replica, token)]).toEqual([before, 200]);
    expect(await revocations()).toHaveLength(known);
  });

  test('that tries the connection is acknowledged and recorded', async () => {
    const event = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
    const claims = {
      ...claimsFor('', event, { state: 'abc' }),
      sub_id: { format: 'opaque', id: 'stream-1' },
    };
    const epoch = await company.server.database.read.select(authorityEpoch, all());
    expect((await push(await sign(claims))).status).toBe(202);
    expect(await company.server.database.read.select(authorityEpoch, all())).toEqual(epoch);
    expect((await revocations()).at(-1)?.detail).toEqual({
      detail: 'security event verification, provider acme',
    });
  });

  test('of a transmitter with an issuer, keys and a header of its own', async () => {
    const claims = { ...claimsFor('x'), iss: 'https://signals.example' };
    const subject = { format: 'iss_sub', iss: other.issuer, sub: 'x' };
    const token = await other.sign({ ...claims, sub_id: subject }, { typ: 'secevent+jwt' });
    const before = await standing();
    for (const wrong of [{}, { authorization: 'Bearer x' }, { authorization: `${authorization}x` }]) {
      const refused = await push(token, wrong as Record<string, string>);
      expect([refused.status, await refused.json()]).toEqual([
        400,
        { err: 'authentication_failed', description: 'the Authorization header is not the agreed one' },
      ]);
    }
    expect(await standing()).toEqual(before);
    expect((await push(token, { authorization })).status).toBe(202);
  });

  test.each<[string, Partial<NewTransmitter>, string]>([
    ['the issuer of another transmitter', { issuer: 'https://signals.example' }, 'CONFLICT'],
    ['keys without TLS', { keysUri: 'http://keys.example/jwks' }, 'BAD_USER_INPUT'],
    ['a header that can be guessed', { authorization: 'Bearer short' }, 'BAD_USER_INPUT'],
    ['an audience with a space', { audience: 'a b' }, 'BAD_USER_INPUT'],
  ])('is not trusted with %s, and the earlier settings stay', async (_name, changes, code) => {
    await expect(trust('acme', { audience, ...changes })).rejects.toMatchObject({ code });
    expect((await push(await sign(claimsFor('acme|nobody')))).status).toBe(202);
  });

  test('of a transmitter that is trusted no more, or whose provider was removed, is refused', async () => {
    const brief = await addCompany(company, 'brief', `${acme.issuer}/brief`);
    const send = async (): Promise<number> =>
      (
        await push(
          await sign({ ...claimsFor('x'), sub_id: { format: 'opaque', id: 'x' }, iss: brief.issuer }),
        )
      ).status;
    const settings = { audience, keysUri: `${acme.issuer}/jwks` };
    const statuses = [await send()];
    await trust('brief', settings);
    statuses.push(await send());
    await company.do((unit) => removeTransmitter(unit, brief));
    statuses.push(await send());
    await trust('brief', settings);
    await company.do((unit) => removeProvider(unit, company.root.id, brief));
    statuses.push(await send());
    expect(statuses).toEqual([400, 202, 400, 400]);
    expect(await company.server.database.read.count(signalTransmitters, eq('providerId', brief.id))).toBe(0);
  });
});

describe('is refused, recorded, and ends nothing:', () => {
  const forged = (changes: JWTPayload) => (sub: string) => sign({ ...claimsFor(sub), ...changes });
  const logout = 'http://schemas.openid.net/event/backchannel-logout';
  test.each<[string, string, string, (sub: string) => Promise<string> | string]>([
    ['no token', 'invalid_request', 'Invalid JWT', () => ''],
    ['an unknown issuer', 'invalid_issuer', 'not trusted', forged({ iss: 'https://evil.example' })],
    ['no issuer', 'invalid_issuer', 'not trusted', forged({ iss: undefined })],
    ['an issuer that is an object', 'invalid_issuer', 'not trusted', forged({ iss: { id: 1 } as never })],
    [
      'an issuer that is a list',
      'invalid_issuer',
      'not trusted',
      (sub) => forged({ iss: [acme.issuer] as never })(sub),
    ],
    [
      'the issuer of a transmitter without its header',
      'authentication_failed',
      'Authorization',
      forged({ iss: 'https://signals.example' }),
    ],
    ['another audience', 'invalid_audience', 'aud', forged({ aud: companyClientId })],
    ['no audience', 'invalid_audience', 'aud', forged({ aud: undefined })],
    ['a logout token', 'invalid_request', 'typ', (sub) => sign(claimsFor(sub), { typ: 'logout+jwt' })],
    ['an ID token', 'invalid_request', 'typ', (sub) => sign(claimsFor(sub), { typ: 'JWT' })],
    ['a token without a type', 'invalid_request', 'typ', (sub) => sign(claimsFor(sub), { typ: undefined })],
    ['a logout token’s event', 'invalid_request', 'one event', forged({ events: { [logout]: {} } })],
    ['two events', 'invalid_request', 'one event', forged({ events: { [revoked]: {}, [logout]: {} } })],
    ['no events', 'invalid_request', 'claim events', forged({ events: undefined })],
    ['an event of Object.prototype', 'invalid_request', 'one event', forged({ events: { constructor: {} } })],
    ['an event that is no object', 'invalid_request', 'claim events', forged({ events: { [revoked]: 1 } })],
    [
      'a change of no known kind',
      'invalid_request',
      'claim events',
      (sub) => sign(claimsFor(sub, `${caep}credential-change`, { credential_type: 'password' })),
    ],
    ['no jti', 'invalid_request', 'claim jti', forged({ jti: undefined })],
    ['no iat', 'invalid_request', 'iat', forged({ iat: undefined })],
    ['an iat in the future', 'invalid_request', 'iat', forged({ iat: now() + 3_600 })],
    ['an old token', 'invalid_request', 'too far in the past', forged({ iat: now() - 90_000 })],
    ['a subject of ID tokens', 'invalid_request', 'claim sub', forged({ sub: 'acme|attacked' })],
    ['an end', 'invalid_request', 'claim exp', forged({ exp: now() + 60 })],
    ['a nonce', 'invalid_request', 'claim nonce', forged({ nonce: 'n' })],
    ['no sub_id', 'invalid_request', 'claim sub_id', forged({ sub_id: undefined })],
    [
      'an e-mail address',
      'invalid_request',
      'claim sub_id',
      forged({ sub_id: { format: 'email', email: 'a@b.c' } }),
    ],
    [
      'an account',
      'invalid_request',
      'claim sub_id',
      forged({ sub_id: { format: 'account', uri: 'acct:a@b.c' } }),
    ],
    [
      'a subject of another issuer',
      'invalid_request',
      'another issuer',
      (sub) => sign({ ...claimsFor(sub), sub_id: { format: 'iss_sub', iss: other.issuer, sub } }),
    ],
    [
      'a token that nobody signed',
      'invalid_key',
      'alg',
      (sub) => {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
        return `${part({ alg: 'none', typ: 'secevent+jwt' })}.${part(claimsFor(sub))}.`;
      },
    ],
    [
      'HS256 with the public key',
      'invalid_key',
      'alg',
      async (sub) => {
        const secret = new TextEncoder().encode(await exportSPKI(acme.publicKey));
        return acme.sign(claimsFor(sub), { typ: 'secevent+jwt', alg: 'HS256' }, secret);
      },
    ],
    [
      'a kid that the keys do not have',
      'invalid_key',
      'no applicable key',
      (sub) => sign(claimsFor(sub), { kid: 'x' }),
    ],
    [
      'the key of another provider under the same kid',
      'invalid_key',
      'signature verification failed',
      (sub) => other.sign(claimsFor(sub), { typ: 'secevent+jwt' }),
    ],
    [
      'a key that the token brings along',
      'invalid_key',
      'signature verification failed',
      async (sub) => {
        const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
        const header = { typ: 'secevent+jwt', jwk: await exportJWK(publicKey), jku: `${other.issuer}/jwks` };
        return acme.sign(claimsFor(sub), header, privateKey);
      },
    ],
  ])('%s', async (_name, err, reason, make) => {
    const token = await attacked;
    const [before, known] = [await standing(), (await revocations()).length];
    const answer = await push(await make('acme|attacked'));
    expect(await answer.json()).toEqual({ err, description: expect.stringContaining(reason) as string });
    expect([answer.status, answer.headers.get('content-language')]).toEqual([400, 'en']);
    expect(await standing()).toEqual(before);
    expect(await statusAt(replica, token)).toBe(200);
    expect((await revocations()).slice(known)).toMatchObject([
      { outcome: 'refused', detail: { errorCode: err } },
    ]);
  });

  test.each([
    [
      'a body that is too large',
      413,
      'too long',
      { body: 'x'.repeat(20_000), type: 'application/secevent+jwt' },
    ],
    ['a body of another type', 400, 'application/secevent+jwt', { body: 'x', type: 'application/jwt' }],
  ])('%s', async (_name, status, description, { body, type }) => {
    const answer = await push(body, { 'content-type': type });
    expect([answer.status, await answer.json()]).toEqual([
      status,
      { err: 'invalid_request', description: expect.stringContaining(description) as string },
    ]);
  });

  test('another method', async () => {
    const answer = await fetch(`${company.server.url}/oauth/security_events`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  let attacked: Promise<string>;
  beforeAll(() => {
    attacked = tokenOf('acme|attacked');
  });
});

test('a security event token is no logout token', async () => {
  const token = await tokenOf('acme|not-logged-out');
  const event = 'http://schemas.openid.net/event/backchannel-logout';
  const claims = {
    iss: acme.issuer,
    aud: companyClientId,
    iat: now(),
    exp: now() + 60,
    jti: 'set-as-logout',
  };
  const sent = await sign({ ...claims, sub: 'acme|not-logged-out', events: { [event]: {} } });
  const answer = await fetch(`${company.server.url}/oauth/backchannel_logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: sent }),
  });
  expect([answer.status, await statusAt(replica, token)]).toEqual([400, 200]);
});

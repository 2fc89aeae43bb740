// databases: sqlite, mariadb
import {
  calculateJwkThumbprint,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type JWTPayload,
} from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeProvider, unlinkIdentity } from '../../../src/admin/identity-providers.js';
import { stopAgent } from '../../../src/admin/agents.js';
import { markLogout } from '../../../src/admin/provider-logouts.js';
import { addIssuer, mapAgent, removeIssuer, unmapAgent } from '../../../src/admin/token-issuers.js';
import { disableUser } from '../../../src/admin/users.js';
import { sha256 } from '../../../src/core/digest.js';
import { revokeDelegation, withdrawConsent } from '../../../src/delegation/end-delegation.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { authorityEpoch, consents, delegations, users } from '../../../src/store/tables/identity.js';
import { userIdentities } from '../../../src/store/tables/identity-providers.js';
import {
  issuerDelegations,
  tokenIssuerAgents,
  tokenIssuers,
  type TokenIssuerRow,
} from '../../../src/store/tables/token-issuers.js';
import { prefixed } from '../../../src/store/tables/table.js';
import { Company, type Employee } from '../../support/administration.js';
import { companyClientId, CompanyProvider, companySecret } from '../../support/company-provider.js';
import { recordsOf } from '../../support/records.js';
import { Exchange, TestIssuers, type Client, type TestIssuer } from '../../support/token-issuers.js';
import { Browser } from './browser.js';

type Kind = 'access_token' | 'jwt' | 'id_token' | 'id-jag';
interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const types: Readonly<Record<Kind, string | undefined>> = {
  access_token: 'at+jwt',
  jwt: 'JWT',
  id_token: undefined,
  'id-jag': 'oauth-id-jag+jwt',
};
const taken = ['tickets:read', 'customers:read'];
const task = { type: 'behalf_delegation', task: 'ticket:T-1', purpose: 'Answer it' };

let now = Date.now();
let issuers: TestIssuers;
let company: Company;
let office: Exchange;
let rosa: Employee;
let jonas: Employee;
let helper: Client;
let second: Client;
let stranger: Client;
const at = new Map<string, TestIssuer>();
const entries = new Map<string, TokenIssuerRow>();

const issuerAt = (name: string): TestIssuer => {
  const issuer = at.get(name);
  if (issuer === undefined) throw new Error(`no issuer ${name}`);
  return issuer;
};
const entryOf = (name: string): TokenIssuerRow => {
  const entry = entries.get(name);
  if (entry === undefined) throw new Error(`no entry ${name}`);
  return entry;
};

/** Trusts a new issuer, which knows the helper, the second agent and, for ID-JAG, the helper by its client id. */
async function trust(name: string, changes: Parameters<Exchange['trust']>[2] = {}): Promise<TokenIssuerRow> {
  const issuer = await issuers.add(name);
  at.set(name, issuer);
  const entry = await office.trust(name, issuer, changes);
  entries.set(name, entry);
  await office.map(entry, 'their-helper', helper);
  await office.map(entry, 'their-second', second);
  if (name === 'standard') await office.map(entry, 'helper', helper);
  return entry;
}

beforeAll(async () => {
  issuers = await TestIssuers.start();
  company = await Company.start({ clock: { now: () => now } });
  office = await Exchange.of(company);
  rosa = await office.person('rosa', 'sub-rosa', 'support-rep');
  jonas = await office.person('jonas', 'sub-jonas', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
  second = await office.agent('second', rosa, 'support-agent');
  stranger = await office.agent('stranger', rosa, 'support-agent');
  await office.consent(rosa, helper, taken);
  await office.consent(rosa, second, ['tickets:read', 'invoices:read']);
  await trust('standard');
  await trust('other');
  await trust('act', { dialect: 'act', actorsMax: 3 });
  await trust('single', { dialect: 'act', actorsMax: 1 });
  await trust('azp', { dialect: 'azp' });
  await trust('obo', { dialect: 'agent-in-sub', userClaim: 'on_behalf_of' });
  await trust('inverted', { dialect: 'user-in-act' });
  await trust('narrow', { tokenTypes: ['id-jag'], audiences: ['api://behalf'] });
});
afterAll(async () => {
  await Promise.all([company.server.stop(), issuers.stop()]);
});
beforeEach(() => {
  // Refused requests are counted for a minute.
  now += 61_000;
});

let tokens = 0;
const seconds = (): number => Math.floor(now / 1000);

/** The claims that every issuer writes; `sub` and the actors are those of the standard dialect. */
const claimsOf = (issuer: string, kind: Kind = 'access_token'): JWTPayload => ({
  iss: issuerAt(issuer).url,
  aud: company.server.url,
  sub: 'sub-rosa',
  client_id: kind === 'id-jag' ? 'helper' : 'their-helper',
  iat: seconds(),
  exp: seconds() + 300,
  jti: `jti-${String((tokens += 1))}`,
});

/** The claims of each dialect for the same chain. */
const spoken: Readonly<Record<string, JWTPayload>> = {
  standard: {},
  act: { act: { sub: 'their-helper' } },
  azp: { azp: 'their-helper' },
  obo: { sub: 'their-helper', on_behalf_of: 'sub-rosa' },
  inverted: { sub: 'their-helper', act: { sub: 'sub-rosa' } },
};

const signed = (issuer: string, kind: Kind, changes: JWTPayload = {}, header: object = {}): Promise<string> =>
  issuerAt(issuer).sign(
    { ...claimsOf(issuer, kind), ...spoken[issuer], ...changes },
    { typ: types[kind], ...header },
  );

async function present(
  kind: Kind,
  text: string,
  { as = helper, dpop, ...form }: { as?: Client; dpop?: string } & Record<string, unknown> = {},
): Promise<Answer> {
  const params: Record<string, string> =
    kind === 'id-jag'
      ? { grant_type: jwtBearer, assertion: text }
      : {
          grant_type: tokenExchange,
          subject_token: text,
          subject_token_type: `urn:ietf:params:oauth:token-type:${kind}`,
        };
  const details = JSON.stringify([task]);
  const basic = Buffer.from(`${as.row.name}:${encodeURIComponent(as.secret)}`).toString('base64');
  const response = await fetch(`${company.server.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, ...(dpop !== undefined && { dpop }) },
    body: new URLSearchParams({
      ...params,
      authorization_details: details,
      ...(form as Record<string, string>),
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const lastToken = async () => (await recordsOf(company.server.database, 'token')).at(-1);
const tokenIn = ({ status, body }: Answer): string => {
  expect([status, body.error_description]).toEqual([200, undefined]);
  return String(body.access_token);
};
const delegationIn = ({ body }: Answer): string =>
  (body.authorization_details as { delegation: string }[])[0]?.delegation ?? '';
const viewer = '{ viewer { person { name } agents { name } scopes } }';
const works = async (token: string): Promise<number> => (await company.server.query(token, viewer)).status;

/** Everything that a token could make or use up. */
async function standing(): Promise<unknown> {
  const { read } = company.server.database;
  return [
    await read.select(delegations, all(), { order: [{ column: 'id', direction: 'asc' }] }),
    await read.select(consents, all(), { order: [{ column: 'id', direction: 'asc' }] }),
    await read.select(authorityEpoch, all()),
    await read.count(issuerDelegations),
    await read.count(tokenIssuerAgents),
    await read.count(userIdentities),
    await read.count(users),
    await read.query(`SELECT COUNT(*) AS n FROM ${prefixed('oauth_payloads')}`),
  ];
}

describe('a token of a trusted issuer', () => {
  test.each<[string, Kind]>([
    ['standard', 'access_token'],
    ['standard', 'jwt'],
    ['standard', 'id_token'],
    ['act', 'access_token'],
    ['azp', 'id_token'],
    ['obo', 'access_token'],
    ['inverted', 'jwt'],
  ])('in the dialect of %s, as %s, becomes a delegation under the consent', async (issuer, kind) => {
    const answer = await present(kind, await signed(issuer, kind));
    const token = tokenIn(answer);
    expect(answer.body).toMatchObject({
      token_type: 'Bearer',
      scope: 'customers:read tickets:read',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    });
    expect(await company.server.database.read.byId(delegations, delegationIn(answer))).toMatchObject({
      userId: rosa.id,
      agentId: helper.row.id,
      parentId: null,
      task: 'ticket:T-1',
    });
    expect((await company.server.query(token, viewer)).data).toMatchObject({
      viewer: { person: { name: 'rosa' }, agents: [{ name: 'helper' }] },
    });
    const record = await lastToken();
    expect(record).toMatchObject({ outcome: 'succeeded', chain: { person: { name: 'rosa' } } });
    expect(record?.detail.detail).toContain(`iss ${issuerAt(issuer).url}`);
    expect(record?.detail.detail).toContain(`jti jti-${String(tokens)}`);
    expect(JSON.stringify(await recordsOf(company.server.database, 'token'))).not.toMatch(/eyJ/);
  });

  test('an ID-JAG is taken by the grant of RFC 7523, which the metadata names', async () => {
    const token = tokenIn(await present('id-jag', await signed('standard', 'id-jag')));
    expect(await works(token)).toBe(200);
    const metadata = await fetch(`${company.server.url}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({
      grant_types_supported: expect.arrayContaining([jwtBearer]) as unknown,
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    });
  });

  test.each<Kind>(['id-jag', 'access_token'])(
    'as %s with a DPoP proof gives a token of its key',
    async (kind) => {
      const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
      const jwk = await exportJWK(publicKey);
      const claims = { htm: 'POST', htu: `${company.server.url}/oauth/token`, jti: `${kind} proof` };
      const dpop = await new SignJWT({ ...claims, iat: Math.floor(Date.now() / 1000) })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(privateKey);
      const cnf = { jkt: await calculateJwkThumbprint(jwk) };
      const answer = await present(kind, await signed('standard', kind, { cnf }), { dpop });
      expect(answer.body.token_type).toBe('DPoP');
      expect(await works(tokenIn(answer))).toBe(401);
    },
  );

  test.each<[string, JWTPayload, Record<string, string>, string]>([
    ['scope', { scope: 'tickets:read openid invoices:read' }, {}, 'tickets:read'],
    ['scp', { scp: ['tickets:read'] }, {}, 'tickets:read'],
    ['scope and scp', { scope: 'tickets:read customers:read', scp: 'customers:read' }, {}, 'customers:read'],
    ['nothing', {}, {}, 'customers:read tickets:read'],
    ['the request', { scope: 'tickets:read customers:read' }, { scope: 'tickets:read' }, 'tickets:read'],
  ])('is narrowed by %s', async (_name, claims, form, scope) => {
    const resource = [`${company.server.url}/graphql`, 'https://elsewhere.example'];
    const text = await signed('standard', 'id-jag', { ...claims, resource });
    expect((await present('id-jag', text, form)).body.scope).toBe(scope);
  });

  test('uses an existing delegation that the request names, within its own scopes', async () => {
    const made = delegationIn(await present('id-jag', await signed('standard', 'id-jag')));
    const before = await company.server.database.read.count(delegations);
    const named = { authorization_details: JSON.stringify([{ type: task.type, delegation: made }]) };
    const text = await signed('standard', 'id-jag', { scope: 'tickets:read' });
    const answer = await present('id-jag', text, named);
    expect([answer.body.scope, delegationIn(answer)]).toEqual(['tickets:read', made]);
    expect(await works(tokenIn(answer))).toBe(200);
    expect(await company.server.database.read.count(delegations)).toBe(before);
  });

  test('with an earlier actor gives no more than both agents and both consents', async () => {
    const act = { sub: 'their-helper', act: { sub: 'their-second' } };
    const answer = await present('access_token', await signed('act', 'access_token', { act }));
    // The consent to the second agent has no customers:read.
    expect(answer.body.scope).toBe('tickets:read');
    const row = await company.server.database.read.byId(delegations, delegationIn(answer));
    const parent = await company.server.database.read.byId(delegations, row?.parentId ?? '');
    expect([row?.agentId, parent?.agentId]).toEqual([helper.row.id, second.row.id]);
    const shown = await company.server.query(tokenIn(answer), viewer);
    expect(shown.data).toMatchObject({ viewer: { agents: [{ name: 'second' }, { name: 'helper' }] } });
  });

  test('without a jti works once, too', async () => {
    const text = await signed('standard', 'id_token', { jti: undefined });
    tokenIn(await present('id_token', text));
    const before = await standing();
    const again = await present('id_token', text);
    expect(again.body.error_description).toBe('The token was used before.');
    expect(await standing()).toEqual(before);
  });

  test('of which many come at once works once', async () => {
    const text = await signed('standard', 'id-jag');
    const answers = await Promise.all(Array.from({ length: 5 }, () => present('id-jag', text)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
  });

  test('that was refused for want of a consent can be presented again', async () => {
    const text = await signed('standard', 'jwt', { sub: 'sub-jonas' });
    expect((await present('jwt', text)).body).toEqual({
      error: 'invalid_request',
      error_description: 'The person has not consented to this agent.',
    });
    const consent = await office.consent(jonas, helper, taken);
    tokenIn(await present('jwt', text));
    await company.do(({ tx, clock }) => withdrawConsent({ tx, clock, by: jonas.id }, consent));
  });
});

interface Attack {
  readonly kind?: Kind;
  readonly issuer?: string;
  readonly claims?: () => JWTPayload;
  readonly header?: object;
  /** Makes the token in another way. */
  readonly text?: () => Promise<string> | string;
  readonly as?: () => Client;
  readonly form?: () => Record<string, string>;
  readonly error?: string;
  readonly reason: string;
}

const withKey = async (issuer: string, kind: Kind, key: Parameters<TestIssuer['sign']>[2], header = {}) =>
  issuerAt(issuer).sign(claimsOf(issuer, kind), { typ: types[kind], ...header }, key);
const nested = (depth: number): object =>
  depth === 0 ? { sub: 'their-helper' } : { sub: `actor-${String(depth)}`, act: nested(depth - 1) };
const logoutEvent = { 'http://schemas.openid.net/event/backchannel-logout': {} };

const attacks: Readonly<Record<string, Attack>> = {
  'an issuer that is not trusted': { claims: () => ({ iss: 'https://evil.example' }), reason: 'not trusted' },
  'an issuer with a slash more': {
    claims: () => ({ iss: `${issuerAt('standard').url}/` }),
    reason: 'not trusted',
  },
  'an issuer that is no text': { claims: () => ({ iss: ['x'] as never }), reason: 'not trusted' },
  'the issuer of another key (kid confusion)': {
    claims: () => ({ iss: issuerAt('other').url }),
    reason: 'signature verification failed',
  },
  'an unknown kid': { header: { kid: 'key-2' }, reason: 'no applicable key' },
  'a kid of another issuer as an address': {
    text: () =>
      withKey('standard', 'access_token', issuerAt('other').key, { kid: `${issuerAt('other').url}/jwks` }),
    reason: 'no applicable key',
  },
  'a key that the token brings': {
    text: async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      return withKey('standard', 'access_token', privateKey, { jwk: await exportJWK(publicKey) });
    },
    reason: 'signature verification failed',
  },
  'an address of keys that the token brings': {
    text: () =>
      withKey('standard', 'access_token', issuerAt('other').key, { jku: `${issuerAt('other').url}/jwks` }),
    reason: 'signature verification failed',
  },
  'alg none': { text: () => unsigned('standard', 'access_token'), reason: 'alg' },
  'alg none as ID-JAG': { kind: 'id-jag', text: () => unsigned('standard', 'id-jag'), reason: 'alg' },
  'HS256 with the public key': {
    text: async () => {
      const key = new TextEncoder().encode(await exportSPKI(issuerAt('standard').publicKey));
      return withKey('standard', 'access_token', key, { alg: 'HS256' });
    },
    reason: 'alg',
  },
  'claims that were changed after signing': {
    text: async () => {
      const [head = '', body = '', mac = ''] = (await signed('standard', 'access_token')).split('.');
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as JWTPayload;
      const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'sub-jonas' })).toString('base64url');
      return [head, changed, mac].join('.');
    },
    reason: 'signature verification failed',
  },
  'a foreign audience': { claims: () => ({ aud: 'https://elsewhere.example' }), reason: 'audience' },
  'a further audience': {
    claims: () => ({ aud: [company.server.url, 'https://elsewhere.example'] }),
    reason: 'audience',
  },
  'no audience': { claims: () => ({ aud: undefined }), reason: 'aud' },
  'an empty list of audiences': { claims: () => ({ aud: [] }), reason: 'aud' },
  'the resource as audience of an ID-JAG': {
    kind: 'id-jag',
    claims: () => ({ aud: `${company.server.url}/graphql` }),
    reason: 'audience',
  },
  'an audience of its issuer alone, in an ID-JAG': {
    kind: 'id-jag',
    issuer: 'narrow',
    claims: () => ({ aud: 'api://behalf' }),
    reason: 'audience',
  },
  'an expired token': { claims: () => ({ exp: seconds() - 60 }), reason: 'exp' },
  'a token without an end': { claims: () => ({ exp: undefined }), reason: 'exp' },
  'a token that is not yet valid': { claims: () => ({ nbf: seconds() + 60 }), reason: 'nbf' },
  'a token from the future': { claims: () => ({ iat: seconds() + 60 }), reason: 'iat' },
  'a token that is too old': {
    claims: () => ({ iat: seconds() - 700, exp: seconds() + 86_400 }),
    reason: 'too far in the past',
  },
  'a token without a time of issue': { claims: () => ({ iat: undefined }), reason: 'iat' },
  'a time that is no number': { claims: () => ({ exp: '9999999999' as never }), reason: 'exp' },
  'an access token without a jti': { claims: () => ({ jti: undefined }), reason: 'claim jti' },
  'an ID-JAG without a jti': { kind: 'id-jag', claims: () => ({ jti: undefined }), reason: 'claim jti' },
  'an ID token as ID-JAG': { kind: 'id-jag', text: () => signed('standard', 'id_token'), reason: 'typ' },
  'an access token as ID-JAG': {
    kind: 'id-jag',
    text: () => signed('standard', 'access_token'),
    reason: 'typ',
  },
  'an ID-JAG as access token': { text: () => signed('standard', 'id-jag'), reason: 'typ' },
  'an ID-JAG as JWT': { kind: 'jwt', text: () => signed('standard', 'id-jag'), reason: 'typ' },
  'an ID-JAG as ID token': { kind: 'id_token', text: () => signed('standard', 'id-jag'), reason: 'typ' },
  'an access token as ID token': {
    kind: 'id_token',
    text: () => signed('standard', 'access_token'),
    reason: 'typ',
  },
  'an ID token as access token': { text: () => signed('standard', 'id_token'), reason: 'typ' },
  'an ID token as JWT': { kind: 'jwt', claims: () => ({ nonce: 'n' }), reason: 'claim nonce' },
  'a logout token': {
    kind: 'jwt',
    header: { typ: 'logout+jwt' },
    claims: () => ({ events: logoutEvent }),
    reason: 'typ',
  },
  'a logout token of an older provider': {
    kind: 'jwt',
    claims: () => ({ events: logoutEvent }),
    reason: 'claim events',
  },
  'a logout token as ID token': {
    kind: 'id_token',
    claims: () => ({ events: logoutEvent }),
    reason: 'claim events',
  },
  'a typ that is no text': { header: { typ: 7 }, reason: 'typ' },
  'a type that is not accepted from its issuer': { issuer: 'narrow', reason: 'not accepted' },
  'a token that is none': { text: () => 'a.b.c', reason: 'no signed JWT' },
  'a huge token': { claims: () => ({ padding: 'x'.repeat(16_000) }), reason: 'longer than 16384 bytes' },
  'a claim nested deeper than it can be written': {
    text: () => {
      const [head = '', , mac = ''] = unsigned('act', 'access_token').split('.');
      const claims = JSON.stringify(claimsOf('act')).replace(
        /}$/,
        `,"act":${'['.repeat(5_500)}${']'.repeat(5_500)}}`,
      );
      return [head, Buffer.from(claims).toString('base64url'), mac].join('.');
    },
    reason: 'alg',
  },
  'a critical header that is not known': {
    text: () => {
      const header = { alg: 'ES256', kid: 'key-1', typ: 'at+jwt', crit: ['x'], x: 1 };
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${part(header)}.${part(claimsOf('standard'))}.${'A'.repeat(86)}`;
    },
    reason: 'Extension Header Parameter',
  },
  'a key that the request does not prove': {
    claims: () => ({ cnf: { jkt: 'x'.repeat(43) } }),
    reason: 'RFC 9449',
  },
  'a binding that cannot be checked': {
    claims: () => ({ cnf: { 'x5t#S256': 'x' } }),
    reason: 'claim cnf',
  },
  'another resource': {
    claims: () => ({ resource: 'https://elsewhere.example/graphql' }),
    reason: 'claim resource',
  },
  'a person without an account': { claims: () => ({ sub: 'sub-nobody' }), reason: 'no account' },
  'a person by the name of an account': { claims: () => ({ sub: 'rosa' }), reason: 'no account' },
  'a person by an e-mail address': {
    claims: () => ({ sub: 'sub-nobody', email: 'rosa@acme.example' }),
    reason: 'no account',
  },
  'a subject in other letters': { claims: () => ({ sub: 'SUB-ROSA' }), reason: 'no account' },
  'a subject with a space more': { claims: () => ({ sub: 'sub-rosa ' }), reason: 'no account' },
  'a person who has not consented': { claims: () => ({ sub: 'sub-jonas' }), reason: 'not consented' },
  'an actor that nobody mapped, by the name of an agent': {
    issuer: 'other',
    claims: () => ({ client_id: 'helper' }),
    reason: 'mapped to no agent',
  },
  'an actor that only another issuer knows': {
    issuer: 'other',
    kind: 'id-jag',
    reason: 'mapped to no agent',
  },
  'an actor in other letters': {
    claims: () => ({ client_id: 'Their-Helper' }),
    reason: 'mapped to no agent',
  },
  'an agent to which the token is not given': { as: () => second, reason: 'another agent' },
  'an agent that nobody mapped': { as: () => stranger, reason: 'another agent' },
  'an ID-JAG of another client': {
    kind: 'id-jag',
    as: () => second,
    reason: 'client_id is not the authenticated client',
  },
  'an ID-JAG with the issuer’s name for the client': {
    kind: 'id-jag',
    claims: () => ({ client_id: 'their-helper' }),
    reason: 'client_id is not the authenticated client',
  },
  'an ID-JAG without a client': {
    kind: 'id-jag',
    claims: () => ({ client_id: undefined }),
    reason: 'claim client_id',
  },
  'an ID-JAG with an actor': {
    kind: 'id-jag',
    claims: () => ({ act: { sub: 'their-helper' } }),
    reason: 'claim act',
  },
  'client-id: no person, as in client credentials': {
    claims: () => ({ sub: 'their-helper' }),
    reason: 'one party',
  },
  'client-id: no client': { claims: () => ({ client_id: undefined }), reason: 'claim client_id' },
  'client-id: an actor beside it': {
    claims: () => ({ act: { sub: 'their-helper' } }),
    reason: 'claim act has no place',
  },
  'act: no actor': { issuer: 'act', claims: () => ({ act: undefined }), reason: 'no claim act' },
  'act: an actor that is a text': {
    issuer: 'act',
    claims: () => ({ act: 'their-helper' }),
    reason: 'no claim act',
  },
  'act: an actor without a name': { issuer: 'act', claims: () => ({ act: {} }), reason: 'act.sub' },
  'act: the client only in azp': {
    issuer: 'act',
    claims: () => ({ act: { azp: 'their-helper' } }),
    reason: 'act.sub',
  },
  'act: an actor of another issuer': {
    issuer: 'act',
    claims: () => ({ act: { sub: 'their-helper', iss: issuerAt('other').url } }),
    reason: 'another issuer',
  },
  'act: the earlier actor presents it': {
    issuer: 'act',
    as: () => second,
    claims: () => ({ act: { sub: 'their-helper', act: { sub: 'their-second' } } }),
    reason: 'another agent',
  },
  'act: an earlier actor that nobody mapped': {
    issuer: 'act',
    claims: () => ({ act: { sub: 'their-helper', act: { sub: 'ghost' } } }),
    reason: 'mapped to no agent',
  },
  'act: an actor twice': {
    issuer: 'act',
    claims: () => ({ act: { sub: 'their-helper', act: { sub: 'their-helper' } } }),
    reason: 'an actor twice',
  },
  'act: the person as actor': {
    issuer: 'act',
    claims: () => ({ act: { sub: 'their-helper', act: { sub: 'sub-rosa' } } }),
    reason: 'one party',
  },
  'act: a chain longer than the entry permits': {
    issuer: 'single',
    claims: () => ({ act: { sub: 'their-helper', act: { sub: 'their-second' } } }),
    reason: 'more than 1 actors',
  },
  'act: one actor more than the entry permits': {
    issuer: 'act',
    claims: () => ({ act: nested(3) }),
    reason: 'more than 3 actors',
  },
  'act: a very deep chain': {
    issuer: 'act',
    claims: () => ({ act: nested(300) }),
    reason: 'more than 3 actors',
  },
  'azp: no client but the audience': {
    issuer: 'azp',
    claims: () => ({ azp: undefined }),
    reason: 'mapped to no agent',
  },
  'azp: no client, and two audiences': {
    issuer: 'azp',
    claims: () => ({ azp: undefined, aud: [company.server.url, `${company.server.url}/graphql`] }),
    reason: 'claim azp',
  },
  'azp: the client only in client_id': {
    issuer: 'azp',
    claims: () => ({ azp: 'their-second' }),
    reason: 'another agent',
  },
  'azp: an actor beside it': { issuer: 'azp', claims: () => ({ act: {} }), reason: 'claim act has no place' },
  'agent-in-sub: no person': {
    issuer: 'obo',
    claims: () => ({ on_behalf_of: undefined }),
    reason: 'claim on_behalf_of',
  },
  'agent-in-sub: the agent as the person': {
    issuer: 'obo',
    claims: () => ({ on_behalf_of: 'their-helper' }),
    reason: 'one party',
  },
  'agent-in-sub: a person that is no text': {
    issuer: 'obo',
    claims: () => ({ on_behalf_of: ['sub-rosa'] }),
    reason: 'claim on_behalf_of',
  },
  'agent-in-sub: another agent': {
    issuer: 'obo',
    claims: () => ({ sub: 'their-second' }),
    reason: 'another agent',
  },
  'user-in-act: no person': {
    issuer: 'inverted',
    claims: () => ({ act: undefined }),
    reason: 'no claim act',
  },
  'user-in-act: a person without an account': {
    issuer: 'inverted',
    claims: () => ({ act: { sub: 'sub-nobody' } }),
    reason: 'no account',
  },
  'user-in-act: a person of another issuer': {
    issuer: 'inverted',
    claims: () => ({ act: { sub: 'sub-rosa', iss: 'https://login.example.com' } }),
    reason: 'another issuer',
  },
  'user-in-act: a chain': {
    issuer: 'inverted',
    claims: () => ({ act: { sub: 'sub-rosa', act: { sub: 'their-second' } } }),
    reason: 'act.act',
  },
  'user-in-act: the standard dialect': {
    issuer: 'inverted',
    claims: () => ({ sub: 'sub-rosa', act: { sub: 'their-helper' } }),
    reason: 'mapped to no agent',
  },
  'a scope beyond the consent, claimed and asked for': {
    kind: 'id-jag',
    claims: () => ({ scope: 'tickets:read invoices:read' }),
    form: () => ({ scope: 'invoices:read' }),
    error: 'invalid_scope',
    reason: 'invoices:read cannot be handed over',
  },
  'a scope that the token does not have': {
    kind: 'id-jag',
    claims: () => ({ scope: 'tickets:read' }),
    form: () => ({ scope: 'customers:read' }),
    error: 'invalid_scope',
    reason: 'customers:read cannot be handed over',
  },
  'only scopes of others': {
    claims: () => ({ scope: 'openid profile' }),
    error: 'invalid_scope',
    reason: 'no scope of this server',
  },
  'no task': {
    form: () => ({ authorization_details: '[]' }),
    error: 'invalid_authorization_details',
    reason: 'which task',
  },
  'a delegation that does not exist': {
    form: () => ({
      authorization_details: JSON.stringify([{ type: task.type, delegation: '0'.repeat(26) }]),
    }),
    reason: 'Delegation was not found',
  },
  'a delegation and a description of another': {
    form: () => ({ authorization_details: JSON.stringify([{ ...task, delegation: '0'.repeat(26) }]) }),
    error: 'invalid_authorization_details',
    reason: '',
  },
};

const unsigned = (issuer: string, kind: Kind): string => {
  const [, claims = ''] = new UnsecuredJWT(claimsOf(issuer, kind)).encode().split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: types[kind] })).toString('base64url');
  return `${header}.${claims}.`;
};

describe('is refused, recorded, and changes nothing:', () => {
  test.each(Object.entries(attacks))('%s', async (_name, attack) => {
    const { kind = 'access_token', issuer = 'standard', claims = () => ({}), header = {} } = attack;
    const { error = kind === 'id-jag' ? 'invalid_grant' : 'invalid_request', reason } = attack;
    const text = await (attack.text ?? (() => signed(issuer, kind, claims(), header)))();
    const before = await standing();
    const known = (await recordsOf(company.server.database, 'token')).length;
    const answer = await present(kind, text, { as: attack.as?.() ?? helper, ...attack.form?.() });
    expect(answer.body.error_description).toContain(reason);
    expect([answer.status, answer.body.error]).toEqual([400, error]);
    expect(await standing()).toEqual(before);
    const records = (await recordsOf(company.server.database, 'token')).slice(known);
    expect(records).toMatchObject([{ outcome: 'refused', detail: { errorCode: error }, changes: [] }]);
    if (reason !== '') expect(records[0]?.detail.detail).toContain(reason.replaceAll('"', "'"));
    expect(JSON.stringify(records)).not.toMatch(/eyJ/);
  });

  test('a delegation of another person', async () => {
    const made = await company.do(async ({ tx }) => tx.one(delegations, eq('userId', rosa.id)));
    const named = JSON.stringify([{ type: task.type, delegation: made?.id }]);
    const before = await standing();
    const text = await signed('standard', 'id-jag', { sub: 'sub-jonas' });
    const answer = await present('id-jag', text, { authorization_details: named });
    expect(answer.body).toMatchObject({
      error: 'invalid_grant',
      error_description: 'Delegation was not found.',
    });
    expect(await standing()).toEqual(before);
  });

  test('a token that another type of request has used', async () => {
    const claims = claimsOf('standard', 'id-jag');
    tokenIn(await present('id-jag', await signed('standard', 'id-jag', claims)));
    const before = await standing();
    const replayed = { ...claims, client_id: 'their-helper' };
    const answer = await present('access_token', await signed('standard', 'access_token', replayed));
    expect(answer.body.error_description).toBe('The token was used before.');
    expect(await standing()).toEqual(before);
  });

  test('a client without an agent', async () => {
    const before = await standing();
    const response = await fetch(`${company.server.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: jwtBearer,
        client_id: 'behalf-cli',
        assertion: await signed('standard', 'id-jag'),
      }),
    });
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    expect(await standing()).toEqual(before);
  });

  test.each<[string, (issuer: TestIssuer) => void]>([
    ['answers with an error', (issuer) => (issuer.status = 503)],
    ['has the metadata of another', (issuer) => (issuer.metadata = { issuer: 'https://evil.example' })],
    ['has keys without TLS', (issuer) => (issuer.metadata = { jwks_uri: 'http://keys.example.com/' })],
    [
      'has no keys',
      (issuer) => (issuer.metadata = { jwks_uri: `${issuer.url}/.well-known/openid-configuration` }),
    ],
  ])('not, but put off: a token whose issuer %s', async (_name, change) => {
    const name = `lost-${String(Math.random()).slice(2)}`;
    await trust(name);
    const issuer = issuerAt(name);
    change(issuer);
    const text = await signed(name, 'access_token');
    const before = await standing();
    const answer = await present('access_token', text);
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(await standing()).toEqual(before);
    expect(await lastToken()).toMatchObject({
      outcome: 'failed',
      detail: { errorCode: 'temporarily_unavailable' },
    });
    issuer.status = 200;
    issuer.metadata = {};
    now += 10_000;
    // Of an issuer whose metadata was kept, the address of the keys is read again later.
    if (_name !== 'has no keys') tokenIn(await present('access_token', text));
  });
});

describe('ends with the next operation when', () => {
  let count = 0;

  /** A person, an agent and an issuer of their own, with a token of ours. */
  async function chain(scope?: string) {
    count += 1;
    const name = `ending-${String(count)}`;
    const subject = `sub-${name}`;
    const person = await office.person(name, subject, 'support-rep');
    const agent = await office.agent(`agent-${name}`, rosa, 'support-agent');
    const consent = await office.consent(person, agent, taken);
    const issuer = await issuers.add(name);
    at.set(name, issuer);
    const entry = await office.trust(name, issuer, { dialect: 'act', actorsMax: 2 });
    await office.map(entry, 'theirs', agent);
    const more = scope === undefined ? {} : { scope };
    const text = await signed(name, 'access_token', { sub: subject, act: { sub: 'theirs' }, ...more });
    const answer = await present('access_token', text, { as: agent });
    const token = tokenIn(answer);
    expect(await works(token)).toBe(200);
    return { person, agent, consent, entry, subject, token, delegation: delegationIn(answer), name };
  }
  type Chain = Awaited<ReturnType<typeof chain>>;

  test.each<[string, (made: Chain) => Promise<unknown>]>([
    [
      'the person is disabled',
      async ({ person }) => {
        const user = await office.user(person);
        await company.do((unit) => disableUser(unit, user));
      },
    ],
    [
      'the identity is unlinked',
      ({ subject }) => company.do((unit) => unlinkIdentity(unit, company.root.id, office.provider, subject)),
    ],
    [
      'the consent is withdrawn',
      ({ consent, person }) =>
        company.do(({ tx, clock }) => withdrawConsent({ tx, clock, by: person.id }, consent)),
    ],
    ['the agent is stopped', ({ agent }) => company.do((unit) => stopAgent(unit, agent.row))],
    [
      'the delegation is revoked',
      ({ delegation, person }) =>
        company.do(({ tx, clock }) => revokeDelegation({ tx, clock, by: person.id }, delegation)),
    ],
    [
      'the issuer is removed',
      ({ entry }) => company.do((unit) => removeIssuer(unit, company.root.id, entry)),
    ],
    [
      'its actor is unmapped',
      ({ entry }) => company.do((unit) => unmapAgent(unit, company.root.id, entry, 'theirs')),
    ],
  ])('%s, and no new token is to be had', async (_name, end) => {
    const made = await chain();
    const other = await chain();
    await end(made);
    expect([await works(made.token), await works(other.token)]).toEqual([401, 200]);
    const named = JSON.stringify([{ type: task.type, delegation: made.delegation }]);
    const basic = Buffer.from(`${made.agent.row.name}:${encodeURIComponent(made.agent.secret)}`);
    const again = await fetch(`${company.server.url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic.toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', authorization_details: named }),
    });
    expect(again.ok).toBe(false);
    const claims = { sub: made.subject, act: { sub: 'theirs' } };
    const exchanged = await present('access_token', await signed(made.name, 'access_token', claims), {
      as: made.agent,
    });
    if (_name !== 'the delegation is revoked') expect(exchanged.body.access_token).toBeUndefined();
  });

  test('the consent to an agent that a token named as the acting one is withdrawn', async () => {
    const made = await chain();
    const last = await office.agent(`last-${made.name}`, rosa, 'support-agent');
    const consent = await office.consent(made.person, last, taken);
    await office.map(made.entry, 'last', last);
    const act = { sub: 'last', act: { sub: 'theirs' } };
    const text = await signed(made.name, 'access_token', { sub: made.subject, act });
    const token = tokenIn(await present('access_token', text, { as: last }));
    expect(await works(token)).toBe(200);
    await company.do(({ tx, clock }) => withdrawConsent({ tx, clock, by: made.person.id }, consent));
    expect([await works(token), await works(made.token)]).toEqual([401, 200]);
  });

  test('the issuer is removed, also under a delegation that the person made; which stays', async () => {
    const made = await chain();
    const own = await company.do(async ({ tx, ids }) => {
      const row = await tx.byId(delegations, made.delegation);
      if (row === undefined) throw new Error('no delegation');
      const id = ids.next();
      await tx.insert(delegations, [{ ...row, id }]);
      return id;
    });
    const named = JSON.stringify([{ type: task.type, delegation: own }]);
    const text = await signed(made.name, 'access_token', { sub: made.subject, act: { sub: 'theirs' } });
    const answer = await present('access_token', text, { as: made.agent, authorization_details: named });
    const token = tokenIn(answer);
    expect(await works(token)).toBe(200);
    await company.do((unit) => removeIssuer(unit, company.root.id, made.entry));
    expect(await works(token)).toBe(401);
    expect(await company.server.database.read.byId(delegations, own)).toMatchObject({ status: 'active' });
  });

  test('the provider of its people is removed', async () => {
    const world = await Company.start({ clock: { now: () => now } });
    const there = await Exchange.of(world);
    const person = await there.person('ada', 'sub-ada', 'support-rep');
    const agent = await there.agent('helper', person, 'support-agent');
    await there.consent(person, agent, taken);
    const issuer = await issuers.add('removed');
    const entry = await there.trust('removed', issuer);
    await there.map(entry, 'theirs', agent);
    at.set('removed', issuer);
    const text = await signed('removed', 'access_token', {
      ...{ aud: world.server.url, sub: 'sub-ada', client_id: 'theirs' },
    });
    const basic = Buffer.from(`helper:${encodeURIComponent(agent.secret)}`).toString('base64');
    const ask = async (params: Record<string, string>) =>
      fetch(`${world.server.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams(params),
      });
    const answer = (await (
      await ask({
        grant_type: tokenExchange,
        subject_token: text,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        authorization_details: JSON.stringify([task]),
      })
    ).json()) as Record<string, unknown>;
    const token = String(answer.access_token);
    expect((await world.server.query(token, viewer)).status).toBe(200);
    await world.do((unit) => removeProvider(unit, world.root.id, there.provider));
    expect((await world.server.query(token, viewer)).status).toBe(401);
    const details = JSON.stringify(answer.authorization_details);
    expect((await ask({ grant_type: 'client_credentials', authorization_details: details })).ok).toBe(false);
    await world.server.stop();
  });
});

describe('the administrator who trusts an issuer', () => {
  test('lets it speak only for people whose roles they may grant', async () => {
    const small = await company.employee('small', 'administrator');
    const boss = await office.person('boss', 'sub-boss', 'support-rep', 'administrator');
    await office.consent(boss, helper, taken);
    const entry = await trust('small-issuer');
    const text = (): Promise<string> => signed('small-issuer', 'access_token', { sub: 'sub-boss' });
    tokenIn(await present('access_token', await text()));
    await company.do(({ tx }) => tx.update(tokenIssuers, eq('id', entry.id), { addedBy: small.id }));
    const before = await standing();
    const answer = await present('access_token', await text());
    expect(answer.body).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('may not grant all roles of the person') as unknown,
    });
    expect(await standing()).toEqual(before);
  });

  test('maps only agents whose roles they may grant', async () => {
    const small = await company.employee('smaller', 'administrator');
    const before = await standing();
    await expect(
      company.do((unit) => mapAgent(unit, small.id, entryOf('standard'), 'more', helper.row)),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(
      company.do((unit) => mapAgent(unit, company.root.id, entryOf('standard'), 'helper', second.row)),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await standing()).toEqual(before);
  });
});

test('a person who signed out at the provider since the token was issued is refused', async () => {
  const text = await signed('standard', 'access_token');
  await company.do(({ tx }) =>
    tx.update(userIdentities, eq('subject', 'sub-rosa'), { signedOutAt: new Date(now + 1000).toISOString() }),
  );
  const answer = await present('access_token', text);
  expect(answer.body.error_description).toContain('signed out');
  now += 3_000;
  tokenIn(await present('access_token', await signed('standard', 'access_token')));
});

test('a token of a session that ended at the provider is refused; one of another session is not', async () => {
  const kept = await signed('standard', 'access_token', { sid: 'another session' });
  const text = await signed('standard', 'access_token', { sid: 'a session' });
  await company.do((unit) =>
    markLogout(unit, { providerId: office.provider.id, session: sha256('a session') }),
  );
  const before = await standing();
  expect((await present('access_token', text)).body.error_description).toContain('signed out');
  expect(await standing()).toEqual(before);
  tokenIn(await present('access_token', kept));
});

test('of an issuer that is removed while its tokens are exchanged, no access token stays', async () => {
  const entry = await trust('removed-meanwhile');
  const texts = await Promise.all(
    Array.from({ length: 8 }, () => signed('removed-meanwhile', 'access_token')),
  );
  const [answers] = await Promise.all([
    Promise.all(texts.map((text) => present('access_token', text))),
    company.do((unit) => removeIssuer(unit, company.root.id, entry)),
  ]);
  const issued = answers.flatMap(({ body: { access_token: token } }) =>
    typeof token === 'string' ? token : [],
  );
  const statuses = await Promise.all(issued.map(works));
  expect(statuses).toEqual(issued.map(() => 401));
  expect(await company.server.database.read.count(issuerDelegations, eq('issuerId', entry.id))).toBe(0);
});

test('an ID token of a real provider is for the client that it was issued to', async () => {
  const redirectUri = 'https://agent.example.com/callback';
  const acme = await CompanyProvider.start([redirectUri], { ttl: { IdToken: 86_400 } });
  acme.signedIn = { sub: 'sub-mia' };
  await office.consent(await office.person('mia', 'sub-mia', 'support-rep'), helper, taken);
  const idToken = await idTokenOf(acme, redirectUri);
  const entry = await office.company.do((unit) =>
    addIssuer(
      unit,
      company.root.id,
      office.provider,
      {
        ...{ name: 'real', issuer: acme.issuer, dialect: 'azp', userClaim: null, tokenTypes: ['id_token'] },
        ...{ audiences: [companyClientId], ageMaxSeconds: 86_400, actorsMax: 1 },
      },
      false,
    ),
  );
  await office.map(entry, companyClientId, helper);
  expect((await present('id_token', idToken, { as: second })).body.error_description).toContain(
    'another agent',
  );
  expect(await works(tokenIn(await present('id_token', idToken)))).toBe(200);
  await acme.stop();
});

/** Signs the colleague in with the program of the agent, by code and PKCE. */
async function idTokenOf({ issuer }: CompanyProvider, redirectUri: string): Promise<string> {
  const verifier = 'v'.repeat(43);
  const asking = new URLSearchParams({
    ...{ client_id: companyClientId, response_type: 'code', scope: 'openid', redirect_uri: redirectUri },
    ...{ code_challenge: sha256(verifier), code_challenge_method: 'S256' },
  });
  const back = await new Browser(issuer).follow(`${issuer}/auth?${asking.toString()}`, '/callback');
  const basic = Buffer.from(`${companyClientId}:${companySecret}`).toString('base64');
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({
      ...{ grant_type: 'authorization_code', redirect_uri: redirectUri, code_verifier: verifier },
      code: new URL(back).searchParams.get('code') ?? '',
    }),
  });
  return String(((await response.json()) as Record<string, unknown>).id_token);
}

// databases: sqlite, mariadb
import { exportSPKI, generateKeyPair, type JWTPayload } from 'jose';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  addProvider,
  linkIdentity,
  removeProvider,
  type NewProvider,
} from '../../../src/admin/identity-providers.js';
import { mapGroup, unmapGroup } from '../../../src/admin/provided-roles.js';
import { ProviderAccounts, safeName } from '../../../src/admin/provider-accounts.js';
import type { IdentityOutcome } from '../../../src/delegation/proven-identity.js';
import { disableUser, enableUser } from '../../../src/admin/users.js';
import { addGrantable, assignRole, setGrantable } from '../../../src/admin/assignments.js';
import { listProviders } from '../../../src/cli/operator/list-providers.js';
import { all, eq, not } from '../../../src/store/sql/condition.js';
import { prefixed } from '../../../src/store/tables/table.js';
import { authorityEpoch, userRoles, users, type UserRow } from '../../../src/store/tables/identity.js';
import {
  identityProviders,
  providedUserRoles,
  userIdentities,
  type IdentityProviderRow,
} from '../../../src/store/tables/identity-providers.js';
import { defaultLimits } from '../../../src/oauth/contract/dependencies.js';
import { makeClient } from '../../../src/oauth/identity-providers/provider-client.js';
import { usesHttp } from '../../../src/oauth/identity-providers/provider-metadata.js';
import { Company } from '../../support/administration.js';
import {
  companyClientId,
  CompanyProvider,
  companySecret,
  unsigned,
  type Colleague,
} from '../../support/company-provider.js';
import { ProviderJourney } from '../../support/provider-journey.js';
import { recordsOf } from '../../support/records.js';
import { Browser, CodeFlow, type Shown } from './browser.js';

let company: Company;
let acme: CompanyProvider;
let closed: CompanyProvider;
const rosa: Colleague = {
  sub: 'acme|rosa',
  preferred_username: 'Rosa.Lind@Acme.example',
  name: 'Rosa Lind',
  email: 'rosa@acme.example',
  email_verified: true,
};

const addAs = (
  name: string,
  issuer: string,
  mayCreateUsers: boolean,
  changes: Partial<NewProvider> = {},
  to = company,
): Promise<IdentityProviderRow> =>
  to.do((unit) =>
    addProvider(
      unit,
      {
        ...{ name, label: `The ${name}`, issuer, clientId: companyClientId, clientSecret: companySecret },
        ...{ scopes: ['profile', 'email', 'groups'], groupsClaim: 'groups' },
        ...{ userNameClaim: 'preferred_username', mayCreateUsers, ...changes },
      },
      false,
    ),
  );

beforeAll(async () => {
  company = await Company.start();
  const at = (name: string): string => `${company.server.url}/oauth/callback/${name}`;
  acme = await CompanyProvider.start([at('acme'), at('closed')]);
  closed = await CompanyProvider.start([at('closed')]);
  await addAs('acme', acme.issuer, true);
  await addAs('closed', closed.issuer, false);
});
afterAll(async () => {
  await Promise.all([company.server.stop(), acme.stop(), closed.stop()]);
});
beforeEach(() => {
  acme.signedIn = rosa;
  closed.signedIn = rosa;
  acme.forge = undefined;
  acme.replaced = undefined;
});

const begin = (provider = 'acme', browser?: Browser): Promise<ProviderJourney> =>
  ProviderJourney.begin(company.server.url, provider, provider === 'acme' ? acme : closed, browser);

/** Everything that a sign-in could give. */
async function standing(): Promise<unknown> {
  const { read } = company.server.database;
  const tokens = `SELECT COUNT(*) AS count FROM ${prefixed('oauth_payloads')} WHERE model IN ('Grant', 'AccessToken', 'AuthorizationCode')`;
  const byId = { order: [{ column: 'id', direction: 'asc' }] } as const;
  return [
    await read.select(users, all(), byId),
    await read.select(userRoles, all(), { order: [{ column: 'grantedAt', direction: 'asc' }] }),
    await read.select(providedUserRoles, all()),
    await read.select(userIdentities, all(), { order: [{ column: 'subject', direction: 'asc' }] }),
    await read.select(authorityEpoch, all()),
    await read.query(tokens),
  ];
}

const signInRecords = async () => recordsOf(company.server.database, 'sign_in');

async function userOf(provider: string, subject: string): Promise<UserRow | undefined> {
  const { read } = company.server.database;
  const row = await read.one(identityProviders, eq('name', provider));
  const identity = await read.one(userIdentities, all(eq('providerId', row?.id), eq('subject', subject)));
  return read.byId(users, identity?.userId ?? '');
}

/** Signs the colleague in, and returns their access token. */
async function tokenOf(colleague: Colleague): Promise<string> {
  acme.signedIn = colleague;
  const journey = await begin();
  return (await journey.flow.redeem(await journey.arrive())).access_token;
}

const mine = async (token: string): Promise<{ person: { name: string }; scopes: string[] }> => {
  const answer = await company.server.query(token, '{ viewer { person { name } scopes } }');
  expect(answer.errors).toEqual([]);
  return (answer.data as { viewer: { person: { name: string }; scopes: string[] } }).viewer;
};

describe('signing in with the company', () => {
  test('a person without an account gets one, without roles, and comes back to it', async () => {
    const first = await mine(await tokenOf(rosa));
    expect(first).toEqual({ person: { name: 'rosa.lind@acme.example' }, scopes: ['session:read'] });
    expect(await mine(await tokenOf({ ...rosa, preferred_username: 'somebody-else' }))).toEqual(first);
    const user = await userOf('acme', rosa.sub);
    expect(user).toMatchObject({ displayName: 'Rosa Lind', email: rosa.email, mustChangePassword: false });
    const record = (await signInRecords()).at(-1);
    expect(record).toMatchObject({ outcome: 'succeeded', chain: { person: { id: user?.id } } });
    expect(record?.detail).toMatchObject({
      detail: 'provider acme, subject acme|rosa',
      clientName: 'behalf-cli',
    });
  });

  test('several first sign-ins of one person at once lead to one account', async () => {
    acme.signedIn = { sub: 'acme|twice', preferred_username: 'twice' };
    const journeys = [await begin(), await begin(), await begin(), await begin()];
    const arrived = await Promise.all(journeys.map(async (one) => one.flow.redeem(await one.arrive())));
    const people = await Promise.all(
      arrived.map(async ({ access_token: token }) => (await mine(token)).person),
    );
    expect(people.map(({ name }) => name)).toEqual(Array(4).fill('twice'));
  });

  test('new people of one user name at once get names of their own', async () => {
    const journeys: ProviderJourney[] = [];
    for (const sub of ['acme|a', 'acme|b', 'acme|c', 'acme|d']) {
      acme.signedIn = { sub, preferred_username: 'same.name' };
      journeys.push(await begin());
    }
    const arrived = await Promise.all(journeys.map(async (one) => one.flow.redeem(await one.arrive())));
    const people = await Promise.all(
      arrived.map(async ({ access_token: token }) => (await mine(token)).person),
    );
    expect(new Set(people.map(({ name }) => name)).size).toBe(4);
  });

  test('a shared e-mail address or user name takes over no account', async () => {
    const victim = await company.employee('olga.berg', 'administrator');
    const before = await company.server.database.read.byId(users, victim.id);
    const mallory = { ...rosa, sub: 'acme|mallory', preferred_username: 'olga.berg', email: 'olga.berg' };
    const found = await mine(await tokenOf(mallory));
    expect(found.person.name).toMatch(/^olga\.berg-\d+$/);
    expect(found.scopes).toEqual(['session:read']);
    expect(await company.server.database.read.byId(users, victim.id)).toEqual(before);
  });

  test('who has an account is linked to it by an administrator', async () => {
    const person = await company.employee('nils', 'support-rep');
    const provider = await company.server.database.read.one(identityProviders, eq('name', 'closed'));
    const user = await company.server.database.read.byId(users, person.id);
    if (provider === undefined || user === undefined) throw new Error('missing');
    await company.do((unit) => linkIdentity(unit, company.root.id, provider, user, 'closed|nils'));
    closed.signedIn = { sub: 'closed|nils' };
    const journey = await begin('closed');
    const token = (await journey.flow.redeem(await journey.arrive())).access_token;
    expect((await mine(token)).person.name).toBe('nils');
  });

  test('the client secret is stored sealed', async () => {
    const rows = await company.server.database.read.query(`SELECT * FROM ${prefixed('identity_providers')}`);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain(companySecret);
  });

  test.each<[string, string, Partial<NewProvider>, string]>([
    ['an issuer without TLS', 'http://login.example.com', {}, 'BAD_USER_INPUT'],
    ['an issuer with a query', 'https://login.example.com/?tenant=1', {}, 'BAD_USER_INPUT'],
    ['an issuer that is no URL', 'login', {}, 'BAD_USER_INPUT'],
    ['an issuer with a password', 'https://user:word@login.example.com', {}, 'BAD_USER_INPUT'],
    ['a name that is no part of a path', 'https://a.example', { name: '../x' }, 'BAD_USER_INPUT'],
    ['a label that nobody can read', 'https://a.example', { label: 'Ac\u202eme' }, 'BAD_USER_INPUT'],
    ['a secret of several lines', 'https://a.example', { clientSecret: 'a\nb' }, 'BAD_USER_INPUT'],
    ['a scope with a space', 'https://a.example', { scopes: ['a b'] }, 'BAD_USER_INPUT'],
    ['a name that is taken', 'https://a.example', { name: 'acme' }, 'CONFLICT'],
  ])('%s is refused', async (_name, issuer, changes, code) => {
    const { read } = company.server.database;
    const before = await read.select(identityProviders, all());
    await expect(addAs('new', issuer, true, changes)).rejects.toMatchObject({ code });
    await expect(addAs('twin', acme.issuer, true)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await read.select(identityProviders, all())).toEqual(before);
  });

  test.each([
    ['Rosa.Lind@Acme.example', 'rosa.lind@acme.example'],
    ['Zoë  Müller', 'zoe-muller'],
    ['<script>', 'script'],
    ['李雷', 'user'],
    ['', 'user'],
  ])('a name made of %s is %s', (given, made) => {
    expect(safeName(given)).toBe(made);
  });
});

interface Attack {
  readonly provider?: 'acme' | 'closed';
  readonly signedIn?: Colleague | undefined;
  readonly forge?: CompanyProvider['forge'];
  /** Brings the provider's answer to the server, changed by the attack; by default unchanged. */
  readonly run?: (journey: ProviderJourney) => Promise<Shown>;
  readonly errorCode: string;
  /** A part of what the record says. */
  readonly reason?: string;
  readonly status?: number;
}

const withClaims =
  (changes: JWTPayload): CompanyProvider['forge'] =>
  (claims, provider) =>
    provider.sign({ ...claims, ...changes });
const hmac = new TextEncoder().encode(companySecret);
const yesterday = Math.floor(Date.now() / 1000) - 86_400;
const param =
  (name: string, value: string | undefined) =>
  (url: URL): void => {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  };

const attacks: Readonly<Record<string, Attack>> = {
  'a wrong state': {
    run: (journey) => journey.arrive(param('state', 'x'.repeat(43))),
    errorCode: 'invalid_state',
  },
  'no state': { run: (journey) => journey.arrive(param('state', undefined)), errorCode: 'invalid_state' },
  'the answer of another browser': {
    run: (journey) => journey.arrive(undefined, new Browser(company.server.url)),
    errorCode: 'invalid_state',
  },
  'the answer of another browser, in an interaction of this one': {
    run: async (journey) => {
      const flow = await CodeFlow.start({ issuer: company.server.url });
      const page = await flow.browser.open(flow.url.href);
      const passed = await journey.passedOn();
      return flow.browser.open(`${page.url}${passed.search}`);
    },
    errorCode: 'invalid_state',
  },
  'an answer that was taken before': {
    run: async (journey) => {
      await journey.passedOn();
      return journey.arrive();
    },
    errorCode: 'invalid_state',
  },
  'an answer that was redeemed before': {
    run: async (journey) => {
      const passed = await journey.passedOn();
      acme.forge = withClaims({ nonce: 'wrong' });
      await journey.flow.browser.open(passed.href);
      acme.forge = undefined;
      return journey.flow.browser.open(passed.href);
    },
    errorCode: 'invalid_state',
  },
  "a request that the person's next one has replaced": {
    run: async (journey) => {
      const page = await journey.flow.browser.open(journey.flow.url.href);
      const first = await journey.flow.browser.open(`${page.url}?provider=acme`);
      await journey.flow.browser.open(`${page.url}?provider=acme`);
      const returned = await new Browser(acme.issuer).open(first.url);
      return journey.flow.browser.open(returned.url);
    },
    errorCode: 'invalid_state',
  },
  'a code of another sign-in': {
    run: async (journey) => {
      const other = await begin();
      return journey.arrive(param('code', other.answer.searchParams.get('code') ?? ''));
    },
    errorCode: 'invalid_grant',
  },
  'a code that nobody gave': { run: (j) => j.arrive(param('code', 'made-up')), errorCode: 'invalid_grant' },
  'an answer without a code': {
    run: (j) => j.arrive(param('code', undefined)),
    errorCode: 'invalid_response',
    reason: 'no authorization code',
  },
  'the issuer of another provider (mix-up)': {
    run: (journey) => journey.arrive(param('iss', closed.issuer)),
    errorCode: 'invalid_response',
    reason: 'unexpected "iss" (issuer) response parameter',
  },
  'no issuer, though the provider sends it': {
    run: (journey) => journey.arrive(param('iss', undefined)),
    errorCode: 'invalid_response',
    reason: '"iss" (issuer) missing',
  },
  'an answer at the redirect URI of another provider (mix-up)': {
    run: (journey) =>
      journey.arrive((url) => {
        url.pathname = '/oauth/callback/closed';
      }),
    errorCode: 'invalid_state',
  },
  'an answer at the redirect URI of another provider, brought to the interaction itself': {
    run: async (journey) => {
      const page = await journey.flow.browser.open(journey.flow.url.href);
      const sent = await journey.flow.browser.open(`${page.url}?provider=acme`);
      const answer = new URL((await new Browser(acme.issuer).open(sent.url)).url);
      await fetch(`${company.server.url}/oauth/callback/closed${answer.search}`, { redirect: 'manual' });
      return journey.flow.browser.open(`${page.url}${answer.search}`);
    },
    errorCode: 'invalid_state',
  },
  'an answer with two codes': {
    run: (journey) =>
      journey.arrive((url) => {
        url.searchParams.append('code', 'second');
      }),
    errorCode: 'invalid_response',
    reason: '"code" parameter must be provided only once',
  },
  'a wrong nonce': {
    forge: withClaims({ nonce: 'wrong' }),
    errorCode: 'invalid_response',
    reason: 'unexpected ID Token "nonce"',
  },
  'no nonce': {
    forge: withClaims({ nonce: undefined }),
    errorCode: 'invalid_response',
    reason: '"nonce" (nonce) claim missing',
  },
  'another issuer in the ID token': {
    forge: (claims, provider) => provider.sign({ ...claims, iss: closed.issuer }),
    errorCode: 'invalid_response',
    reason: 'unexpected JWT "iss" (issuer) claim',
  },
  'another audience': {
    forge: withClaims({ aud: 'another' }),
    errorCode: 'invalid_response',
    reason: 'unexpected JWT "aud" (audience) claim',
  },
  'a further audience': {
    forge: withClaims({ aud: [companyClientId, 'another'], azp: undefined }),
    errorCode: 'invalid_response',
    reason: 'additional untrusted audiences',
  },
  'an expired ID token': {
    forge: withClaims({ iat: yesterday, exp: yesterday + 60 }),
    errorCode: 'invalid_response',
    reason: 'expiration is past',
  },
  'an ID token that begins later': {
    forge: withClaims({ nbf: yesterday + 2 * 86_400 }),
    errorCode: 'invalid_response',
    reason: '"nbf" (not before)',
  },
  'no subject': {
    forge: withClaims({ sub: undefined }),
    errorCode: 'invalid_response',
    reason: '"sub" (subject) claim missing',
  },
  'no ID token': {
    forge: () => undefined,
    errorCode: 'invalid_response',
    reason: '"id_token" property must be a string',
  },
  'alg none': {
    forge: (claims) => unsigned(claims),
    errorCode: 'invalid_response',
    reason: 'unexpected JWT "alg"',
  },
  'HS256 with the client secret': {
    forge: (claims, provider) => provider.sign(claims, { alg: 'HS256' }, hmac),
    errorCode: 'invalid_response',
    reason: 'unexpected JWT "alg"',
  },
  'HS256 with the public key': {
    forge: async (claims, provider) =>
      provider.sign(claims, { alg: 'HS256' }, new TextEncoder().encode(await exportSPKI(provider.publicKey))),
    errorCode: 'invalid_response',
    reason: 'unexpected JWT "alg"',
  },
  'a key that the provider does not have': {
    forge: async (claims, provider) =>
      provider.sign(claims, { kid: 'unknown' }, (await generateKeyPair('ES256')).privateKey),
    errorCode: 'invalid_response',
    reason: 'no applicable keys found',
  },
  'another key under the kid of the provider': {
    forge: async (claims, provider) => provider.sign(claims, {}, (await generateKeyPair('ES256')).privateKey),
    errorCode: 'invalid_response',
    reason: 'signature verification failed',
  },
  'claims that were changed after signing': {
    forge: async (claims, provider) => {
      const [head, , mac] = (await provider.sign(claims)).split('.');
      const body = Buffer.from(JSON.stringify({ ...claims, sub: 'acme|admin' })).toString('base64url');
      return [head, body, mac].join('.');
    },
    errorCode: 'invalid_response',
    reason: 'signature verification failed',
  },
  'a person whom the provider does not sign in': { signedIn: undefined, errorCode: 'access_denied' },
  'a person without an account, where the provider makes none': {
    provider: 'closed',
    signedIn: { sub: 'closed|nobody', email: 'root@acme.example', preferred_username: 'root' },
    errorCode: 'unknown_identity',
    status: 403,
  },
};

describe('is refused, recorded, and changes nothing:', () => {
  test.each(Object.entries(attacks))('%s', async (_name, attack) => {
    const { provider = 'acme', errorCode, reason = '', status = 400 } = attack;
    const { run = (journey) => journey.arrive() } = attack;
    const side = provider === 'acme' ? acme : closed;
    if ('signedIn' in attack) side.signedIn = attack.signedIn;
    side.forge = attack.forge;
    const before = await standing();
    const known = (await signInRecords()).length;
    const shown = await run(await begin(provider));
    expect([shown.status, shown.url.startsWith(company.server.url)]).toEqual([status, true]);
    expect(await standing()).toEqual(before);
    const records = (await signInRecords()).slice(known);
    expect(records.at(-1)).toMatchObject({ outcome: 'refused', detail: { errorCode }, changes: [] });
    expect(records.at(-1)?.detail.detail).toContain(reason);
    expect(JSON.stringify(records)).not.toMatch(/eyJ/);
  });

  test('a disabled account, in the words for a person without an account', async () => {
    await tokenOf({ sub: 'acme|gone' });
    const user = await userOf('acme', 'acme|gone');
    if (user === undefined) throw new Error('no account');
    await company.do((unit) => disableUser(unit, user));
    acme.signedIn = { sub: 'acme|gone' };
    const before = await standing();
    const shown = await (await begin()).arrive();
    closed.signedIn = { sub: 'closed|nobody' };
    const ofNobody = await (await begin('closed')).arrive();
    const plain = ({ html }: Shown): string =>
      html.replaceAll(/The (acme|closed)/g, 'it').replaceAll(/interaction\/[\w-]+/g, 'interaction');
    expect([shown.status, plain(shown)]).toEqual([403, plain(ofNobody)]);
    expect(shown.html).toContain('there is no account here that you can use');
    expect(await standing()).toEqual(before);
    expect((await signInRecords()).at(-2)).toMatchObject({
      outcome: 'refused',
      chain: { person: { id: user.id } },
      detail: { errorCode: 'invalid_credentials', detail: 'provider acme, subject acme|gone' },
    });
    await company.do(async (unit) => {
      const disabled = await unit.tx.byId(users, user.id);
      if (disabled !== undefined) await enableUser(unit, company.root.id, disabled);
    });
  });

  test('a provider that is out of reach is our failure, not the person’s', async () => {
    const lost = await CompanyProvider.start([]);
    await addAs('lost', lost.issuer, true);
    await lost.stop();
    const before = await standing();
    const flow = await CodeFlow.start({ issuer: company.server.url });
    const page = await flow.browser.open(flow.url.href);
    const shown = await flow.browser.open(`${page.url}?provider=lost`);
    expect(shown.status).toBe(503);
    expect(await standing()).toEqual(before);
    expect((await signInRecords()).at(-1)).toMatchObject({
      outcome: 'failed',
      detail: { errorCode: 'temporarily_unavailable' },
    });
  });
});

describe('plain http', () => {
  const discovery = '/.well-known/openid-configuration';
  const far = 'http://idp.example.com/path';
  const withMetadata = async (changes: Record<string, unknown>) => {
    const answer = await fetch(`${acme.issuer}${discovery}`);
    acme.replaced = { path: discovery, body: { ...((await answer.json()) as object), ...changes } };
    const provider = { issuer: acme.issuer, scopes: [], clientId: companyClientId };
    return makeClient(provider, companySecret, { allowHttp: false });
  };

  test.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'])(
    'a provider beyond this machine has no %s with it',
    async (name) => {
      await expect(withMetadata({ [name]: far })).rejects.toThrow(name);
    },
  );

  test('a provider without a userinfo endpoint is fit', async () => {
    await expect(withMetadata({ userinfo_endpoint: undefined })).resolves.toBeDefined();
  });

  test.each<[string, Partial<Record<string, string>>, boolean]>([
    ['an endpoint that is used allows it', { userinfo_endpoint: 'http://127.0.0.1/' }, true],
    ['an address that is not used does not allow it', { service_documentation: far }, false],
    ['an endpoint that only browsers open does not allow it', { end_session_endpoint: far }, false],
  ])('%s', (_name, changes, expected) => {
    const safe = { issuer: 'https://a.example', token_endpoint: 'https://a.example/token' };
    expect(usesHttp({ ...safe, ...changes })).toBe(expected);
  });
});

describe('one open interaction', () => {
  const start = Date.now();
  let now = start;
  let crowd: Company;
  let page: Shown;
  let browser: Browser;
  const open = (query: string): Promise<Shown> => browser.open(`${page.url}?${query}`);
  const recorded = async (): Promise<number> => (await recordsOf(crowd.server.database, 'sign_in')).length;
  const attempts = defaultLimits.refusedPerAddress.attempts + 20;
  const repeat = async (query: string): Promise<Set<number>> => {
    const statuses = new Set<number>();
    for (let done = 0; done < attempts; done += 1) statuses.add((await open(query)).status);
    return statuses;
  };

  beforeEach(async () => {
    now = start;
    crowd = await Company.start({ clock: { now: () => now } });
    const flow = await CodeFlow.start({ issuer: crowd.server.url });
    browser = flow.browser;
    page = await browser.open(flow.url.href);
    return () => crowd.server.stop();
  });

  test('does not fill the log with answers that nobody waits for', async () => {
    expect(await repeat('state=x')).toEqual(new Set([400]));
    expect(await recorded()).toBe(defaultLimits.refusedPerAddress.attempts + 1);
    now += 60_000;
    await open('state=x');
    expect(await recorded()).toBe(defaultLimits.refusedPerAddress.attempts + 2);
  });

  test('neither fills the log nor asks again and again where a provider does not work', async () => {
    const broken = await CompanyProvider.start([]);
    broken.replaced = { path: '/.well-known/openid-configuration', status: 500, body: 'broken' };
    await addAs('broken', broken.issuer, true, {}, crowd);
    expect(await repeat('provider=broken')).toEqual(new Set([503]));
    expect(await recorded()).toBe(defaultLimits.refusedPerAddress.attempts + 1);
    expect(broken.requested).toHaveLength(1);
    broken.replaced = undefined;
    now += 10_000;
    expect((await open('provider=broken')).url).toContain(broken.issuer);
    await broken.stop();
  });
});

const entry = async (group: string, roleName: string, by = company.root.id): Promise<void> => {
  const role = await company.role(roleName);
  const provider = await company.server.database.read.one(identityProviders, eq('name', 'acme'));
  if (provider === undefined) throw new Error('no provider');
  await company.do((unit) => mapGroup(unit, by, provider, group, role));
};

describe('back-channel logout', () => {
  const event = 'http://schemas.openid.net/event/backchannel-logout';
  const claimsFor = (sub: string): JWTPayload => {
    const now = Math.floor(Date.now() / 1000);
    const jti = `logout-${String(Math.random())}`;
    return {
      ...{ iss: acme.issuer, aud: companyClientId, iat: now, exp: now + 120, jti, sub },
      events: { [event]: {} },
    };
  };
  const tell = (token: string, to = company): Promise<Response> =>
    fetch(`${to.server.url}/oauth/backchannel_logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
  const status = async (token: string): Promise<number> =>
    (await company.server.query(token, '{ viewer { scopes } }')).status;

  test('ends all that rests on the person’s sign-ins with the next operation, once', async () => {
    const person = { sub: 'acme|leaving' };
    const tokens = [await tokenOf(person), await tokenOf(person)];
    const other = await tokenOf({ sub: 'acme|staying' });
    const token = await acme.sign(claimsFor(person.sub), { typ: 'logout+jwt' });
    expect((await tell(token)).status).toBe(200);
    expect([await status(tokens[0] ?? ''), await status(tokens[1] ?? ''), await status(other)]).toEqual([
      401, 401, 200,
    ]);
    expect((await recordsOf(company.server.database, 'revocation')).at(-1)).toMatchObject({
      outcome: 'succeeded',
      chain: { person: { id: (await userOf('acme', person.sub))?.id } },
      detail: { detail: 'back-channel logout, provider acme, subject acme|leaving' },
    });
    const again = await tokenOf(person);
    expect((await tell(token)).status).toBe(400);
    expect(await status(again)).toBe(200);
  });

  test.each<[string, Omit<NonNullable<CompanyProvider['replaced']>, 'path'>]>([
    ['an error', { status: 500, body: { error: 'server_error' } }],
    ['no JSON', { body: 'busy' }],
    ['no keys', { body: { error: 'server_error' } }],
  ])('is told to come again while the provider answers with %s for its keys', async (_name, answer) => {
    const other = await CompanyProvider.start([]);
    const name = `keys-${String(Math.random()).slice(2)}`;
    await addAs(name, other.issuer, true);
    const known = (await recordsOf(company.server.database, 'revocation')).length;
    const token = await other.sign({ ...claimsFor('somebody'), iss: other.issuer });
    other.replaced = { path: '/jwks', ...answer };
    expect((await tell(token)).status).toBe(503);
    expect(await recordsOf(company.server.database, 'revocation')).toHaveLength(known);
    other.replaced = undefined;
    expect((await tell(token)).status).toBe(200);
    await other.stop();
  });

  test('of an address that sends too much garbage waits, before the provider is asked', async () => {
    const now = Date.now();
    const crowd = await Company.start({ clock: { now: () => now } });
    const other = await CompanyProvider.start([]);
    await addAs('other', other.issuer, true, {}, crowd);
    const token = await other.sign({ ...claimsFor('somebody'), iss: other.issuer });
    const { attempts } = defaultLimits.refusedPerAddress;
    for (let done = 0; done <= attempts; done += 1) expect((await tell('garbage', crowd)).status).toBe(400);
    const told = await tell(token, crowd);
    expect([told.status, told.headers.get('retry-after')]).toEqual([429, '1']);
    expect(other.requested).toEqual([]);
    expect(await recordsOf(crowd.server.database, 'revocation')).toHaveLength(attempts + 1);
    await Promise.all([crowd.server.stop(), other.stop()]);
  });

  test.each([1e12, 1e300])('that ends at %d works once, also after a purge', async (exp) => {
    const token = await acme.sign({ ...claimsFor('acme|far-ahead'), exp });
    expect((await tell(token)).status).toBe(200);
    await company.server.app.oauth.purgeExpired();
    expect((await tell(token)).status).toBe(400);
  });

  test('refuses an answer whose request was sent before it', async () => {
    const person = { sub: 'acme|half-way' };
    await tokenOf(person);
    const journey = await begin();
    expect((await tell(await acme.sign(claimsFor(person.sub), { typ: 'logout+jwt' }))).status).toBe(200);
    const before = await standing();
    expect((await journey.arrive()).status).toBe(400);
    expect(await standing()).toEqual(before);
    expect((await signInRecords()).at(-1)).toMatchObject({
      outcome: 'refused',
      detail: { errorCode: 'signed_out' },
    });
    await tokenOf(person);
  });

  const now = Math.floor(Date.now() / 1000);
  const forged = (changes: JWTPayload) => (sub: string) => acme.sign({ ...claimsFor(sub), ...changes });
  test.each<[string, string, (sub: string) => Promise<string> | string]>([
    ['no token', 'Invalid JWT', () => ''],
    ['an issuer that is not trusted', 'not trusted', forged({ iss: 'https://evil.example' })],
    ['an issuer that is an object', 'not trusted', forged({ iss: { id: 1 } as never })],
    ['an issuer that is a list', 'not trusted', (sub) => forged({ iss: [acme.issuer] as never })(sub)],
    ['a type that is no text', 'another type', (sub) => acme.sign(claimsFor(sub), { typ: 7 })],
    [
      'the issuer of another provider',
      'signature verification failed',
      (sub) => acme.sign({ ...claimsFor(sub), iss: closed.issuer }),
    ],
    ['another audience', 'aud', forged({ aud: 'another' })],
    ['an expired token', 'exp', forged({ exp: now - 60 })],
    ['an old token', 'too far in the past', forged({ iat: now - 3600 })],
    ['a token without an end', 'claim exp', forged({ exp: undefined })],
    ['no jti', 'claim jti', forged({ jti: undefined })],
    ['neither subject nor session', 'neither a person', forged({ sub: undefined })],
    ['a session that is no text', 'claim sid', forged({ sub: undefined, sid: 7 })],
    ['a security event token', 'another type', (sub) => acme.sign(claimsFor(sub), { typ: 'secevent+jwt' })],
    ['no event', 'claim events', forged({ events: undefined })],
    [
      'another event',
      'claim events',
      forged({ events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} } }),
    ],
    ['a nonce: an ID token', 'claim nonce', forged({ nonce: 'n' })],
    ['a token that nobody signed', 'alg', (sub) => unsigned(claimsFor(sub))],
    ['HS256 with the client secret', 'alg', (sub) => acme.sign(claimsFor(sub), { alg: 'HS256' }, hmac)],
    [
      'a key that the provider does not have',
      'signature verification failed',
      async (sub) => acme.sign(claimsFor(sub), {}, (await generateKeyPair('ES256')).privateKey),
    ],
  ])('refuses %s, and ends nothing', async (_name, reason, make) => {
    const access = await tokenOf({ sub: 'acme|attacked' });
    const before = await standing();
    const known = (await recordsOf(company.server.database, 'revocation')).length;
    const told = await tell(await make('acme|attacked'));
    expect(await told.text()).toContain(reason);
    expect(told.status).toBe(400);
    expect(await standing()).toEqual(before);
    expect(await status(access)).toBe(200);
    expect((await recordsOf(company.server.database, 'revocation')).slice(known)).toMatchObject([
      { outcome: 'refused', detail: { errorCode: 'invalid_request' } },
    ]);
  });
});

describe('groups become roles:', () => {
  const scopes = async (token: string): Promise<string[]> => (await mine(token)).scopes;
  let people = 0;
  const newcomer = (...groups: string[]): Colleague => ({
    sub: `acme|group-${String((people += 1))}`,
    groups,
  });

  beforeAll(() => entry('Care', 'support-rep'));

  test('a mapped group gives its role, and takes it away from the next sign-in on', async () => {
    const person = newcomer('Care', 'Everybody');
    const token = await tokenOf(person);
    expect(await scopes(token)).toContain('tickets:read');
    expect((await signInRecords()).at(-1)?.changes).toContainEqual({
      ...{ type: 'User', id: (await userOf('acme', person.sub))?.id },
      ...{ before: null, after: { role: 'support-rep' } },
    });
    await tokenOf({ ...person, groups: ['Everybody'] });
    expect(await scopes(token)).toEqual(['session:read']);
    expect((await signInRecords()).at(-1)?.changes).toMatchObject([
      { before: { role: 'support-rep' }, after: null },
    ]);
  });

  test.each([
    ['a group that is not mapped', ['Sales']],
    ['a group in other letters', ['care', 'CARE', 'Care ', 'Cáre']],
    ['the name of a role', ['administrator', 'support-rep']],
    ['no group', []],
    ['something else than texts', [['Care'], { Care: true }, 1] as never],
  ])('%s gives nothing', async (_name, groups) => {
    const before = await company.server.database.read.select(providedUserRoles, all());
    expect(await scopes(await tokenOf(newcomer(...groups)))).toEqual(['session:read']);
    expect(await company.server.database.read.select(providedUserRoles, all())).toEqual(before);
  });

  test('a missing claim takes all roles of groups away', async () => {
    const person = newcomer('Care');
    const token = await tokenOf(person);
    await tokenOf({ sub: person.sub });
    expect(await scopes(token)).toEqual(['session:read']);
  });

  test.each(['before', 'after'])(
    'a role that was assigned by hand %s the groups gave it stays',
    async (when) => {
      const person = newcomer();
      const byHand = async (): Promise<void> => {
        const user = await userOf('acme', person.sub);
        const role = await company.role('support-rep');
        if (user !== undefined) await company.do((unit) => assignRole(unit, company.root.id, user, role));
      };
      if (when === 'before') {
        await tokenOf(person);
        await byHand();
      }
      const token = await tokenOf({ ...person, groups: ['Care'] });
      if (when === 'after') await byHand();
      await tokenOf(person);
      expect(await scopes(token)).toContain('tickets:read');
    },
  );

  test('nobody maps a role outside their grantable set', async () => {
    const clerk = await company.employee('clerk', 'administrator');
    const before = await standing();
    await expect(entry('Care', 'administrator', clerk.id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await standing()).toEqual(before);
    expect(await scopes(await tokenOf(newcomer('Care')))).not.toContain('roles:assign');
  });

  test('a map gives nothing to the administrator who made it', async () => {
    const person = newcomer();
    const token = await tokenOf(person);
    const user = await userOf('acme', person.sub);
    const role = await company.role('auditor');
    await company.do((unit) => addGrantable(unit, user?.id ?? '', [role]));
    await entry('Own', 'auditor', user?.id);
    await tokenOf({ ...person, groups: ['Own'] });
    expect(await scopes(token)).toEqual(['session:read']);
    expect(await scopes(await tokenOf(newcomer('Own')))).toContain('audit:read');
  });

  test.each(['is disabled', 'can no longer grant the role'])(
    'an entry gives nothing, and takes away what it gave, once its administrator %s',
    async (what) => {
      const group = `Group of an administrator who ${what}`;
      const chief = await company.employee(what.replaceAll(' ', '-'), 'administrator');
      const analyst = await company.role('analyst');
      await company.do((unit) => addGrantable(unit, chief.id, [analyst]));
      await entry(group, 'analyst', chief.id);
      const person = newcomer(group);
      const token = await tokenOf(person);
      const user = await company.server.database.read.byId(users, chief.id);
      if (user === undefined) throw new Error('missing');
      expect(await scopes(token)).not.toEqual(['session:read']);
      await company.do((unit) =>
        what === 'is disabled' ? disableUser(unit, user) : setGrantable(unit, company.root.id, user, []),
      );
      const [listed] = await listProviders(company.server.database.read);
      expect(listed?.groups).toContainEqual({ group, role: 'analyst', inForce: false });
      expect(await scopes(await tokenOf(newcomer(group)))).toEqual(['session:read']);
      await tokenOf(person);
      expect(await scopes(token)).toEqual(['session:read']);
    },
  );

  test('the last administrator stays one, whatever their groups are', async () => {
    await entry('Chiefs', 'administrator');
    const person = newcomer('Chiefs');
    const token = await tokenOf(person);
    const { read } = company.server.database;
    const role = await company.role('administrator');
    const held = await read.select(userRoles, eq('roleId', role.id));
    const me = await userOf('acme', person.sub);
    const others = held.filter(({ userId }) => userId !== me?.id);
    // Their roles, not their status, so that the entry of `root` stays in force.
    await company.do(({ tx }) => tx.delete(userRoles, all(eq('roleId', role.id), not(eq('userId', me?.id)))));
    await tokenOf({ sub: person.sub });
    expect(await scopes(token)).toContain('roles:assign');
    await company.do(({ tx }) => tx.insert(userRoles, others));
    await tokenOf({ sub: person.sub });
    expect(await scopes(token)).toEqual(['session:read']);
  });

  test('a group that is mapped no more takes its role away at the next sign-in', async () => {
    await entry('Old', 'analyst');
    const person = newcomer('Old');
    const token = await tokenOf(person);
    const held = await scopes(token);
    const role = await company.role('analyst');
    const provider = await company.server.database.read.one(identityProviders, eq('name', 'acme'));
    if (provider === undefined) throw new Error('no provider');
    await company.do((unit) => unmapGroup(unit, company.root.id, provider, 'Old', role));
    expect(await scopes(token)).toEqual(held);
    await tokenOf(person);
    expect(await scopes(token)).toEqual(['session:read']);
  });

  test('a sign-in during the removal of its provider leaves no session', async () => {
    const role = await company.role('support-rep');
    const added = await addAs('closed-soon', `${acme.issuer}/soon`, true);
    const requestedAt = new Date().toISOString();
    const proven = { provider: added, subject: 'soon|1', groups: ['Care'], requestedAt };
    await company.do((unit) => mapGroup(unit, company.root.id, added, 'Care', role));
    const { database, clock, ids } = company.server;
    const accounts = new ProviderAccounts(clock, ids);
    let signingIn: Promise<IdentityOutcome> | undefined;
    await company.do(async (unit) => {
      const epoch = vi.spyOn(unit.tx, 'affecting').mockImplementationOnce(async (...moved) => {
        signingIn = database.transaction((tx) => accounts.signIn(tx, proven));
        if (database.dialect === 'mysql') await Promise.race([signingIn, setTimeout(300)]);
        return unit.tx.affecting(...moved);
      });
      await removeProvider(unit, company.root.id, added);
      expect(epoch).toHaveBeenCalled();
    });
    expect(await signingIn).toEqual({ kind: 'unknown' });
    expect(await database.read.select(userIdentities, eq('providerId', added.id))).toEqual([]);
  });

  test('a provider that is removed takes its roles and its people’s tokens with it', async () => {
    const person = newcomer('Care');
    const token = await tokenOf(person);
    const user = await userOf('acme', person.sub);
    const provider = await company.server.database.read.one(identityProviders, eq('name', 'acme'));
    if (provider === undefined || user === undefined) throw new Error('missing');
    const waiting = await begin();
    await company.do((unit) => removeProvider(unit, company.root.id, provider));
    expect((await company.server.query(token, '{ viewer { scopes } }')).status).toBe(401);
    const { read } = company.server.database;
    expect(await read.select(userRoles, eq('userId', user.id))).toEqual([]);
    expect(await read.byId(users, user.id)).toMatchObject({ status: 'active' });
    expect((await waiting.arrive()).status).toBe(400);
    expect((await signInRecords()).at(-1)).toMatchObject({ detail: { errorCode: 'invalid_state' } });
  });
});

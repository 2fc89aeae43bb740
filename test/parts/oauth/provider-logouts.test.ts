// databases: sqlite, mariadb
import type { JWTPayload } from 'jose';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ProviderAccounts } from '../../../src/admin/provider-accounts.js';
import { sha256 } from '../../../src/core/digest.js';
import type { ProviderSession } from '../../../src/delegation/proven-identity.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import {
  authorityEpoch,
  oauthPayloads,
  users,
  type OAuthPayloadRow,
} from '../../../src/store/tables/identity.js';
import {
  identityProviders,
  userIdentities,
  type IdentityProviderRow,
} from '../../../src/store/tables/identity-providers.js';
import { Company } from '../../support/administration.js';
import { addCompany, companyClientId, CompanyProvider } from '../../support/company-provider.js';
import { ProviderJourney } from '../../support/provider-journey.js';
import { recordsOf } from '../../support/records.js';
import type { TestServer } from '../../support/server.js';

let company: Company;
let acme: CompanyProvider;
let replica: TestServer;

beforeAll(async () => {
  company = await Company.start();
  replica = await company.server.replica();
  acme = await CompanyProvider.start([`${company.server.url}/oauth/callback/acme`]);
  await addCompany(company, 'acme', acme.issuer);
});
afterAll(async () => {
  await replica.app.close();
  await replica.database.close();
  await Promise.all([company.server.stop(), acme.stop()]);
});
beforeEach(() => {
  acme.forge = undefined;
});

/** Lets the ID tokens of the provider name this session, or none. */
function inSession(sid: string | undefined): void {
  acme.forge = ({ sid: _, ...claims }) => acme.sign({ ...claims, ...(sid === undefined ? {} : { sid }) });
}

const begin = (sub: string): Promise<ProviderJourney> => {
  acme.signedIn = { sub };
  return ProviderJourney.begin(company.server.url, 'acme', acme);
};

async function tokenOf(sub: string, sid: string | undefined): Promise<string> {
  inSession(sid);
  const journey = await begin(sub);
  return (await journey.flow.redeem(await journey.arrive())).access_token;
}

const event = 'http://schemas.openid.net/event/backchannel-logout';
async function logOut(of: { sub?: string; sid?: string }): Promise<Response> {
  const now = Math.floor(Date.now() / 1000);
  const claims: JWTPayload = {
    ...{ iss: acme.issuer, aud: companyClientId, iat: now, exp: now + 120 },
    ...{ jti: `logout-${String(Math.random())}`, events: { [event]: {} }, ...of },
  };
  const token = await acme.sign(claims, { typ: 'logout+jwt' });
  const body = new URLSearchParams({ logout_token: token });
  return fetch(`${company.server.url}/oauth/backchannel_logout`, { method: 'POST', body });
}

const statusAt = async (server: TestServer, token: string): Promise<number> =>
  (await server.query(token, '{ viewer { scopes } }')).status;
const statuses = async (...tokens: string[]): Promise<number[]> => {
  const found = [];
  for (const token of tokens) found.push(await statusAt(replica, token));
  return found;
};

/** Accounts, and what sign-ins could give. */
const standing = async (): Promise<unknown> => {
  const { read } = company.server.database;
  const counts = ['Grant', 'AccessToken', 'AuthorizationCode'].map((model) =>
    read.count(oauthPayloads, eq<OAuthPayloadRow>('model', model)),
  );
  return [
    ...(await Promise.all(counts)),
    await read.count(users, all()),
    await read.select(userIdentities, all()),
    await read.select(authorityEpoch, all()),
  ];
};

describe('a logout of one session', () => {
  test.each([
    ['alone', {}],
    ['with the person', { sub: 'acme|two-browsers' }],
  ])('named %s ends its sign-ins on every replica, and no other', async (_name, more) => {
    const [sub, sid] = ['acme|two-browsers', `session-${String(Math.random())}`];
    const hers = [await tokenOf(sub, sid), await tokenOf(sub, sid)];
    const other = await tokenOf(sub, 'other');
    const somebody = await tokenOf('acme|somebody', `${sid} `);
    expect(await statuses(...hers, other, somebody)).toEqual([200, 200, 200, 200]);
    expect((await logOut({ sid, ...more })).status).toBe(200);
    expect(await statuses(...hers, other, somebody)).toEqual([401, 401, 200, 200]);
    const record = (await recordsOf(company.server.database, 'revocation')).at(-1);
    expect(record).toMatchObject({
      outcome: 'succeeded',
      chain: { person: { name: expect.any(String) as string } },
    });
    expect(record?.changes).toMatchObject([{ type: 'SignIn' }, { type: 'SignIn' }]);
    expect(JSON.stringify(record)).not.toContain(sid);
  });

  test('that names the person too ends their sign-ins of an unknown session as well', async () => {
    const unknown = await tokenOf('acme|without-sid', undefined);
    const other = await tokenOf('acme|without-sid', 'another session');
    expect((await logOut({ sub: 'acme|without-sid', sid: 'some session' })).status).toBe(200);
    expect(await statuses(unknown, other)).toEqual([401, 200]);
  });

  test('of somebody else’s name ends nothing', async () => {
    const token = await tokenOf('acme|kept', 'kept session');
    await tokenOf('acme|other', 'other session');
    expect((await logOut({ sub: 'acme|other', sid: 'kept session' })).status).toBe(200);
    expect((await logOut({ sub: 'acme|nobody', sid: 'kept session' })).status).toBe(200);
    expect((await logOut({ sid: 'unknown session' })).status).toBe(200);
    expect(await statuses(token)).toEqual([200]);
  });

  test('is stored as a digest alone', async () => {
    await tokenOf('acme|private', 'a session to find');
    const stored = await company.server.database.read.query('SELECT * FROM behalf_sign_ins');
    expect(JSON.stringify(stored)).toContain(sha256('a session to find'));
    expect(JSON.stringify(stored)).not.toContain('a session to find');
  });
});

describe('a sign-in under way is refused', () => {
  test.each([
    ['the session', 'acme|newcomer-1', { sid: 'newcomer session' }],
    ['a person who has no account yet', 'acme|newcomer-2', { sub: 'acme|newcomer-2' }],
    ['both', 'acme|newcomer-3', { sub: 'acme|newcomer-3', sid: 'not told' }],
  ])('when the logout names %s', async (_name, sub, of) => {
    inSession('newcomer session');
    const journey = await begin(sub);
    expect((await logOut(of)).status).toBe(200);
    const before = await standing();
    expect((await journey.arrive()).status).toBe(400);
    expect(await standing()).toEqual(before);
    expect((await recordsOf(company.server.database, 'sign_in')).at(-1)).toMatchObject({
      outcome: 'refused',
      detail: { errorCode: 'signed_out' },
    });
    inSession('newer session');
    const again = await begin(sub);
    expect((await again.flow.redeem(await again.arrive())).access_token).toMatch(/^[\w-]{43}$/);
  });

  test('when the logout comes after the answer, and before the grant', async () => {
    const [provider, subject] = [await row(), 'acme|between'];
    const { database, clock, ids } = company.server;
    const accounts = new ProviderAccounts(clock, ids);
    const requestedAt = new Date(clock.now() - 1_000).toISOString();
    const session: ProviderSession = { providerId: provider.id, subject, session: sha256('s'), requestedAt };
    const proven = { provider, subject, session: sha256('s'), requestedAt, groups: [] };
    await database.transaction((tx) => accounts.signIn(tx, proven));
    expect(await database.transaction((tx) => accounts.hasEnded(tx, session))).toBe(false);
    await logOut({ sid: 's' });
    expect(await database.transaction((tx) => accounts.hasEnded(tx, session))).toBe(true);
    const later = { ...session, requestedAt: new Date(clock.now() + 1_000).toISOString() };
    expect(await database.transaction((tx) => accounts.hasEnded(tx, later))).toBe(false);
  });

  test('when the two meet: the logout waits for the sign-in, and ends it', async () => {
    const provider = await row();
    const { database, clock, ids } = company.server;
    const accounts = new ProviderAccounts(clock, ids);
    const requestedAt = new Date(clock.now() - 1_000).toISOString();
    const proven = { provider, subject: 'acme|meeting', requestedAt, groups: [] };
    let leaving: Promise<unknown> | undefined;
    await database.transaction(async (tx) => {
      expect(await accounts.signIn(tx, proven)).toMatchObject({ kind: 'user' });
      leaving = database.transaction((other) =>
        accounts.signOut(other, provider, { subject: proven.subject }),
      );
      if (database.dialect === 'mysql') await Promise.race([leaving, setTimeout(300)]);
    });
    expect(await leaving).toMatchObject({ user: { name: expect.any(String) as string } });
  });
});

async function row(): Promise<IdentityProviderRow> {
  const found = await company.server.database.read.one(identityProviders, eq('name', 'acme'));
  if (found === undefined) throw new Error('no provider');
  return found;
}

// databases: sqlite, mariadb
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkIdentity, removeProvider, unlinkIdentity } from '../../../src/admin/identity-providers.js';
import { mapGroup, unmapGroup } from '../../../src/admin/provided-roles.js';
import { ProviderAccounts } from '../../../src/admin/provider-accounts.js';
import { setTransmitter } from '../../../src/admin/signal-transmitters.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import {
  authorityEpoch,
  oauthPayloads,
  userRoles,
  users,
  type UserRow,
} from '../../../src/store/tables/identity.js';
import {
  providedUserRoles,
  providerGroupRoles,
  signalTransmitters,
  userIdentities,
  type IdentityProviderRow,
} from '../../../src/store/tables/identity-providers.js';
import type { UnitOfWork } from '../../../src/admin/unit-of-work.js';
import { Company } from '../../support/administration.js';
import { addCompany } from '../../support/company-provider.js';

let company: Company;
let acme: IdentityProviderRow;
let root: string;

beforeAll(async () => {
  company = await Company.start();
  acme = await addCompany(company, 'acme', 'https://login.acme.example');
  root = company.root.id;
  const role = await company.role('support-rep');
  await company.do((unit) => mapGroup(unit, root, acme, 'Care', role));
});
afterAll(() => company.server.stop());

async function signIn(subject: string, provider = acme, groups = ['Care']): Promise<UserRow> {
  const { database, clock, ids } = company.server;
  const requestedAt = new Date(clock.now()).toISOString();
  const proven = { provider, subject, requestedAt, groups };
  const outcome = await database.transaction((tx) => new ProviderAccounts(clock, ids).signIn(tx, proven));
  if (outcome.kind !== 'user') throw new Error(outcome.kind);
  return (await database.read.byId(users, outcome.user.id)) ?? outcome.user;
}

const standing = async (): Promise<unknown> => {
  const { read } = company.server.database;
  return [
    await read.count(oauthPayloads, all()),
    await read.select(userRoles, all()),
    await read.select(providedUserRoles, all()),
    await read.select(userIdentities, all()),
    await read.select(authorityEpoch, all()),
  ];
};

test('a person who is unlinked loses the roles of the groups, all tokens, and the way in', async () => {
  const user = await signIn('acme|leaving');
  const token = await company.server.token(user.id, undefined);
  expect((await company.server.query(token, '{ tickets { totalCount } }')).errors).toEqual([]);
  await company.do((unit) => unlinkIdentity(unit, root, acme, 'acme|leaving'));
  expect((await company.server.query(token, '{ viewer { scopes } }')).status).toBe(401);
  const { read } = company.server.database;
  expect(await read.select(userRoles, eq('userId', user.id))).toEqual([]);
  expect(await read.select(userIdentities, eq('userId', user.id))).toEqual([]);
  expect(await read.byId(users, user.id)).toMatchObject({ status: 'active', version: user.version + 1 });
  expect((await signIn('acme|leaving')).id).not.toBe(user.id);
});

test('nobody unlinks a person whose roles they may not grant, or who is not linked; nothing changes', async () => {
  await signIn('acme|staying');
  const clerk = await company.employee('clerk', 'administrator');
  const before = await standing();
  await expect(
    company.do((unit) => unlinkIdentity(unit, clerk.id, acme, 'acme|staying')),
  ).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  await expect(company.do((unit) => unlinkIdentity(unit, root, acme, 'acme|nobody'))).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(await standing()).toEqual(before);
});

test.each<[string, (unit: UnitOfWork, gone: IdentityProviderRow, user: UserRow) => Promise<unknown>]>([
  ['a link', (unit, gone, user) => linkIdentity(unit, root, gone, user, 'gone|1')],
  ['the end of a link', (unit, gone) => unlinkIdentity(unit, root, gone, 'gone|1')],
  [
    'an entry of the map',
    async (unit, gone) => mapGroup(unit, root, gone, 'Care', await company.role('analyst')),
  ],
  [
    'the end of an entry',
    async (unit, gone) => unmapGroup(unit, root, gone, 'Care', await company.role('analyst')),
  ],
  ['a transmitter of signals', (unit, gone) => setTransmitter(unit, gone, { audience: 'a' }, false)],
])('%s during the removal of its provider waits, and leaves nothing', async (name, work) => {
  const gone = await addCompany(company, 'gone', `https://gone.example/${String(name.length)}`);
  const user = await signIn('acme|linking');
  const { database, clock, ids } = company.server;
  let working: Promise<unknown> | undefined;
  await company.do(async (unit) => {
    await removeProvider(unit, root, gone);
    working = database
      .transaction((tx) => work({ ...unit, tx, clock, ids }, gone, user))
      .catch((error: unknown) => error);
    if (database.dialect === 'mysql') await Promise.race([working, setTimeout(300)]);
  });
  expect(await working).toMatchObject({ code: 'NOT_FOUND' });
  const of = eq<{ providerId: string }>('providerId', gone.id);
  for (const table of [userIdentities, providerGroupRoles, signalTransmitters])
    expect(await database.read.count(table as typeof userIdentities, of as never)).toBe(0);
});

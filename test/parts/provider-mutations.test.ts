// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLogger } from '../../src/core/logger.js';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { idempotencyKeys, roles, type RoleRow } from '../../src/store/tables/identity.js';
import { identityProviders, userIdentities } from '../../src/store/tables/identity-providers.js';
import { at, codes, Company, key, nodesAt, type Employee } from '../support/administration.js';
import {
  companyClientId,
  CompanyProvider,
  companySecret,
  type Colleague,
} from '../support/company-provider.js';
import { digestOf } from '../support/faults.js';
import { ProviderJourney } from '../support/provider-journey.js';
import { auditText, recordOf, recordsOf } from '../support/records.js';
import type { Answer } from '../support/server.js';

let company: Company;
let acme: CompanyProvider;
/** An administrator who may grant nothing. */
let minna: Employee;
let rosa: Employee;
let providerId = '';
const log: string[] = [];
const carer: Colleague = { sub: 'acme|rosa', preferred_username: 'rosa', groups: ['Care'] };

beforeAll(async () => {
  company = await Company.start({ logger: makeLogger('debug', { write: (line) => log.push(line) }) });
  acme = await CompanyProvider.start([`${company.server.url}/oauth/callback/acme`]);
  minna = await company.employee('minna', 'administrator');
  rosa = await company.employee('rosa');
});
afterAll(async () => {
  await Promise.all([company.server.stop(), acme.stop()]);
});

const shown = `identityProvider { id name label issuer clientId redirectUri scopes groupsClaim userNameClaim mayCreateUsers
  groups { group inForce role { name } } }`;
const addDocument = `mutation ($input: AddIdentityProviderInput!, $key: String!) {
  addIdentityProvider(input: $input, idempotencyKey: $key) { ${shown} } }`;
const inputOf = (name: string, issuer: string) => ({
  ...{ name, label: `The ${name}`, issuer, clientId: companyClientId, clientSecret: companySecret },
  scopes: ['profile', 'groups'],
});

/** Runs one mutation with literal arguments. */
const change = (who: Employee, call: string, selection: string, idempotencyKey = key()): Promise<Answer> =>
  company.ask(
    who,
    `mutation { ${call.replace(')', `, idempotencyKey: "${idempotencyKey}")`)} { ${selection} } }`,
  );
const link = (who: Employee, userId = rosa.id, subject = carer.sub) =>
  change(
    who,
    `linkIdentity(providerId: "${providerId}", userId: "${userId}", subject: "${subject}")`,
    'user { name }',
  );
const unlink = (who: Employee, subject = carer.sub) =>
  change(who, `unlinkIdentity(providerId: "${providerId}", subject: "${subject}")`, 'user { name }');
const mapping = async (who: Employee, name: 'mapGroup' | 'unmapGroup', role = 'support-rep') =>
  change(
    who,
    `${name}(providerId: "${providerId}", group: "Care", roleId: "${(await company.role(role)).id}")`,
    shown,
  );
const remove = (who: Employee) =>
  change(who, `removeIdentityProvider(id: "${providerId}")`, 'id signedOutCount');

async function signIn(): Promise<string> {
  acme.signedIn = carer;
  const journey = await ProviderJourney.begin(company.server.url, 'acme', acme);
  return (await journey.flow.redeem(await journey.arrive())).access_token;
}

async function scopesOf(token: string): Promise<unknown> {
  return at(await company.server.query(token, '{ viewer { scopes } }'), 'viewer.scopes');
}

/** Expects this code, a record of the refusal, and no change. */
async function refused(run: () => Promise<Answer>, code: string): Promise<void> {
  const before = await digestOf(company.server.database);
  const answer = await run();
  expect(new Set(codes(answer))).toEqual(new Set([code]));
  expect((await recordOf(company.server.database, answer)).outcome).not.toBe('succeeded');
  expect(await digestOf(company.server.database)).toBe(before);
}

test('an administrator adds a provider once, without its secret in any answer, record, key or log', async () => {
  const variables = { input: inputOf('acme', acme.issuer), key: key() };
  const answer = await company.ask(company.root, addDocument, variables);
  expect(answer.errors).toEqual([]);
  const added = at(answer, 'addIdentityProvider.identityProvider') as { id: string };
  providerId = added.id;
  expect(added).toEqual({
    ...{ id: providerId, name: 'acme', label: 'The acme', issuer: acme.issuer, clientId: companyClientId },
    redirectUri: `${company.server.url}/oauth/callback/acme`,
    scopes: ['openid', 'profile', 'groups'],
    ...{ groupsClaim: 'groups', userNameClaim: 'preferred_username', mayCreateUsers: false, groups: [] },
  });
  expect(await company.ask(company.root, addDocument, variables)).toMatchObject({ data: answer.data });
  const other = { ...variables.input, clientSecret: 'another secret' };
  expect(codes(await company.ask(company.root, addDocument, { ...variables, input: other }))).toEqual([
    'CONFLICT',
  ]);

  const record = await recordOf(company.server.database, answer);
  expect(record).toMatchObject({
    outcome: 'succeeded',
    changes: [{ type: 'IdentityProvider', id: providerId, after: { mayCreateUsers: false } }],
  });
  expect(record.resources).toContainEqual(
    expect.objectContaining({ type: 'IdentityProvider', ids: [providerId], action: 'create' }),
  );
  expect(record.variables).toContain('[redacted]');
});

test('a secret that the document spells out stays out of records, too', async () => {
  const input = `name: "spelled", label: "L", issuer: "https://login.example", clientId: "c", clientSecret: "spelled-${companySecret}"`;
  const call = `addIdentityProvider(input: { ${input} })`;
  expect((await change(company.root, call, 'identityProvider { name }')).errors).toEqual([]);
  const kept = JSON.stringify(await company.server.database.read.select(idempotencyKeys, all()));
  const row = await company.server.database.read.one(identityProviders, eq('name', 'spelled'));
  const everything = (await auditText(company.server.database)) + kept + log.join('\n');
  expect(everything).toContain('addIdentityProvider');
  for (const secret of [companySecret, row?.clientSecret ?? '']) expect(everything).not.toContain(secret);
});

test('bad input changes nothing', async () => {
  const bad: readonly (readonly [object, string])[] = [
    [{ name: 'Upper' }, 'name'],
    [{ name: 'plain', issuer: 'http://login.example' }, 'issuer'],
    [{ name: 'empty', clientSecret: '' }, 'clientSecret'],
    [{ name: 'claim', groupsClaim: 'with space' }, 'groupsClaim'],
  ];
  for (const [changes, path] of bad) {
    const input = { ...inputOf('bad', 'https://bad.example'), ...changes };
    await refused(async () => {
      const answer = await company.ask(company.root, addDocument, { input, key: key() });
      expect(answer.errors[0]?.extensions.path).toBe(path);
      return answer;
    }, 'BAD_USER_INPUT');
  }
  const again = { input: inputOf('acme', 'https://other.example'), key: key() };
  await refused(() => company.ask(company.root, addDocument, again), 'CONFLICT');
});

test('who has no scope for it finds none of it, and changes nothing', async () => {
  const auditor = await company.employee('olga', 'auditor');
  const support = await company.employee('sami', 'support-rep');
  const query = '{ identityProviders { nodes { name issuer } } }';
  const names = nodesAt(await company.ask(auditor, query), 'identityProviders').map(({ name }) => name);
  expect(names).toEqual(['acme', 'spelled']);
  await refused(() => company.ask(support, query), 'BAD_USER_INPUT');
  const add = { input: inputOf('more', 'https://more.example'), key: key() };
  for (const who of [auditor, support]) {
    await refused(() => company.ask(who, addDocument, add), 'BAD_USER_INPUT');
    for (const run of [link, unlink, remove]) await refused(() => run(who), 'BAD_USER_INPUT');
    for (const name of ['mapGroup', 'unmapGroup'] as const)
      await refused(() => mapping(who, name), 'BAD_USER_INPUT');
  }
});

test('accounts and roles need the scopes that manage and assign them', async () => {
  const shipped = shippedRoles.find(({ name }) => name === 'administrator');
  const scopes = ['identity_providers:manage', 'identity_providers:read', 'users:read', 'roles:read'];
  const keeper = await company.server.person({ scopes, boundary: { ...shipped?.boundary, person: 'all' } });
  await refused(() => link(keeper), 'NOT_FOUND');
  await refused(() => mapping(keeper, 'mapGroup'), 'NOT_FOUND');
  await refused(() => unlink(keeper, 'nobody'), 'NOT_FOUND');
});

test('a linked person signs in with the added provider, and gets the role of a mapped group', async () => {
  await refused(() => link(minna, company.root.id), 'FORBIDDEN');
  const linked = await link(company.root);
  expect(linked.data).toEqual({ linkIdentity: { user: { name: 'rosa' } } });
  expect(await recordOf(company.server.database, linked)).toMatchObject({
    changes: [{ type: 'User', id: rosa.id, after: { identity: providerId } }],
  });
  await refused(() => link(company.root), 'CONFLICT');
  expect(await scopesOf(await signIn())).toEqual(['session:read']);

  await refused(() => mapping(minna, 'mapGroup'), 'FORBIDDEN');
  await refused(() => mapping(company.root, 'mapGroup', 'support-agent'), 'BAD_USER_INPUT');
  const mapped = await mapping(company.root, 'mapGroup');
  const groups = [{ group: 'Care', inForce: true, role: { name: 'support-rep' } }];
  expect(at(mapped, 'mapGroup.identityProvider')).toMatchObject({ name: 'acme', groups });
  expect(await recordOf(company.server.database, mapped)).toMatchObject({
    changes: [{ type: 'Role', after: { mappedBy: providerId } }],
  });
  const token = await signIn();
  expect(await scopesOf(token)).toContain('tickets:reply');

  await refused(() => mapping(minna, 'unmapGroup'), 'FORBIDDEN');
  const unmapped = await mapping(company.root, 'unmapGroup');
  expect(at(unmapped, 'unmapGroup.identityProvider')).toMatchObject({ groups: [] });
  expect(await recordOf(company.server.database, unmapped)).toMatchObject({
    changes: [{ type: 'Role', before: { mappedBy: providerId } }],
  });
  await refused(() => mapping(company.root, 'unmapGroup'), 'NOT_FOUND');
  expect(await scopesOf(await signIn())).toEqual(['session:read']);
});

test('unlinking takes the roles and tokens of the provider; removing it leaves nothing of it', async () => {
  await mapping(company.root, 'mapGroup');
  const first = await signIn();
  await refused(() => unlink(minna), 'FORBIDDEN');
  await refused(() => unlink(company.root, 'nobody'), 'NOT_FOUND');
  const unlinked = await unlink(company.root);
  expect(unlinked.data).toEqual({ unlinkIdentity: { user: { name: 'rosa' } } });
  expect((await recordOf(company.server.database, unlinked)).changes).toContainEqual(
    expect.objectContaining({ type: 'User', id: rosa.id, before: { identity: providerId }, after: null }),
  );
  expect((await company.server.query(first, '{ viewer { scopes } }')).status).toBe(401);

  await link(company.root);
  const second = await signIn();
  await refused(() => remove(minna), 'FORBIDDEN');
  const removed = await remove(company.root);
  expect(removed.data).toEqual({ removeIdentityProvider: { id: providerId, signedOutCount: 1 } });
  expect((await recordOf(company.server.database, removed)).changes).toContainEqual(
    expect.objectContaining({ type: 'IdentityProvider', id: providerId, after: null }),
  );
  expect((await company.server.query(second, '{ viewer { scopes } }')).status).toBe(401);
  const { read } = company.server.database;
  expect(await read.select(userIdentities, all())).toEqual([]);
  expect(await read.one(identityProviders, eq('name', 'acme'))).toBeUndefined();
  await refused(() => remove(company.root), 'NOT_FOUND');
  expect((await read.one(roles, eq<RoleRow>('name', 'support-rep')))?.name).toBe('support-rep');
  expect(JSON.stringify(await recordsOf(company.server.database)) + log.join('\n')).not.toContain(
    companySecret,
  );
});

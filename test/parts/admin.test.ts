// databases: sqlite, mariadb
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { naming } from '../../src/audit/record-index.js';
import { matchesClientSecret } from '../../src/core/client-secrets.js';
import { verifyPassword } from '../../src/core/passwords.js';
import { eq } from '../../src/store/sql/condition.js';
import {
  agents,
  agentSecrets,
  grantableRoles,
  idempotencyKeys,
  oauthPayloads,
  roles,
  userRoles,
  users,
  type RoleRow,
  type UserRow,
} from '../../src/store/tables/identity.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { at, codes, Company, key, nodesAt, type Employee } from '../support/administration.js';
import type { Answer } from '../support/server.js';

let company: Company;
let root: Employee;
/** An administrator who may assign support roles only. */
let lead: Employee;
let rosa: Employee;

beforeAll(async () => {
  company = await Company.start();
  root = company.root;
  lead = await company.employee('lead', 'administrator');
  rosa = await company.employee('rosa', 'support-rep');
  await company.do(async ({ tx }) => {
    const mine = await Promise.all([company.role('support-rep'), company.role('support-agent')]);
    await tx.insert(
      grantableRoles,
      mine.map((role) => ({ userId: lead.id, roleId: role.id })),
    );
  });
});
afterAll(() => company.server.stop());

/** Runs one mutation field; `args` in GraphQL's own text, the key added. */
const mutate = (who: { token: string }, field: string, args: string, selection: string, once = key()) =>
  company.ask(who, `mutation { ${field}(${args} idempotencyKey: "${once}") { ${selection} } }`);
const read = () => company.server.database.read;
const userRow = (id: string): Promise<UserRow | undefined> => read().byId(users, id);
const rolesOf = async (id: string): Promise<string[]> => {
  const held = await read().select(userRoles, eq('userId', id));
  const rows = await Promise.all(held.map(({ roleId }) => read().byId(roles, roleId)));
  return rows.map((row) => row?.name ?? '').sort();
};
const quoted = (value: string): string => JSON.stringify(value);

/** The changes of the last record about a row, as an auditor would find them. */
async function recorded(type: string, id: string): Promise<{ before: unknown; after: unknown }[]> {
  const rows = await read().select(auditRecords, naming(type, id), {
    order: [{ column: 'id', direction: 'asc' }],
  });
  return rows.flatMap(
    (row) => (JSON.parse(row.body) as { changes: { before: unknown; after: unknown }[] }).changes,
  );
}

describe('accounts', () => {
  const selection = 'user { id name displayName email status mustChangePassword version } password';
  const create = (name: string, once = key()): Promise<Answer> =>
    mutate(
      root,
      'createUser',
      `input: { name: ${quoted(name)}, displayName: "Ann Example", email: "ann@example.com" }`,
      selection,
      once,
    );

  test('come with a password that is told once, kept only as a hash, and must be changed', async () => {
    const once = key();
    const answer = await create('ann', once);
    expect(answer.errors).toEqual([]);
    const { user, password } = at(answer, 'createUser') as { user: { id: string }; password: string };
    expect(user).toMatchObject({ name: 'ann', status: 'ACTIVE', mustChangePassword: true, version: 1 });
    const row = await userRow(user.id);
    expect(await verifyPassword(password, row?.passwordHash ?? '')).toBe(true);

    const again = await create('ann', once);
    expect(at(again, 'createUser')).toEqual({ user, password: null });
    const kept = await read().select(idempotencyKeys, eq('key', once));
    expect(kept).toHaveLength(1);
    expect(kept[0]?.answer).not.toContain(password);
    expect(kept[0]?.answer).not.toContain('scrypt');
    const bodies = JSON.stringify(await read().query('SELECT body FROM behalf_audit_records'));
    expect(bodies).not.toContain(password);
    expect(bodies).not.toContain('ann@example.com');
    expect(bodies).not.toContain('scrypt');
  });

  test.each([
    ['a name that is taken', 'rosa', 'CONFLICT'],
    ['a name in capitals', 'Ann', 'BAD_USER_INPUT'],
    ['a name with a space', 'ann example', 'BAD_USER_INPUT'],
  ])('are not made with %s', async (_, name, code) => {
    const before = await read().count(users);
    expect(codes(await create(name))).toEqual([code]);
    expect(await read().count(users)).toBe(before);
  });

  test('are made by administrators alone', async () => {
    const before = await read().count(users);
    const text = `mutation { createUser(input: { name: "x", displayName: "X" } idempotencyKey: "k") { user { id } } }`;
    expect(codes(await company.ask({ token: 'x' }, text))).toEqual(['UNAUTHENTICATED']);
    expect((await company.ask(rosa, text)).errors).not.toEqual([]);
    expect(await read().count(users)).toBe(before);
  });

  test('are changed on the version that was read', async () => {
    const { id } = await company.employee('vera');
    const update = (version: number, input: string) =>
      mutate(
        root,
        'updateUser',
        `id: "${id}" expectedVersion: ${version} input: ${input}`,
        'user { displayName email version }',
      );
    const first = await update(1, '{ displayName: "Vera Long" }');
    expect(at(first, 'updateUser.user')).toEqual({ displayName: 'Vera Long', email: null, version: 2 });
    expect(codes(await update(1, '{ displayName: "Too Late" }'))).toEqual(['CONFLICT']);
    expect(codes(await update(2, '{ email: "nowhere" }'))).toEqual(['BAD_USER_INPUT']);
    expect(await userRow(id)).toMatchObject({ displayName: 'Vera Long', version: 2 });
    expect(codes(await mutate(root, 'disableUser', 'id: "nobody"', 'user { id }'))).toEqual(['NOT_FOUND']);
  });

  test('that are disabled can do nothing from the next operation on', async () => {
    const mia = await company.employee('mia', 'support-rep');
    expect(codes(await company.ask(mia, '{ viewer { scopes } }'))).toEqual([]);
    const answer = await mutate(root, 'disableUser', `id: "${mia.id}"`, 'user { status }');
    expect(at(answer, 'disableUser.user.status')).toBe('DISABLED');
    expect(codes(await company.ask(mia, '{ viewer { scopes } }'))).toEqual(['UNAUTHENTICATED']);
    await mutate(root, 'enableUser', `id: "${mia.id}"`, 'user { status }');
    // No token comes back to life.
    expect(codes(await company.ask(mia, '{ viewer { scopes } }'))).toEqual(['UNAUTHENTICATED']);
    expect(await recorded('User', mia.id)).toContainEqual({
      type: 'User',
      id: mia.id,
      before: { status: 'active' },
      after: { status: 'disabled' },
    });
  });

  test('lose every token and session with revokeTokens and with a new password', async () => {
    const nils = await company.employee('nils', 'support-rep');
    expect(codes(await mutate(root, 'revokeTokens', `id: "${nils.id}"`, 'user { id }'))).toEqual([]);
    expect(codes(await company.ask(nils, '{ viewer { scopes } }'))).toEqual(['UNAUTHENTICATED']);
    const token = await company.server.token(nils.id, undefined);
    const reset = await mutate(
      root,
      'resetPassword',
      `id: "${nils.id}"`,
      'user { mustChangePassword } password',
    );
    expect(at(reset, 'resetPassword')).toMatchObject({ user: { mustChangePassword: true } });
    const row = await userRow(nils.id);
    expect(await verifyPassword(at(reset, 'resetPassword.password') as string, row?.passwordHash ?? '')).toBe(
      true,
    );
    expect(codes(await company.ask({ token }, '{ viewer { scopes } }'))).toEqual(['UNAUTHENTICATED']);
    expect(await read().select(oauthPayloads, eq('accountId', nils.id))).toEqual([]);
  });

  test('of people with larger rights get no new password from a smaller administrator', async () => {
    const before = await userRow(root.id);
    const answer = await mutate(lead, 'resetPassword', `id: "${root.id}"`, 'password');
    expect(codes(answer)).toEqual(['FORBIDDEN']);
    expect(await userRow(root.id)).toEqual(before);
  });

  test('are seen by administrators, and one’s own by everyone', async () => {
    const query = '{ users(filter: { status: ACTIVE }, first: 100) { totalCount nodes { name } } }';
    expect(nodesAt(await company.ask(rosa, query), 'users')).toEqual([{ name: 'rosa' }]);
    const all = await company.ask(root, query);
    expect(nodesAt(all, 'users').map((node) => node.name)).toEqual(
      expect.arrayContaining(['lead', 'root', 'rosa']),
    );
    const one = await company.ask(
      root,
      `{ user(id: "${lead.id}") { roles { nodes { name } } grantableRoles { nodes { name } } } }`,
    );
    expect(at(one, 'user')).toEqual({
      roles: { nodes: [{ name: 'administrator' }] },
      grantableRoles: { nodes: [{ name: 'support-agent' }, { name: 'support-rep' }] },
    });
  });
});

describe('assigning roles', () => {
  const assign = async (by: Employee, userId: string, role: string, field = 'assignRole'): Promise<Answer> =>
    mutate(
      by,
      field,
      `userId: "${userId}" roleId: "${(await company.role(role)).id}"`,
      'user { roles { nodes { name } } }',
    );

  test('gives and takes a role, at once', async () => {
    const otto = await company.employee('otto');
    const given = await assign(lead, otto.id, 'support-rep');
    expect(nodesAt(given, 'assignRole.user.roles')).toEqual([{ name: 'support-rep' }]);
    expect(codes(await company.ask(otto, '{ tickets { totalCount } }'))).toEqual([]);
    const taken = await assign(lead, otto.id, 'support-rep', 'unassignRole');
    expect(nodesAt(taken, 'unassignRole.user.roles')).toEqual([]);
    expect((await company.ask(otto, '{ tickets { totalCount } }')).errors).not.toEqual([]);
  });

  test('stays within one’s grantable set, and never reaches oneself', async () => {
    const pia = await company.employee('pia', 'finance-manager');
    expect(codes(await assign(lead, pia.id, 'auditor'))).toEqual(['FORBIDDEN']);
    expect(codes(await assign(lead, lead.id, 'support-rep'))).toEqual(['FORBIDDEN']);
    expect(codes(await assign(root, root.id, 'auditor'))).toEqual(['FORBIDDEN']);
    expect(codes(await assign(lead, pia.id, 'finance-manager', 'unassignRole'))).toEqual(['FORBIDDEN']);
    expect(codes(await assign(root, pia.id, 'support-agent'))).toEqual(['BAD_USER_INPUT']);
    expect(await rolesOf(pia.id)).toEqual(['finance-manager']);
    expect(await rolesOf(root.id)).toEqual(['administrator']);
    expect(await rolesOf(lead.id)).toEqual(['administrator']);
  });

  test('nobody passes on a larger grantable set than their own', async () => {
    const quin = await company.employee('quin', 'administrator');
    const set = async (by: Employee, userId: string, ...names: string[]) => {
      const ids = await Promise.all(names.map(async (name) => quoted((await company.role(name)).id)));
      const args = `userId: "${userId}" roleIds: [${ids.join(', ')}]`;
      return mutate(by, 'setGrantableRoles', args, 'user { grantableRoles { nodes { name } } }');
    };
    expect(codes(await set(lead, quin.id, 'support-rep', 'auditor'))).toEqual(['FORBIDDEN']);
    expect(codes(await set(lead, lead.id, 'support-rep'))).toEqual(['FORBIDDEN']);
    expect(await read().select(grantableRoles, eq('userId', quin.id))).toEqual([]);
    const answer = await set(lead, quin.id, 'support-rep');
    expect(nodesAt(answer, 'setGrantableRoles.user.grantableRoles')).toEqual([{ name: 'support-rep' }]);
    // What another has given before may stay.
    await set(root, quin.id, 'support-rep', 'auditor');
    expect(codes(await set(lead, quin.id, 'support-rep', 'auditor', 'support-agent'))).toEqual([]);
    // And nobody takes away what they could not give.
    const before = await read().select(grantableRoles, eq('userId', quin.id));
    expect(codes(await set(lead, quin.id, 'support-rep'))).toEqual(['FORBIDDEN']);
    expect(await read().select(grantableRoles, eq('userId', quin.id))).toEqual(before);
    expect(codes(await set(lead, quin.id, 'auditor'))).toEqual([]);
  });
});

describe('agents', () => {
  const selection = 'agent { id name status authMethod publicKeys owner { name } version } secret';
  const create = (name: string, more = '', once = key()): Promise<Answer> =>
    mutate(
      root,
      'createAgent',
      `input: { name: "${name}" displayName: "Agent" businessTask: "Answer" ownerId: "${rosa.id}" ${more} }`,
      selection,
      once,
    );
  const secretsOf = async (id: string) => read().select(agentSecrets, eq('agentId', id));

  test('come with a secret that is told once and kept as a digest', async () => {
    const once = key();
    const answer = await create('bot', '', once);
    expect(answer.errors).toEqual([]);
    const { agent, secret } = at(answer, 'createAgent') as { agent: { id: string }; secret: string };
    expect(agent).toMatchObject({
      status: 'ACTIVE',
      authMethod: 'CLIENT_SECRET_BASIC',
      owner: { name: 'rosa' },
    });
    const hashes = (await secretsOf(agent.id)).map((row) => row.secretHash);
    expect(matchesClientSecret(secret, hashes)).toBe(true);
    expect(at(await create('bot', '', once), 'createAgent.secret')).toBeNull();
    const [kept] = await read().select(idempotencyKeys, eq('key', once));
    expect(kept?.answer).not.toContain(secret);
    expect(JSON.stringify(await read().query('SELECT body FROM behalf_audit_records'))).not.toContain(secret);
    expect(codes(await create('bot'))).toEqual(['CONFLICT']);
    expect(codes(await create('behalf-cli'))).toEqual(['BAD_USER_INPUT']);
  });

  test('rotate their secret with overlap', async () => {
    const { agent, secret } = at(await create('turner'), 'createAgent') as {
      agent: { id: string };
      secret: string;
    };
    const rotate = (seconds: number) =>
      mutate(root, 'rotateAgentSecret', `id: "${agent.id}" overlapSeconds: ${seconds}`, 'secret');
    const next = at(await rotate(3_600), 'rotateAgentSecret.secret') as string;
    const rows = await secretsOf(agent.id);
    expect(rows.map((row) => row.expiresAt === null)).toEqual(expect.arrayContaining([true, false]));
    const first = rows.find((row) => row.expiresAt !== null);
    expect(matchesClientSecret(secret, [first?.secretHash ?? ''])).toBe(true);
    expect(next).not.toBe(secret);
    expect(codes(await rotate(-1))).toEqual(['BAD_USER_INPUT']);
    expect(await secretsOf(agent.id)).toHaveLength(2);
  });

  test('with roles beyond an administrator’s grantable set get no credentials from them', async () => {
    const { id } = await company.agent('teller', rosa, 'finance-agent');
    const rowOf = () => read().select(agents, eq('id', id));
    const before = [await rowOf(), await secretsOf(id)];
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const publicKeys = quoted(JSON.stringify({ keys: [jwk] }));
    const attempts = [
      mutate(lead, 'rotateAgentSecret', `id: "${id}" overlapSeconds: 0`, 'secret'),
      mutate(lead, 'setAgentKeys', `id: "${id}" publicKeys: ${publicKeys}`, 'agent { id }'),
    ];
    for (const answer of await Promise.all(attempts)) expect(codes(answer)).toEqual(['FORBIDDEN']);
    expect([await rowOf(), await secretsOf(id)]).toEqual(before);
    const mine = await company.agent('helper', rosa, 'support-agent');
    const answer = await mutate(lead, 'rotateAgentSecret', `id: "${mine.id}" overlapSeconds: 0`, 'secret');
    expect(codes(answer)).toEqual([]);
  });

  test('may have public keys instead, and never a private one', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const set = (exported: object): string => quoted(JSON.stringify({ keys: [exported] }));
    const answer = await create('signer', `publicKeys: ${set(pair.publicKey.export({ format: 'jwk' }))}`);
    expect(at(answer, 'createAgent')).toMatchObject({
      secret: null,
      agent: { authMethod: 'PRIVATE_KEY_JWT' },
    });
    const { id } = at(answer, 'createAgent.agent') as { id: string };
    expect(await secretsOf(id)).toEqual([]);
    const keys = (text: string) =>
      mutate(root, 'setAgentKeys', `id: "${id}" publicKeys: ${text}`, 'agent { publicKeys }');
    expect(codes(await keys(set(pair.privateKey.export({ format: 'jwk' }))))).toEqual(['BAD_USER_INPUT']);
    expect(codes(await keys('"nonsense"'))).toEqual(['BAD_USER_INPUT']);
    expect(codes(await keys(set({ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' })))).toEqual(['BAD_USER_INPUT']);
  });

  test('keep of a public key what its type needs and how it is named', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const ed = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ format: 'jwk' });
    const kept = [{ ...ec, kid: 'one', alg: 'ES256', use: 'sig' }, ed, rsa];
    const unknown = { x5u: 'https://example.com/', 'a note': { on: ['the', 'key'] } };
    const given = kept.map((jwk) => ({ ...unknown, ...jwk }));
    const answer = await create('several', `publicKeys: ${quoted(JSON.stringify({ keys: given, more: 1 }))}`);
    const { id } = at(answer, 'createAgent.agent') as { id: string };
    expect((await read().byId(agents, id))?.jwks).toEqual({ keys: kept });
  });

  test.each([
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map((name): [string, object] => [
      `the private member ${name}`,
      { [name]: 'AQAB' },
    ]),
    ['a name of any length', { kid: 'k'.repeat(201) }],
    ['a name that is no text', { kid: { of: 'an object' } }],
    ['an algorithm that is no text', { alg: ['ES256'] }],
    ['a modulus of any length', { kty: 'RSA', n: 'u'.repeat(1_367), e: 'AQAB' }],
  ])('keep the keys that they have when given %s', async (_, more) => {
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const text = (members: object): string => quoted(JSON.stringify({ keys: [{ ...jwk, ...members }] }));
    const answer = await create(`keeper-${key()}`, `publicKeys: ${text({})}`);
    const { id } = at(answer, 'createAgent.agent') as { id: string };
    const before = await read().byId(agents, id);
    const set = mutate(root, 'setAgentKeys', `id: "${id}" publicKeys: ${text(more)}`, 'agent { id }');
    expect(codes(await set)).toEqual(['BAD_USER_INPUT']);
    expect(await read().byId(agents, id)).toEqual(before);
  });

  test('are stopped and started', async () => {
    const { id } = await company.agent('walker', rosa, 'support-agent');
    const made = await company.ask(
      rosa,
      `mutation { delegate(idempotencyKey: "${key()}", input: { agent: "walker" purpose: "p" task: "t" scopes: ["tickets:read"] }) {
        delegation { id } } }`,
    );
    const delegationId = at(made, 'delegate.delegation.id') as string;
    const newToken = async () => ({
      token: await company.server.token(rosa.id, delegationId, ['tickets:read']),
    });
    let agent = await newToken();
    expect(codes(await company.ask(agent, '{ tickets { totalCount } }'))).toEqual([]);
    await mutate(root, 'stopAgent', `id: "${id}"`, 'agent { status }');
    expect(codes(await company.ask(agent, '{ tickets { totalCount } }'))).toEqual(['UNAUTHENTICATED']);
    await mutate(root, 'startAgent', `id: "${id}"`, 'agent { status }');
    expect(codes(await company.ask(agent, '{ tickets { totalCount } }'))).toEqual(['UNAUTHENTICATED']);
    agent = await newToken();
    expect(codes(await company.ask(agent, '{ tickets { totalCount } }'))).toEqual([]);
    await mutate(root, 'stopEverything', '', 'stopped');
    expect(codes(await company.ask(agent, '{ tickets { totalCount } }'))).toEqual(['UNAUTHENTICATED']);
    expect(codes(await company.ask(rosa, '{ tickets { totalCount } }'))).toEqual([]);
    const resumed = await mutate(root, 'resumeEverything', '', 'stopped');
    expect(at(resumed, 'resumeEverything')).toEqual({ stopped: false });
    agent = await newToken();
    expect(codes(await company.ask(agent, '{ tickets { totalCount } }'))).toEqual([]);
    const role = await company.role('support-agent');
    const unassign = `agentId: "${id}" roleId: "${role.id}"`;
    expect(codes(await mutate(lead, 'unassignAgentRole', unassign, 'agent { id }'))).toEqual([]);
    expect((await company.ask(agent, '{ tickets { totalCount } }')).errors).not.toEqual([]);
    expect(codes(await mutate(lead, 'assignAgentRole', unassign, 'agent { id }'))).toEqual([]);
    expect(codes(await company.ask(agent, '{ tickets { totalCount } }'))).toEqual([]);
  });
});

describe('roles', () => {
  const boundary = (...only: string[]): string => {
    const regions = only.length === 0 ? 'all: true' : `values: ${JSON.stringify(only)}`;
    return `[{ dimension: "customer" all: true } { dimension: "region" ${regions} }
      { dimension: "collection" all: true } { dimension: "classification" values: ["public"] }
      { dimension: "person" values: [] }]`;
  };
  const limits = 'limits: { operations: 5 rows: 5 expirySeconds: 60 depth: 0 operationCost: 50000 }';
  const create = (by: Employee, name: string, scopes: string[], more: string): Promise<Answer> =>
    mutate(
      by,
      'createRole',
      `input: { name: "${name}" description: "d" businessTask: "t" scopes: ${JSON.stringify(scopes)} ${more} }`,
      'role { id name holder scopes boundary { dimension all values } limits { operations } version }',
    );

  test('are made as wide as what their maker may grant, who may grant them then', async () => {
    const answer = await create(
      lead,
      'europe-agent',
      ['tickets:read'],
      `holder: AGENT ${limits} boundary: ${boundary('europe')}`,
    );
    expect(answer.errors).toEqual([]);
    expect(at(answer, 'createRole.role')).toMatchObject({
      holder: 'AGENT',
      limits: { operations: 5 },
      version: 1,
    });
    const { id } = at(answer, 'createRole.role') as { id: string };
    expect(await read().select(grantableRoles, eq('roleId', id))).toEqual([{ userId: lead.id, roleId: id }]);
    const wide = await create(
      lead,
      'money-agent',
      ['refunds:issue'],
      `holder: AGENT ${limits} boundary: ${boundary()}`,
    );
    expect(codes(wide)).toEqual(['FORBIDDEN']);
    expect(await read().one(roles, eq<RoleRow>('name', 'money-agent'))).toBeUndefined();
    const own = await create(
      root,
      'money-agent',
      ['refunds:issue'],
      `holder: AGENT ${limits} boundary: ${boundary()}`,
    );
    expect(own.errors).toEqual([]);
  });

  test.each([
    [
      'a scope for people only in an agent’s role',
      ['audit:read'],
      `holder: AGENT ${limits}`,
      'BAD_USER_INPUT',
    ],
    ['a scope that does not exist', ['no:such'], `holder: AGENT ${limits}`, 'BAD_USER_INPUT'],
    ['an agent’s role without limits', ['tickets:read'], 'holder: AGENT', 'BAD_USER_INPUT'],
    ['a person’s role with limits', ['tickets:read'], `holder: PERSON ${limits}`, 'BAD_USER_INPUT'],
    [
      'approval of a scope that it lacks',
      ['tickets:read'],
      `holder: PERSON approvalScopes: ["refunds:issue"]`,
      'BAD_USER_INPUT',
    ],
  ])('are refused with %s', async (_, scopes, more, code) => {
    const before = await read().count(roles);
    expect(codes(await create(root, 'faulty', scopes, `${more} boundary: ${boundary()}`))).toEqual([code]);
    expect(await read().count(roles)).toBe(before);
  });

  test('say every dimension', async () => {
    const answer = await create(
      root,
      'partial',
      ['tickets:read'],
      'holder: PERSON boundary: [{ dimension: "region" all: true }]',
    );
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
  });

  test('that are narrowed narrow every task under them at once', async () => {
    const made = await create(
      root,
      'desk',
      ['tickets:read', 'orders:read'],
      `holder: PERSON boundary: ${boundary()}`,
    );
    const { id } = at(made, 'createRole.role') as { id: string };
    const person = await company.employee('ute', 'desk');
    expect(codes(await company.ask(person, '{ orders { totalCount } }'))).toEqual([]);
    const update = (version: number) =>
      mutate(
        root,
        'updateRole',
        `id: "${id}" expectedVersion: ${version} input: { scopes: ["tickets:read"] }`,
        'role { scopes version }',
      );
    expect(at(await update(1), 'updateRole.role')).toEqual({ scopes: ['tickets:read'], version: 2 });
    expect((await company.ask(person, '{ orders { totalCount } }')).errors).not.toEqual([]);
    expect(codes(await update(1))).toEqual(['CONFLICT']);
    expect(await recorded('Role', id)).toContainEqual(
      expect.objectContaining({
        before: expect.objectContaining({ scopes: ['orders:read', 'tickets:read'] }),
      }),
    );
  });

  test('that one holds are only narrowed by oneself', async () => {
    const role = await company.role('administrator');
    const widen = mutate(
      root,
      'updateRole',
      `id: "${role.id}" expectedVersion: ${role.version} input: { scopes: ${JSON.stringify([...role.scopes, 'audit:read'])} }`,
      'role { id }',
    );
    expect(codes(await widen)).toEqual(['FORBIDDEN']);
    expect(await company.role('administrator')).toEqual(role);
    // Without this scope nobody could assign roles any more.
    const left = role.scopes.filter((scope) => scope !== 'roles:assign');
    const cut = mutate(
      root,
      'updateRole',
      `id: "${role.id}" expectedVersion: ${role.version} input: { scopes: ${JSON.stringify(left)} }`,
      'role { id }',
    );
    expect(codes(await cut)).toEqual(['CONFLICT']);
    expect(await company.role('administrator')).toEqual(role);
  });
});

describe('the last administrator', () => {
  test('can neither be disabled nor lose the role, also when two remove one another', async () => {
    const own = await Company.start();
    try {
      const second = await own.employee('second', 'administrator');
      await own.do(async ({ tx }) => {
        const rows = await tx.select(roles, eq<RoleRow>('holder', 'person'));
        await tx.insert(
          grantableRoles,
          rows.map((role) => ({ userId: second.id, roleId: role.id })),
        );
      });
      const { id: roleId } = await own.role('administrator');
      const remove = (by: Employee, from: Employee) =>
        own.ask(
          by,
          `mutation { unassignRole(userId: "${from.id}" roleId: "${roleId}" idempotencyKey: "${key()}") { user { id } } }`,
        );
      const disable = (by: Employee, whom: Employee) =>
        own.ask(by, `mutation { disableUser(id: "${whom.id}" idempotencyKey: "${key()}") { user { id } } }`);
      await Promise.all([remove(own.root, second), disable(second, own.root)]);
      const held = await own.server.database.read.select(userRoles, eq('roleId', roleId));
      const active = await own.server.database.read.select(users, eq<UserRow>('status', 'active'));
      const left = active.filter((user) => held.some((row) => row.userId === user.id));
      expect(left).toHaveLength(1);
      const last = left[0]?.id === second.id ? second : own.root;
      expect(codes(await disable(last, last))).toEqual(['CONFLICT']);
      expect(codes(await remove(last, last))).toEqual(['CONFLICT']);
      expect(await own.server.database.read.byId(users, last.id)).toMatchObject({ status: 'active' });
    } finally {
      await own.server.stop();
    }
  });
});

describe('records', () => {
  test('are found by what they touched, when and with which error', async () => {
    const auditor = await company.employee('auditor', 'auditor');
    const { id } = await company.employee('zoe');
    const since = new Date(company.server.clock.now()).toISOString();
    await mutate(root, 'disableUser', `id: "${id}"`, 'user { id }');
    expect(
      codes(
        await mutate(
          root,
          'updateUser',
          `id: "${id}" expectedVersion: 1 input: { displayName: "Z" }`,
          'user { id }',
        ),
      ),
    ).toEqual(['CONFLICT']);
    const query = `query ($filter: AuditRecordFilter!) { auditRecords(filter: $filter, first: 50) { totalCount nodes {
      outcome errors { code } changes { type id } resources { type action ids } chain { person { name } agents { name } } at kind
      authorityVersion durationMs rowCount documentHash operationType tokenId address userAgent delegation { id } purpose } } }`;
    const found = async (filter: object) => {
      const answer = await company.ask(auditor, query, { filter: { since, ...filter } });
      expect(answer.errors).toEqual([]);
      return nodesAt(answer, 'auditRecords');
    };
    expect(await found({ resource: { type: 'User', id }, outcome: 'SUCCEEDED' })).toMatchObject([
      {
        outcome: 'SUCCEEDED',
        kind: 'GRAPHQL',
        chain: { person: { name: 'root' }, agents: [] },
        changes: [
          { type: 'User', id },
          { type: 'User', id },
        ],
      },
    ]);
    expect(await found({ errorCode: 'CONFLICT', personId: root.id })).toMatchObject([
      { errors: [{ code: 'CONFLICT' }] },
    ]);
    expect(await found({ personId: 'nobody' })).toEqual([]);
    expect(await found({ until: since })).toEqual([]);
  });

  test('are not for administrators, and others see their own', async () => {
    const query = '{ auditRecords(first: 100) { nodes { chain { person { name } } } } }';
    expect((await company.ask(root, query)).errors).not.toEqual([]);
    await company.ask(rosa, '{ viewer { scopes } }');
    const mine = await company.ask(rosa, query);
    const names = (nodesAt(mine, 'auditRecords') as { chain: { person: { name: string } } }[]).map(
      (node) => node.chain.person.name,
    );
    expect(new Set(names)).toEqual(new Set(['rosa']));
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authorities } from '../../src/delegation/authorities.js';
import { AuthorityEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import { delegations, grantableRoles, roles, type RoleRow } from '../../src/store/tables/identity.js';
import { at, codes, Company, key } from '../support/administration.js';
import type { AgentFixture, Answer, PersonFixture, TestServer } from '../support/server.js';

let company: Company;
let server: TestServer;
beforeAll(async () => {
  company = await Company.start();
  server = company.server;
});
afterAll(() => server.stop());

const read = { scopes: ['products:read'] };

/** What the server reckons one operation of this caller may cost, by the rows as they stand. */
async function budgetOf(
  person: PersonFixture,
  agent?: { delegationId: string },
): Promise<number | undefined> {
  const { read: connection } = server.database;
  const authorities = new Authorities(connection, new AuthorityEpoch(connection), server.clock, new Set());
  const fact = { tokenId: '', userId: person.id, scopes: read.scopes, expiresAt: Number.MAX_SAFE_INTEGER };
  return (await authorities.resolveInside(connection, { ...fact, delegationId: agent?.delegationId }))
    .costMax;
}

/** Another agent to which `parent` has handed on its task. */
async function handedOn(
  person: PersonFixture,
  parent: AgentFixture,
  operationCost?: number,
): Promise<AgentFixture> {
  const next = await server.agent(person, operationCost === undefined ? read : { ...read, operationCost });
  await server.database.transaction((tx) =>
    tx.update(delegations, eq('id', next.delegationId), { parentId: parent.delegationId, depth: 1 }),
  );
  return next;
}

test('a person alone has the largest budget of their roles', async () => {
  const person = await server.person({ ...read, operationCost: 2_000 });
  expect(await budgetOf(person)).toBe(2_000);
  await server.giveRole(person.id, { ...read, operationCost: 3_000 });
  expect(await budgetOf(person)).toBe(3_000);
  await server.giveRole(person.id, read);
  expect(await budgetOf(person)).toBeUndefined();
});

test('a chain has the least of its links and its person, and handing on never raises it', async () => {
  const person = await server.person(read);
  const small = await server.agent(person, { ...read, operationCost: 1_000 });
  const large = await server.agent(person, { ...read, operationCost: 9_000 });
  expect(await budgetOf(person, small)).toBe(1_000);
  expect(await budgetOf(person, await handedOn(person, small, 9_000))).toBe(1_000);
  expect(await budgetOf(person, await handedOn(person, small))).toBe(1_000);
  expect(await budgetOf(person, await handedOn(person, large, 500))).toBe(500);
  const thrifty = await server.person({ ...read, operationCost: 700 });
  expect(await budgetOf(thrifty, await server.agent(thrifty, { ...read, operationCost: 9_000 }))).toBe(700);
});

const boundary = `[{ dimension: "customer" all: true } { dimension: "region" all: true }
  { dimension: "collection" all: true } { dimension: "classification" all: true } { dimension: "person" values: [] }]`;
const create = (name: string, more: string): Promise<Answer> =>
  company.ask(
    company.root,
    `mutation { createRole(input: { name: "${name}" description: "d" businessTask: "t" scopes: ["products:read"] boundary: ${boundary} ${more} }, idempotencyKey: "${key()}") {
       role { id documents limits { operations rows expirySeconds depth operationCost } version } } }`,
  );
const counted = 'operations: 5 rows: 5 expirySeconds: 60 depth: 0';

test('roles say their budget beside what they count, and people’s roles nothing but that', async () => {
  const agent = await create(
    'thrifty-agent',
    `holder: AGENT documents: LOGGED limits: { ${counted} operationCost: 900 }`,
  );
  expect(agent.errors).toEqual([]);
  expect(at(agent, 'createRole.role')).toMatchObject({
    documents: 'LOGGED',
    limits: { operations: 5, rows: 5, expirySeconds: 60, depth: 0, operationCost: 900 },
  });
  const person = await create('thrifty-person', 'holder: PERSON limits: { operationCost: 900 }');
  expect(at(person, 'createRole.role')).toMatchObject({
    documents: 'ANY',
    limits: { operations: null, rows: null, expirySeconds: null, depth: null, operationCost: 900 },
  });
  expect(at(await create('plain-person', 'holder: PERSON'), 'createRole.role.limits')).toBeNull();

  const { id, version } = at(person, 'createRole.role') as { id: string; version: number };
  const update = (input: string, expected: number) =>
    company.ask(
      company.root,
      `mutation { updateRole(id: "${id}", input: ${input}, expectedVersion: ${String(expected)}, idempotencyKey: "${key()}") { role { limits { operationCost } documents } } }`,
    );
  const renamed = await update('{ description: "e", documents: REGISTERED }', version);
  expect(at(renamed, 'updateRole.role')).toEqual({ limits: { operationCost: 900 }, documents: 'REGISTERED' });
  const freed = await update('{ limits: {} }', version + 1);
  expect(at(freed, 'updateRole.role')).toEqual({ limits: null, documents: 'REGISTERED' });
});

test.each([
  ['a budget of nothing', `holder: AGENT limits: { ${counted} operationCost: 0 }`],
  ['a budget beyond all', `holder: AGENT limits: { ${counted} operationCost: 100000001 }`],
  ['an agent’s role that counts nothing', 'holder: AGENT limits: { operationCost: 900 }'],
  ['a person’s role that counts', `holder: PERSON limits: { operations: 5, operationCost: 900 }`],
])('%s is refused', async (_, more) => {
  const before = await server.database.read.count(roles);
  expect(codes(await create('faulty', more))).toEqual(['BAD_USER_INPUT']);
  expect(await server.database.read.count(roles)).toBe(before);
});

test('who holds a role may lower its budget and bind its documents, and not undo it', async () => {
  const admin = await company.employee('keeper', 'administrator');
  const mine = await server.giveRole(admin.id, { ...read, operationCost: 900, documents: 'logged' });
  await server.database.transaction((tx) => tx.insert(grantableRoles, [{ userId: admin.id, roleId: mine }]));
  const token = await server.token(admin.id, undefined);
  const row = (): Promise<RoleRow | undefined> => server.database.read.byId(roles, mine);
  const update = async (input: string): Promise<unknown[]> => {
    const version = String((await row())?.version);
    const text = `mutation { updateRole(id: "${mine}", input: ${input}, expectedVersion: ${version}, idempotencyKey: "${key()}") { role { id } } }`;
    return codes(await company.ask({ token }, text));
  };
  for (const wider of ['{ limits: { operationCost: 901 } }', '{ limits: {} }', '{ documents: ANY }']) {
    const before = await row();
    expect(await update(wider)).toEqual(['FORBIDDEN']);
    expect(await row()).toEqual(before);
  }
  expect(await update('{ limits: { operationCost: 899 } }')).toEqual([]);
  expect(await row()).toMatchObject({ documents: 'logged', limits: { operationCost: 899 } });
});

test('no role is defined freer than those that its maker may grant', async () => {
  const lead = await company.employee('lead', 'administrator');
  const granted = await server.role('person', { ...read, operationCost: 900, documents: 'registered' });
  await server.database.transaction((tx) =>
    tx.insert(grantableRoles, [{ userId: lead.id, roleId: granted }]),
  );
  const make = (name: string, more: string): Promise<Answer> =>
    company.ask(
      lead,
      `mutation { createRole(input: { name: "${name}" description: "d" businessTask: "t" holder: PERSON scopes: ["products:read"] ${more}
         boundary: [{ dimension: "customer" all: true } { dimension: "region" all: true } { dimension: "collection" all: true }
           { dimension: "classification" all: true } { dimension: "person" values: [] }] }, idempotencyKey: "${key()}") { role { id } } }`,
    );
  const before = await server.database.read.count(roles);
  expect(codes(await make('free-one', 'limits: { operationCost: 900 }'))).toEqual(['FORBIDDEN']);
  expect(codes(await make('dear-one', 'documents: REGISTERED'))).toEqual(['FORBIDDEN']);
  expect(await server.database.read.count(roles)).toBe(before);
  expect(codes(await make('like-one', 'documents: REGISTERED limits: { operationCost: 900 }'))).toEqual([]);
});

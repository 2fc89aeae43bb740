// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { grantableRoles, roles, type RoleRow } from '../../src/store/tables/identity.js';
import { at, codes, Company, key, type Employee } from '../support/administration.js';
import { boundaryInput } from '../support/case.js';
import type { Answer } from '../support/server.js';

const counted = { operations: 100, rows: 100, expirySeconds: 600, depth: 1 };
const said = { description: 'd', businessTask: 't', boundary: boundaryInput({ region: ['europe'] }) };

/** An administrator's whole grantable set: two roles for agents, three for people. */
const set = {
  answering: {
    ...{ ...said, holder: 'AGENT', scopes: ['tickets:read', 'tickets:reply'] },
    ...{ approvalScopes: ['tickets:reply'], limits: { ...counted, operationCost: 900 }, documents: 'LOGGED' },
  },
  packing: { ...said, holder: 'AGENT', scopes: ['orders:read', 'stock:read'], limits: counted },
  desk: {
    ...{ ...said, holder: 'PERSON', scopes: ['tickets:read', 'tickets:reply', 'customers:read'] },
    ...{ approvalScopes: ['tickets:reply'], limits: { operationCost: 900 }, documents: 'REGISTERED' },
  },
  store: { ...said, holder: 'PERSON', scopes: ['orders:read'], limits: { operationCost: 2_000 } },
  overseas: {
    ...{ ...said, holder: 'PERSON', scopes: ['orders:read'], boundary: boundaryInput({ region: ['asia'] }) },
    ...{ limits: { operationCost: 500 } },
  },
};
type Name = keyof typeof set;

let company: Company;
let lead: Employee;
const ids = new Map<Name, string>();

beforeAll(async () => {
  company = await Company.start();
  lead = await company.employee('lead', 'administrator');
  for (const name of Object.keys(set) as Name[]) {
    ids.set(name, at(await create(company.root, name, set[name]), 'createRole.role.id') as string);
  }
  const given = await company.ask(
    company.root,
    `mutation ($id: ID!, $roleIds: [ID!]!, $key: String!) {
      setGrantableRoles(userId: $id, roleIds: $roleIds, idempotencyKey: $key) { user { id } } }`,
    { id: lead.id, roleIds: [...ids.values()], key: key() },
  );
  expect(given.errors).toEqual([]);
});
afterAll(() => company.server.stop());

const create = (by: Employee, name: string, input: object): Promise<Answer> =>
  company.ask(
    by,
    `mutation ($input: CreateRoleInput!, $key: String!) {
      createRole(input: $input, idempotencyKey: $key) { role { id } } }`,
    { input: { ...input, name }, key: key() },
  );

const rowOf = (name: Name): Promise<RoleRow | undefined> =>
  company.server.database.read.byId(roles, ids.get(name) ?? '');

const update = async (name: Name, input: object): Promise<Answer> =>
  company.ask(
    lead,
    `mutation ($id: ID!, $input: UpdateRoleInput!, $version: Int!, $key: String!) {
      updateRole(id: $id, input: $input, expectedVersion: $version, idempotencyKey: $key) { role { version } } }`,
    { id: ids.get(name), input, version: (await rowOf(name))?.version, key: key() },
  );

const everything = async (): Promise<unknown[]> => {
  const { read } = company.server.database;
  const sorted = { order: [{ column: 'id', direction: 'asc' }] } as const;
  return [
    await read.select(roles, eq<RoleRow>('shipped', false), sorted),
    await read.select(grantableRoles, eq('userId', lead.id)),
  ];
};

const { answering, desk, store } = set;
const agentLimits = answering.limits;

describe('an administrator with a grantable set makes no role that allows more', () => {
  test.each<[string, object]>([
    ['without the approval that each role with the scope asks for', { ...answering, approvalScopes: [] }],
    ['of more operations', { ...answering, limits: { ...agentLimits, operations: 101 } }],
    ['of more rows', { ...answering, limits: { ...agentLimits, rows: 1_000_000_000 } }],
    ['of longer tasks', { ...answering, limits: { ...agentLimits, expirySeconds: 601 } }],
    ['handed on more often', { ...answering, limits: { ...agentLimits, depth: 2 } }],
    ['of dearer operations', { ...answering, limits: { ...agentLimits, operationCost: 901 } }],
    ['of operations of any cost', { ...answering, limits: counted }],
    ['of documents that nobody notes', { ...answering, documents: 'ANY' }],
    [
      'of two roles, where a task has one',
      { ...answering, scopes: ['orders:read', 'tickets:read', 'tickets:reply'] },
    ],
    ['of what only people are granted', { ...answering, scopes: ['customers:read'], approvalScopes: [] }],
    ['for a person without that approval', { ...desk, approvalScopes: [] }],
    [
      'for a person of what is for agents, whose operations are counted',
      { ...store, scopes: ['orders:read', 'stock:read'] },
    ],
    ['for a person with dearer operations', { ...store, limits: { operationCost: 2_001 } }],
    [
      'for a person that frees what only a bound role allows',
      { ...store, scopes: ['orders:read', 'tickets:read'] },
    ],
  ])('%s', async (_, input) => {
    const before = await everything();
    const answer = await create(lead, 'wider', input);
    expect(codes(answer)).toEqual(['FORBIDDEN']);
    expect(answer.errors[0]?.extensions).toMatchObject({ layer: 'person', missingScopes: ['roles:assign'] });
    expect(await everything()).toEqual(before);
  });

  test.each<[Name, string, object]>([
    ['answering', 'more operations', { limits: { ...agentLimits, operations: 1_000_000_000 } }],
    ['answering', 'longer tasks', { limits: { ...agentLimits, expirySeconds: 86_400 } }],
    ['answering', 'no approval', { approvalScopes: [] }],
    ['answering', 'the scopes of another role', { scopes: ['orders:read', 'tickets:reply'] }],
    ['desk', 'no approval', { approvalScopes: [] }],
    ['store', 'the scopes of a role that is bound', { scopes: ['customers:read', 'orders:read'] }],
  ])('of %s, by giving it %s', async (name, _, input) => {
    const before = await everything();
    expect(codes(await update(name, input))).toEqual(['FORBIDDEN']);
    expect(await everything()).toEqual(before);
  });
});

describe('an administrator with a grantable set makes roles', () => {
  test.each<[string, object]>([
    ['like one of it', answering],
    ['narrower than one of it', { ...answering, scopes: ['tickets:read'], approvalScopes: ['tickets:read'] }],
    ['of fewer operations', { ...answering, limits: { ...agentLimits, operations: 1, operationCost: 1 } }],
    [
      'for people of all that people’s roles allow without binding it',
      { ...store, boundary: boundaryInput({ region: ['asia', 'europe'] }) },
    ],
    [
      'for people of all that people’s roles allow together, bound as the strictest',
      { ...desk, scopes: [...desk.scopes, 'orders:read'], limits: store.limits },
    ],
  ])('%s', async (what, input) => {
    const answer = await create(lead, `mine-${what.replace(/[^a-z]/g, '-')}`, input);
    expect(answer.errors).toEqual([]);
  });

  test('and goes on narrowing them', async () => {
    const narrower = { limits: { ...agentLimits, operations: 99 }, scopes: ['tickets:reply'] };
    expect(codes(await update('answering', narrower))).toEqual([]);
    expect(await rowOf('answering')).toMatchObject({ approvalScopes: ['tickets:reply'], version: 2 });
  });

  test('without a bound where role administration is among what may be granted', async () => {
    const limits = { ...counted, operations: 1_000_000_000 };
    const answer = await create(company.root, 'new-domain', {
      ...set.packing,
      scopes: ['refunds:issue'],
      limits,
    });
    expect(answer.errors).toEqual([]);
  });
});

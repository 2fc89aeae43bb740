// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUser } from '../../src/admin/users.js';
import { underDelegation } from '../../src/audit/record-index.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { agents, delegations, userRoles, type DelegationRow } from '../../src/store/tables/identity.js';
import { at, codes, Company, key, nodesAt, type Employee } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import type { Answer } from '../support/server.js';

let company: Company;
let rosa: Employee;
let farah: Employee;
let auditor: Employee;

beforeAll(async () => {
  company = await Company.start();
  const rows = new BusinessRows(company.server);
  for (const region of ['asia', 'europe']) await rows.customer(`C-${region}`, region);
  rosa = await company.employee('rosa', 'support-rep');
  farah = await company.employee('farah', 'finance-manager');
  auditor = await company.employee('audra', 'auditor');
  await company.agent('helper', rosa, 'support-agent');
  await company.agent('ledger', farah, 'finance-agent');
  await company.agent('idle', farah);
  await company.agent('double', farah, 'finance-agent', 'support-agent');
});
afterAll(() => company.server.stop());

const delegateText = `mutation Delegate($input: DelegateInput!, $key: String!) {
  delegate(input: $input, idempotencyKey: $key) {
    delegation {
      id status task purpose depth standing scopes expiresAt createdAt
      boundary { dimension all values }
      limits { operations operationsLeft rows depthLeft }
      person { name } agent { name } role { name }
    }
  }
}`;

const task = { agent: 'helper', purpose: 'Answer the ticket', task: 'ticket:T-1', scopes: ['tickets:read'] };
const delegate = (who: { token: string }, input: object, idempotencyKey = key()): Promise<Answer> =>
  company.ask(who, delegateText, { input: { ...task, ...input }, key: idempotencyKey });

async function delegated(who: { token: string }, input: object): Promise<string> {
  const answer = await delegate(who, input);
  expect(answer.errors).toEqual([]);
  return at(answer, 'delegate.delegation.id') as string;
}

const delegationCount = (): Promise<number> => company.server.database.read.count(delegations);
const rowOf = (id: string): Promise<DelegationRow | undefined> =>
  company.server.database.read.byId(delegations, id);

/** An agent as its client is when it has proved who it is. */
async function clientOf(name: string): Promise<{ agentId: string; agentGeneration: number }> {
  const row = await company.server.database.read.one(agents, eq('name', name));
  return { agentId: row?.id ?? '', agentGeneration: row?.tokenGeneration ?? 0 };
}

async function agentToken(userId: string, delegationId: string): Promise<{ token: string }> {
  const row = await rowOf(delegationId);
  return { token: await company.server.token(userId, delegationId, row?.scopes ?? []) };
}

describe('delegate', () => {
  test('hands an agent no more than was said, with the bounds of its role written out', async () => {
    const answer = await delegate(rosa, { scopes: ['tickets:read', 'customers:read'] });
    expect(answer.errors).toEqual([]);
    expect(at(answer, 'delegate.delegation')).toMatchObject({
      status: 'ACTIVE',
      task: 'ticket:T-1',
      depth: 0,
      standing: false,
      scopes: ['customers:read', 'tickets:read'],
      boundary: [
        { dimension: 'classification', all: false, values: ['internal', 'public'] },
        { dimension: 'collection', all: true, values: [] },
        { dimension: 'customer', all: true, values: [] },
        { dimension: 'person', all: false, values: [] },
        { dimension: 'region', all: true, values: [] },
      ],
      limits: { operations: 500, operationsLeft: 500, rows: 5000, depthLeft: 2 },
      person: { name: 'rosa' },
      agent: { name: 'helper' },
      role: { name: 'support-agent' },
    });
    const { createdAt, expiresAt } = at(answer, 'delegate.delegation') as Record<string, string>;
    expect(Date.parse(expiresAt ?? '') - Date.parse(createdAt ?? '')).toBe(3_600_000);
  });

  test('narrows boundary and limits as far as it is told', async () => {
    const id = await delegated(rosa, {
      boundary: [{ dimension: 'region', values: ['europe'] }],
      operations: 3,
      rows: 40,
      depth: 0,
      expiresInSeconds: 60,
      standing: true,
    });
    expect(await rowOf(id)).toMatchObject({
      boundary: { region: ['europe'], customer: 'all', person: [] },
      operationsMax: 3,
      rowsMax: 40,
      depthMax: 0,
      standing: true,
    });
  });

  test.each([
    [
      'a scope that the person lacks',
      { agent: 'ledger', scopes: ['refunds:issue'] },
      'person',
      ['refunds:issue'],
    ],
    ['a scope that does not exist', { scopes: ['no:such'] }, 'person', ['no:such']],
    [
      "a scope that the agent's role lacks",
      { scopes: ['tickets:read_internal'] },
      'agent',
      ['tickets:read_internal'],
    ],
    ['a scope that is for people only', { scopes: ['audit:read'] }, 'agent', ['audit:read']],
    ['a role that the agent does not hold', { role: 'finance-agent' }, 'agent', ['tickets:read']],
    [
      'a wider boundary than the role has',
      { boundary: [{ dimension: 'classification', all: true }] },
      'person',
      ['tickets:read'],
    ],
  ])('refuses %s, and makes nothing', async (_, input, layer, missingScopes) => {
    const before = await delegationCount();
    const answer = await delegate(rosa, input);
    expect(answer.data).toBeNull();
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', layer, missingScopes });
    expect(await delegationCount()).toBe(before);
  });

  test.each([
    ['an unknown agent', { agent: 'nobody' }, 'NOT_FOUND'],
    ['more operations than the role allows', { operations: 501 }, 'LIMIT_EXCEEDED'],
    ['a longer time than the role allows', { expiresInSeconds: 86_401 }, 'LIMIT_EXCEEDED'],
    ['no scope at all', { scopes: [] }, 'BAD_USER_INPUT'],
    ['no purpose', { purpose: '  ' }, 'BAD_USER_INPUT'],
    ['a negative limit', { rows: -1 }, 'BAD_USER_INPUT'],
    ['an unknown dimension', { boundary: [{ dimension: 'planet', all: true }] }, 'BAD_USER_INPUT'],
    ['a dimension without values', { boundary: [{ dimension: 'region' }] }, 'BAD_USER_INPUT'],
  ])('refuses %s, and makes nothing', async (_, input, code) => {
    const before = await delegationCount();
    expect(codes(await delegate(rosa, input))).toEqual([code]);
    expect(await delegationCount()).toBe(before);
  });

  test.each([
    ['no role', 'idle', {}, 'The agent holds no role, so it can be given no task.'],
    [
      'not the named role',
      'helper',
      { role: 'finance-agent' },
      'The agent does not hold the role that was named.',
    ],
    [
      'several roles, none with all of it',
      'double',
      { scopes: ['tickets:reply', 'refunds:issue'] },
      'No role of the agent includes all of tickets:reply, refunds:issue.',
    ],
    [
      'a role without it',
      'helper',
      { scopes: ['tickets:read_internal'] },
      'tickets:read_internal cannot be handed over: not included in the role of the agent.',
    ],
  ])(
    'to an agent that holds %s is refused in words for that, and makes nothing',
    async (_what, agent, input, message) => {
      const before = await delegationCount();
      const answer = await delegate(rosa, { agent, ...input });
      expect([codes(answer), answer.errors[0]?.message]).toEqual([['FORBIDDEN'], message]);
      expect(answer.errors[0]?.extensions.layer).toBe('agent');
      expect(await delegationCount()).toBe(before);
    },
  );

  test('gives the first answer again for the same key, and makes one delegation', async () => {
    const once = key();
    const first = await delegate(rosa, {}, once);
    const before = await delegationCount();
    const second = await delegate(rosa, {}, once);
    expect(second.data).toEqual(first.data);
    expect(await delegationCount()).toBe(before);
    expect(codes(await delegate(rosa, { purpose: 'Something else' }, once))).toEqual(['CONFLICT']);
  });

  test("hands over no more than the token's scopes", async () => {
    const token = await company.server.token(rosa.id, undefined, [
      'delegations:create',
      'delegations:read',
      'users:read',
      'agents:read',
      'roles:read',
      'orders:read',
    ]);
    const answer = await delegate({ token }, {});
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', layer: 'token' });
  });

  test('is for people: an agent does not even see it', async () => {
    const agent = await agentToken(rosa.id, await delegated(rosa, {}));
    const answer = await delegate(agent, {});
    expect(answer.status).toBe(400);
    expect(answer.errors[0]?.message).not.toContain('scope');
  });

  test('needs someone, and someone who may', async () => {
    expect(codes(await delegate({ token: 'x' }, {}))).toEqual(['UNAUTHENTICATED']);
    const answer = await delegate(auditor, {});
    expect(answer.errors).not.toEqual([]);
    expect(answer.data ?? null).toBeNull();
  });

  test('refuses an agent that has been stopped', async () => {
    const { id } = await company.agent('halted', rosa, 'support-agent');
    await company.do((unit) => unit.tx.update(agents, eq('id', id), { status: 'stopped' }));
    const answer = await delegate(rosa, { agent: 'halted' });
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', layer: 'agent' });
  });

  test('is recorded with what it made', async () => {
    const id = await delegated(rosa, { task: 'ticket:T-77' });
    const answer = await company.ask(
      rosa,
      `query ($id: ID!) { auditRecords(filter: { resource: { type: "Delegation", id: $id }, outcome: SUCCEEDED }) {
        nodes { operationName operationType variables changes { type id before after } chain { person { name } agents { name } } } } }`,
      { id },
    );
    expect(answer.errors).toEqual([]);
    expect(nodesAt(answer, 'auditRecords').at(-1)).toMatchObject({
      operationName: 'Delegate',
      chain: { person: { name: 'rosa' }, agents: [] },
      changes: [{ type: 'Delegation', id, before: null, after: expect.stringContaining('"ticket:T-77"') }],
    });
  });
});

describe('a person sees only their own', () => {
  test('delegations', async () => {
    const mine = await delegated(rosa, {});
    const query = `query ($id: ID!) { delegation(id: $id) { id } delegations(first: 100) { totalCount nodes { person { name } } } }`;
    const own = await company.ask(rosa, query, { id: mine });
    expect(at(own, 'delegation')).toEqual({ id: mine });
    const people = nodesAt(own, 'delegations').map((node) => JSON.stringify(node));
    expect(new Set(people)).toEqual(new Set(['{"person":{"name":"rosa"}}']));
    const other = await company.ask(farah, query, { id: mine });
    expect(at(other, 'delegation')).toBeNull();
    const seen = await company.ask(auditor, query, { id: mine });
    expect(at(seen, 'delegation')).toEqual({ id: mine });
    expect(at(seen, 'delegations.totalCount')).toBeGreaterThanOrEqual(
      at(own, 'delegations.totalCount') as number,
    );
  });

  test('records, those of their agents included', async () => {
    const id = await delegated(rosa, {});
    const agent = await agentToken(rosa.id, id);
    expect((await company.ask(agent, 'query Mine { tickets { totalCount } }')).errors).toEqual([]);
    const query = `query ($id: ID!) {
      delegation(id: $id) { records { totalCount nodes { operationName chain { agents { name role } } task } } }
      auditRecords(filter: { delegationId: $id }) { nodes { operationName delegation { id } delegationIds } }
    }`;
    const own = await company.ask(rosa, query, { id });
    expect(own.errors).toEqual([]);
    expect(at(own, 'delegation.records')).toEqual({
      totalCount: 1,
      nodes: [
        {
          operationName: 'Mine',
          chain: { agents: [{ name: 'helper', role: 'support-agent' }] },
          task: 'ticket:T-1',
        },
      ],
    });
    expect(nodesAt(own, 'auditRecords')).toEqual([
      { operationName: 'Mine', delegation: { id }, delegationIds: [id] },
    ]);
    const other = await company.ask(farah, query, { id });
    expect(other.data).toEqual({ delegation: null, auditRecords: { nodes: [] } });
    const seen = await company.ask(auditor, query, { id });
    expect(nodesAt(seen, 'auditRecords')).toHaveLength(1);
  });
});

describe('ending a delegation', () => {
  const revoke = `mutation ($id: ID!, $key: String!) { revokeDelegation(id: $id, idempotencyKey: $key) {
    delegation { id status endedAt endedBy { name } } } }`;

  test('bites on the next operation, and ends what was handed on', async () => {
    const parent = await delegated(rosa, { scopes: ['orders:read', 'invoices:read', 'customers:read'] });
    const child = await company.grants().exchangeAgentToken({
      delegationId: parent,
      parentTokenScopes: ['orders:read', 'customers:read'],
      fromAgentId: (await rowOf(parent))?.agentId ?? '',
      ...(await clientOf('ledger')),
      parentGeneration: 0,
    });
    const below = { token: await company.server.token(rosa.id, child.delegationId, child.scopes) };
    expect(at(await company.ask(below, '{ viewer { agents { name } } }'), 'viewer.agents')).toEqual([
      { name: 'helper' },
      { name: 'ledger' },
    ]);
    const answer = await company.ask(rosa, revoke, { id: parent, key: key() });
    expect(at(answer, 'revokeDelegation.delegation')).toMatchObject({
      status: 'REVOKED',
      endedBy: { name: 'rosa' },
    });
    expect(codes(await company.ask(below, '{ viewer { agents { name } } }'))).toEqual(['UNAUTHENTICATED']);
    expect(await rowOf(child.delegationId)).toMatchObject({ status: 'revoked', endedBy: rosa.id });
    // Once more changes nothing.
    const again = await company.ask(rosa, revoke, { id: parent, key: key() });
    expect(again.data).toEqual(answer.data);
  });

  test('is for its person: to another it does not exist, and it stands', async () => {
    const id = await delegated(rosa, {});
    expect(codes(await company.ask(farah, revoke, { id, key: key() }))).toEqual(['NOT_FOUND']);
    expect(await rowOf(id)).toMatchObject({ status: 'active' });
    expect(codes(await company.ask(company.root, revoke, { id, key: key() }))).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ status: 'revoked', endedBy: company.root.id });
  });

  test('the agent completes its own task, and its token ends with it', async () => {
    const id = await delegated(rosa, {});
    const agent = await agentToken(rosa.id, id);
    const complete = 'mutation ($key: String!) { completeTask(idempotencyKey: $key) { delegationId task } }';
    const answer = await company.ask(agent, complete, { key: key() });
    expect(answer.errors).toEqual([]);
    expect(at(answer, 'completeTask')).toEqual({ delegationId: id, task: 'ticket:T-1' });
    expect(await rowOf(id)).toMatchObject({ status: 'completed', endedBy: null });
    expect(codes(await company.ask(agent, '{ viewer { scopes } }'))).toEqual(['UNAUTHENTICATED']);
    expect(codes(await company.ask(rosa, complete, { key: key() }))).toEqual(['NOT_FOUND']);
  });

  test('a standing delegation is not completed by its agent', async () => {
    const id = await delegated(rosa, { standing: true });
    const complete = 'mutation ($key: String!) { completeTask(idempotencyKey: $key) { task } }';
    expect(codes(await company.ask(await agentToken(rosa.id, id), complete, { key: key() }))).toEqual([
      'CONFLICT',
    ]);
    expect(await rowOf(id)).toMatchObject({ status: 'active' });
  });

  test('completing what has ended is a conflict', async () => {
    const id = await delegated(rosa, {});
    const complete = `mutation ($id: ID!, $key: String!) { completeDelegation(id: $id, idempotencyKey: $key) {
      delegation { status } } }`;
    const first = await company.ask(rosa, complete, { id, key: key() });
    expect(at(first, 'completeDelegation.delegation.status')).toBe('COMPLETED');
    expect(codes(await company.ask(rosa, complete, { id, key: key() }))).toEqual(['CONFLICT']);
  });

  test('one whose time has passed is told as expired', async () => {
    const id = await delegated(rosa, { task: 'ticket:expired' });
    const past = new Date(Date.now() - 1000).toISOString();
    await company.do(async ({ tx }) => {
      await tx.update(delegations, eq<DelegationRow>('id', id), { expiresAt: past });
      await bumpEpoch(tx);
    });
    const query = `query ($status: DelegationStatus!) { delegations(filter: { task: "ticket:expired", status: $status }) {
      nodes { id status } } }`;
    const expired = await company.ask(rosa, query, { status: 'EXPIRED' });
    expect(nodesAt(expired, 'delegations')).toEqual([{ id, status: 'EXPIRED' }]);
    expect(nodesAt(await company.ask(rosa, query, { status: 'ACTIVE' }), 'delegations')).toEqual([]);
  });
});

describe('handing on', () => {
  const scopes = ['orders:read', 'invoices:read', 'customers:read'];
  const exchange = async (
    parent: string,
    { to = 'ledger', ...more }: { to?: string; [more: string]: unknown } = {},
  ) =>
    company.grants().exchangeAgentToken({
      delegationId: parent,
      parentTokenScopes: scopes,
      fromAgentId: (await rowOf(parent))?.agentId ?? '',
      ...(await clientOf(to)),
      parentGeneration: 0,
      ...more,
    });

  test('gives no more than the parent, its token and the next role share', async () => {
    const parent = await delegated(rosa, {
      scopes,
      boundary: [{ dimension: 'region', values: ['europe', 'asia'] }],
      operations: 10,
      rows: 100,
      expiresInSeconds: 120,
    });
    const grant = await exchange(parent, {
      parentTokenScopes: ['orders:read', 'tickets:read'],
      boundary: { region: ['asia'] },
    });
    expect(grant).toMatchObject({
      userId: rosa.id,
      scopes: ['orders:read'],
      chain: { userName: 'rosa', agents: [{ name: 'helper', delegationId: parent }, { name: 'ledger' }] },
    });
    const above = await rowOf(parent);
    expect(await rowOf(grant.delegationId)).toMatchObject({
      parentId: parent,
      depth: 1,
      scopes: ['orders:read'],
      boundary: { region: ['asia'], customer: 'all' },
      operationsMax: 10,
      rowsMax: 100,
      depthMax: 2,
      expiresAt: above?.expiresAt,
      purpose: 'Answer the ticket',
    });
  });

  test.each([
    ['a scope that the parent lacks', { scopes: ['payments:read'] }, { code: 'FORBIDDEN' }],
    [
      "a scope outside the parent's token",
      { parentTokenScopes: ['orders:read'], scopes: ['invoices:read'] },
      { code: 'FORBIDDEN', details: { layer: 'token' } },
    ],
    [
      'a wider boundary',
      { boundary: { region: 'all' } },
      { code: 'FORBIDDEN', details: { layer: 'delegation' } },
    ],
    ['the agent that hands on', { to: 'helper' }, { code: 'BAD_USER_INPUT' }],
    ['an unknown agent', { to: 'nobody' }, { code: 'NOT_FOUND' }],
    ['a boundary that is none', { boundary: 'everything' }, { code: 'BAD_USER_INPUT' }],
  ])('refuses %s', async (_, more, refusal) => {
    const parent = await delegated(rosa, { scopes, boundary: [{ dimension: 'region', values: ['europe'] }] });
    const before = await delegationCount();
    await expect(exchange(parent, more)).rejects.toMatchObject(refusal);
    expect(await delegationCount()).toBe(before);
  });

  test('ends where the depth ends, and with the parent', async () => {
    const flat = await delegated(rosa, { scopes, depth: 0 });
    await expect(exchange(flat)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 'depth' },
    });
    const parent = await delegated(rosa, { scopes });
    await company.server.endDelegation(parent);
    await expect(exchange(parent)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test("an agent gets a token only for its own delegation, and only for the delegation's scopes", async () => {
    const id = await delegated(rosa, { scopes });
    const agentId = (await rowOf(id))?.agentId ?? '';
    const grants = company.grants();
    await expect(
      grants.forClientCredentials({ agentId, agentGeneration: 0, delegationId: id }),
    ).resolves.toMatchObject({
      userId: rosa.id,
      scopes: [...scopes].sort(),
    });
    await expect(
      grants.forClientCredentials({
        agentId,
        agentGeneration: 0,
        delegationId: id,
        scopes: ['orders:read', 'tickets:read'],
      }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN', details: { missingScopes: ['tickets:read'] } });
    const other = await company.agent('other', rosa, 'support-agent');
    await expect(
      grants.forClientCredentials({ agentId: other.id, agentGeneration: 0, delegationId: id }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await company.server.endDelegation(id);
    await expect(
      grants.forClientCredentials({ agentId, agentGeneration: 0, delegationId: id }),
    ).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    await expect(
      grants.liveToken({ userId: rosa.id, delegationId: id, generation: 0, scopes: [] }),
    ).resolves.toBeUndefined();
  });
});

describe('consent', () => {
  const give = `mutation ($input: ConsentInput!, $key: String!) { giveConsent(input: $input, idempotencyKey: $key) {
    consent { id scopes agent { name } boundary { dimension all values } revokedAt } } }`;
  const asked = { task: 'ticket:T-9', purpose: 'Look into it' };

  test('lets an agent exchange the person’s token within it, until it is withdrawn', async () => {
    const ines = await company.employee('ines', 'support-rep');
    const { id: agentId } = await company.agent('courier', rosa, 'support-agent');
    const grants = company.grants();
    const exchange = (more: object = {}) =>
      grants.exchangePersonToken({
        ...asked,
        userId: ines.id,
        agentId,
        agentGeneration: 0,
        personTokenScopes: ['tickets:read', 'orders:read', 'customers:read'],
        ...more,
      });
    await expect(exchange()).rejects.toMatchObject({ code: 'FORBIDDEN', details: { layer: 'person' } });

    const input = { agent: 'courier', scopes: ['tickets:read', 'tickets:reply'] };
    const given = await company.ask(ines, give, { input, key: key() });
    expect(given.errors).toEqual([]);
    const grant = await exchange();
    expect(grant.scopes).toEqual(['tickets:read']);
    await expect(exchange({ scopes: ['orders:read'] })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      details: { layer: 'delegation', missingScopes: ['orders:read'] },
    });
    await expect(exchange({ task: undefined })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });

    const token = { token: await company.server.token(ines.id, grant.delegationId, grant.scopes) };
    expect(codes(await company.ask(token, '{ viewer { scopes } }'))).toEqual([]);
    const { id } = at(given, 'giveConsent.consent') as { id: string };
    const withdraw = `mutation ($id: ID!, $key: String!) { withdrawConsent(id: $id, idempotencyKey: $key) {
      consent { revokedAt } } }`;
    expect(codes(await company.ask(rosa, withdraw, { id, key: key() }))).toEqual(['NOT_FOUND']);
    const withdrawn = await company.ask(ines, withdraw, { id, key: key() });
    expect(at(withdrawn, 'withdrawConsent.consent.revokedAt')).toEqual(expect.any(String));
    expect(codes(await company.ask(token, '{ viewer { scopes } }'))).toEqual(['UNAUTHENTICATED']);
    await expect(exchange()).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('in the browser stores exactly what was offered', async () => {
    const june = await company.employee('june', 'support-rep');
    const grants = company.grants();
    const input = { userId: june.id, agentName: 'helper', scopes: ['tickets:read'] };
    const offer = await grants.consentOffer(input);
    const consent = (offered: typeof offer) =>
      company.do(({ tx }) =>
        grants.consent(tx, {
          ...input,
          offer: offered,
          choice: { scopes: ['tickets:read', 'orders:read'], boundary: {}, seconds: 3_600 },
        }),
      );
    expect(offer).toMatchObject({
      person: { name: 'june' },
      agent: { name: 'helper', ownerName: 'Employee rosa' },
      role: 'support-agent',
      scopes: [{ name: 'tickets:read', description: expect.any(String), changes: false }],
      lacking: [],
      boundary: [
        { dimension: 'customer', sentence: 'All customers' },
        { dimension: 'region', sentence: 'All regions' },
      ],
    });
    await consent(offer);
    const answer = await company.ask(june, '{ consents { nodes { scopes role { name } } } }');
    expect(nodesAt(answer, 'consents')).toEqual([
      { scopes: ['tickets:read'], role: { name: 'support-agent' } },
    ]);
    await expect(consent({ ...offer, boundary: [] })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await company.do(async ({ tx }) => {
      await tx.delete(userRoles, all(eq('userId', june.id)));
      await bumpEpoch(tx);
    });
    await expect(consent(offer)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('in the browser to less than before ends what goes beyond it, and is recorded', async () => {
    const lena = await company.employee('lena', 'support-rep');
    const { id: agentId } = await company.agent('runner', rosa, 'support-agent');
    const grants = company.grants();
    const consent = async (...scopes: string[]) => {
      const input = { userId: lena.id, agentName: 'runner', scopes };
      const offer = await grants.consentOffer(input);
      const choice = { scopes, boundary: {}, seconds: 7_200 };
      await company.do(({ tx }) => grants.consent(tx, { ...input, offer, choice }));
    };
    const exchange = (scopes: string[]) =>
      grants.exchangePersonToken({
        ...asked,
        userId: lena.id,
        agentId,
        agentGeneration: 0,
        personTokenScopes: scopes,
      });
    await consent('tickets:read', 'orders:read');
    const wide = await exchange(['tickets:read', 'orders:read']);
    const small = await exchange(['tickets:read']);
    await consent('tickets:read');
    const { read } = company.server.database;
    const statusOf = async ({ delegationId }: { delegationId: string }) =>
      (await read.byId(delegations, delegationId))?.status;
    expect([await statusOf(wide), await statusOf(small)]).toEqual(['revoked', 'active']);
    const records = await read.select(auditRecords, underDelegation(wide.delegationId));
    const bodies = records.map(({ body }) => JSON.parse(body) as { kind: string; changes: unknown[] });
    expect(bodies.filter(({ kind }) => kind === 'revocation')).toMatchObject([
      { changes: [{ before: { status: 'active' }, after: { status: 'revoked', endedBy: lena.id } }] },
    ]);
  });

  test('is for those who may hand over tasks', async () => {
    const { user } = await company.do((unit) => createUser(unit, { name: 'plain', displayName: 'Plain' }));
    await expect(
      company.grants().consentOffer({ userId: user.id, agentName: 'helper' }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

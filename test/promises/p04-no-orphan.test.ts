// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { agents, delegations, users, type DelegationRow } from '../../src/store/tables/identity.js';
import { eq } from '../../src/store/sql/condition.js';
import { at, codes, type Employee } from '../support/administration.js';
import { makeCase, taskScopes, type Case } from '../support/case.js';
import { given, Office } from '../support/office.js';
import { recordOf, recordsOf } from '../support/records.js';

const start = Date.parse('2026-03-02T08:00:00.000Z');
let office: Office;
let root: Employee;
let one: Case;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  office = await Office.start();
  root = office.company.root;
});
afterAll(async () => {
  await office.server.stop();
  vi.useRealTimers();
});
beforeEach(async () => {
  vi.setSystemTime(start);
  one = await makeCase(office);
});

const forward = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const query = 'query Customers { customers(first: 3) { totalCount nodes { id } } }';
const ask = (token: string | undefined, text = query) => office.server.query(token, text);

test('every operation of an agent is recorded with the person at the root of its chain', async () => {
  const { person, agent, next, token, nextToken, delegationId, nextDelegationId } = one;
  const reply = `mutation { replyToTicket(ticketId: "${office.ticketId}" body: "Hello." idempotencyKey: "k") { ticket { id } } }`;
  const texts = [
    query,
    reply,
    '{ viewer { person { id } } }',
    '{ nonsense }',
    '{ customers',
    reply.replace('Hello', 'Bye'),
  ];
  for (const acting of [token, nextToken]) {
    for (const text of texts) {
      const record = await recordOf(office.server.database, await ask(acting, text));
      const links = [
        { id: agent.id, name: agent.name, delegationId },
        { id: next.id, name: next.name, delegationId: nextDelegationId },
      ].slice(0, acting === token ? 1 : 2);
      expect(record.chain).toMatchObject({ person: { id: person.id }, agents: links });
      expect(record.delegation?.ids).toEqual(links.map((link) => link.delegationId).reverse());
      expect(record.authority?.layers[0]).toEqual({ layer: 'person', id: person.id });
    }
  }
  // Whatever was done by any agent, at either endpoint, names a person who exists.
  const people = new Set(
    (await office.server.database.read.select(users, { kind: 'all', of: [] })).map(({ id }) => id),
  );
  const acted = (await recordsOf(office.server.database)).filter(
    ({ kind, outcome, chain }) =>
      (chain?.agents.length ?? 0) > 0 && !(kind === 'token' && outcome === 'refused'),
  );
  expect(acted.length).toBeGreaterThan(texts.length * 2);
  for (const { chain } of acted) expect(people).toContain(chain?.person?.id);
  // And a person is at the root of every delegation.
  for (const row of await office.server.database.read.select(delegations, { kind: 'all', of: [] })) {
    expect(people).toContain(row.userId);
  }
});

describe('an agent without a delegation', () => {
  test('gets no token, whatever it asks with', async () => {
    const alone = await office.agent('alone', one.person, 'support-agent');
    const mine = await office.signIn(one.person);
    const task = { task: 'ticket:T-1', purpose: 'To see what is there' };
    const answers = [
      await office.post('/oauth/token', { grant_type: 'client_credentials' }, alone),
      await office.post('/oauth/token', { grant_type: 'client_credentials', scope: 'customers:read' }, alone),
      await office.requestToken(alone, ''),
      await office.requestToken(alone, '01J00000000000000000000000'),
      // Those of others are as good as none.
      await office.requestToken(alone, one.delegationId),
      await office.requestToken(one.next, one.delegationId),
      await office.requestToken(one.agent, one.nextDelegationId),
      // No consent of the person.
      await office.exchange(alone, mine.access_token, task),
      await office.post('/oauth/token', { grant_type: 'password', username: 'root', password: 'x' }, alone),
      await office.post(
        '/oauth/token',
        { grant_type: 'refresh_token', refresh_token: mine.refresh_token ?? '' },
        alone,
      ),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(400);
      expect(body.access_token).toBeUndefined();
    }
    expect(await office.server.database.read.count(delegations, eq('agentId', alone.id))).toBe(0);
  });

  test('gets no data with its own credentials', async () => {
    const alone = await office.agent('lonely', one.person, 'support-agent');
    const basic = Buffer.from(`${alone.name}:${alone.secret}`).toString('base64');
    for (const authorization of [
      `Basic ${basic}`,
      `Bearer ${alone.secret}`,
      `Bearer ${alone.id}`,
      `Bearer ${'x'.repeat(43)}`,
    ]) {
      const answer = await office.server.post(undefined, JSON.stringify({ query }), { authorization });
      expect(answer.status).toBe(401);
      expect(codes(answer)).toEqual(['UNAUTHENTICATED']);
      expect(answer.data).toBeUndefined();
    }
  });

  test.each([
    [
      'a delegation that is not there',
      () => office.server.token(one.person.id, '01J00000000000000000000000', taskScopes),
    ],
    ['a delegation of another person', () => office.server.token(root.id, one.delegationId, taskScopes)],
    [
      'a person who is not there',
      () => office.server.token('01J00000000000000000000000', one.delegationId, taskScopes),
    ],
    ['nobody', () => office.server.token('01J00000000000000000000000', undefined, taskScopes)],
  ])('gets no data by a token of %s, should one ever be stored', async (_, forge) => {
    const answer = await ask(await forge());
    expect(codes(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.data).toBeUndefined();
  });

  test('cannot hand anything on', async () => {
    await office.done(one.person, 'revokeDelegation', `id: "${one.delegationId}"`);
    const answer = await office.exchange(one.next, one.token);
    expect(answer.body.access_token).toBeUndefined();
  });
});

test('without its person no agent acts: not with its token, not with a new one, not by another agent', async () => {
  await office.done(root, 'disableUser', `id: "${one.person.id}"`);
  for (const token of [one.token, one.nextToken, one.person.token]) {
    expect(codes(await ask(token))).toEqual(['UNAUTHENTICATED']);
  }
  expect((await office.requestToken(one.agent, one.delegationId)).body).toMatchObject({
    error: 'invalid_grant',
  });
  expect((await office.requestToken(one.next, one.nextDelegationId)).body).toMatchObject({
    error: 'invalid_grant',
  });
  expect((await office.exchange(one.next, one.token)).body.access_token).toBeUndefined();
  // The delegation itself stands, and is the person's again with the account.
  await office.done(root, 'enableUser', `id: "${one.person.id}"`);
  expect(codes(await ask(await office.tokenOf(one.agent, one.delegationId)))).toEqual([]);
});

test('an agent has an owner who is there', async () => {
  const people = new Set(
    (await office.server.database.read.select(users, { kind: 'all', of: [] })).map(({ id }) => id),
  );
  for (const { ownerId } of await office.server.database.read.select(agents, { kind: 'all', of: [] })) {
    expect(people).toContain(ownerId);
  }
});

describe('an agent on a schedule', () => {
  const standing = (): Promise<string> =>
    office.delegate(one.person, {
      agent: one.agent.name,
      scopes: taskScopes,
      standing: true,
      task: 'report:daily',
    });
  const run = async (delegationId: string) => ask(await office.tokenOf(one.agent, delegationId));

  test('runs for as long as its role allows, with nobody there, and answers to its person', async () => {
    const delegationId = await standing();
    for (let hour = 0; hour < 24; hour += 8) {
      const answer = await run(delegationId);
      expect(answer.errors).toEqual([]);
      const record = await recordOf(office.server.database, answer);
      expect(record.chain?.person?.id).toBe(one.person.id);
      expect(record.delegation).toMatchObject({ id: delegationId, task: 'report:daily' });
      forward(8 * 3600);
    }
    expect((await office.requestToken(one.agent, delegationId)).body.access_token).toBeUndefined();
    // Its person finds all of it.
    const person = { token: await office.server.token(one.person.id, undefined) };
    const seen = await office.company.ask(
      person,
      `{ delegation(id: "${delegationId}") { status standing limits { operationsUsed } } }`,
    );
    expect(at(seen, 'delegation')).toEqual({
      status: 'EXPIRED',
      standing: true,
      limits: { operationsUsed: 3 },
    });
  });

  test.each([
    ['the person is disabled', () => office.done(root, 'disableUser', `id: "${one.person.id}"`)],
    [
      'the person loses the right',
      () => office.done(root, 'unassignRole', `userId: "${one.person.id}" roleId: "${one.personRoleId}"`),
    ],
    ['the person ends it', (id: string) => office.done(one.person, 'revokeDelegation', `id: "${id}"`)],
    ['the agent is stopped', () => office.done(root, 'stopAgent', `id: "${one.agent.id}"`)],
  ])('ends when %s', async (_, end) => {
    const delegationId = await standing();
    const token = await office.tokenOf(one.agent, delegationId);
    expect(codes(await ask(token))).toEqual([]);
    await end(delegationId);
    const answer = await ask(token);
    expect(codes(answer)).not.toEqual([]);
    expect(JSON.stringify(answer.data ?? null)).not.toContain('nodes');
    const anew = await office.requestToken(one.agent, delegationId);
    const row: DelegationRow | undefined = await office.server.database.read.byId(delegations, delegationId);
    if (anew.body.access_token !== undefined) {
      // The delegation stands, for when the person has the right again; until then it reaches nothing.
      expect(row?.status).toBe('active');
      expect(codes(await ask(given(anew)))).toEqual(['FORBIDDEN']);
    }
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditBody } from '../../src/audit/record.js';
import { delegations } from '../../src/store/tables/identity.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { at, key, type Employee } from '../support/administration.js';
import { Office, type Agent } from '../support/office.js';
import { recordOf, recordsOf } from '../support/records.js';
import { TestServer } from '../support/server.js';
import { CodeFlow } from './oauth/browser.js';

describe.each([
  ['0', '127.0.0.1'],
  ['1', '198.51.100.7'],
  ['2', '203.0.113.9'],
])('behind %s trusted proxies', (proxies, address) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({}, { BEHALF_TRUSTED_PROXIES: proxies });
  });
  afterAll(() => server.stop());

  /** The client wrote the first; the outer proxy saw the second, and the inner one the outer proxy. */
  const forwarded = { 'x-forwarded-for': `10.0.0.1, 203.0.113.9${proxies === '0' ? '' : ', 198.51.100.7'}` };

  test('the record of an operation names the address that they saw', async () => {
    const { token } = await server.person({ scopes: ['customers:read'] });
    const body = JSON.stringify({ query: '{ viewer { scopes } }' });
    const answer = await server.post(token, body, forwarded);
    expect((await recordOf(server.database, answer)).source.address).toBe(address);
  });

  test('the record of a stranger does', async () => {
    const answer = await server.post('x'.repeat(43), '{}', forwarded);
    expect(answer.status).toBe(401);
    const records = await recordsOf(server.database, 'rejected');
    expect(records.map(({ source }) => source.address)).toEqual([address]);
  });

  test('the record of a refused token request does', async () => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'nobody',
      client_secret: 'x',
    });
    const refused = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      body: form,
      headers: forwarded,
    });
    expect(refused.status).toBe(401);
    const records = await recordsOf(server.database, 'token');
    expect(records.map(({ source }) => source.address)).toEqual([address]);
  });

  test('the record of a refused sign-in does', async () => {
    const flow = await CodeFlow.start({ issuer: server.url });
    const page = await flow.browser.open(flow.url.href);
    await flow.browser.submit(page, { username: 'nobody', password: 'wrong' }, forwarded);
    const records = await recordsOf(server.database, 'sign_in');
    expect(records.map(({ source, outcome }) => [source.address, outcome])).toEqual([[address, 'refused']]);
  });
});

describe('who is refused', () => {
  let now = Date.parse('2026-06-30T12:00:00.000Z');
  let office: Office;
  let rosa: Employee;
  let agent: Agent;
  let next: Agent;
  let delegationId: string;
  let token: string;

  beforeAll(async () => {
    office = await Office.start({ clock: { now: () => now } });
    rosa = await office.company.employee('rosa', 'support-rep');
    agent = await office.agent('helper', rosa, 'support-agent');
    next = await office.agent('second', rosa, 'support-agent');
  });
  afterAll(() => office.server.stop());
  beforeEach(async () => {
    now += 61_000;
    delegationId = await office.delegate(rosa, {
      agent: 'helper',
      scopes: ['tickets:read', 'customers:read'],
    });
    token = await office.tokenOf(agent, delegationId);
  });

  const look = (as: string) => office.server.query(as, '{ viewer { scopes } }');
  const records = (kind: AuditBody['kind']) => recordsOf(office.server.database, kind);

  test('with a token of an ended delegation is named in a record of that request', async () => {
    await office.server.endDelegation(delegationId);
    const answer = await look(token);
    expect(answer.status).toBe(401);
    const record = await recordOf(office.server.database, answer);
    expect(answer.errors[0]?.extensions.operationId).toBe(record.operationId);
    expect(record).toMatchObject({
      kind: 'rejected',
      outcome: 'refused',
      chain: {
        person: { id: rosa.id, name: 'rosa' },
        agents: [{ id: agent.id, name: 'helper', delegationId }],
      },
      delegation: { id: delegationId, task: 'ticket:T-1' },
    });
  });

  test('of strangers is counted, and recorded together', async () => {
    const before = (await records('rejected')).length;
    for (let n = 0; n < 20; n += 1)
      expect((await look(`${'x'.repeat(40)}${String(n + 100)}`)).status).toBe(401);
    const first = (await records('rejected')).slice(before);
    expect(first.map(({ detail }) => detail)).toEqual([{ requests: { UNAUTHENTICATED: 1 } }]);
    now += 61_000;
    await look('y'.repeat(43));
    const later = (await records('rejected')).slice(before + 1);
    expect(later.map(({ detail }) => detail)).toEqual([
      { requests: { UNAUTHENTICATED: 19 } },
      { requests: { UNAUTHENTICATED: 1 } },
    ]);
    for (const { chain } of [...first, ...later]) expect(chain).toBeNull();
  });

  test('as a proven agent without a task of its own is named all the same, and can be read', async () => {
    const { status } = await office.requestToken(next, delegationId);
    expect(status).toBe(400);
    const record = (await records('token')).at(-1);
    expect(record).toMatchObject({
      outcome: 'refused',
      chain: { person: null, agents: [{ name: 'second' }] },
    });
    const filter = `filter: { agentId: "${next.id}" }`;
    const auditor = await office.company.employee('ada', 'auditor');
    const read = await office.company.ask(
      auditor,
      `{ auditRecords(${filter}) { nodes { id chain { person { name } agents { name } } } } }`,
    );
    expect(read.errors).toEqual([]);
    expect(at(read, 'auditRecords.nodes')).toEqual([
      { id: record?.operationId, chain: { person: null, agents: [{ name: 'second' }] } },
    ]);
  });

  test('as somebody else who says an agent’s name is nobody', async () => {
    const wrong = await office.requestToken({ ...next, secret: 'wrong' }, delegationId);
    expect([wrong.status, wrong.body.error]).toEqual([401, 'invalid_client']);
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: next.name });
    const headers = { 'oauth-client-attestation-pop': 'x' };
    await fetch(`${office.server.url}/oauth/token`, { method: 'POST', body: form, headers });
    for (const record of (await records('token')).slice(-2)) {
      expect(record).toMatchObject({ outcome: 'refused', chain: null, detail: { clientName: 'second' } });
    }
  });

  describe('an exchange', () => {
    const children = () => office.server.database.read.select(delegations, eq('parentId', delegationId));

    test('leaves a record of the delegation that it made, beside that of its token', async () => {
      const answer = await office.exchange(next, token);
      expect(answer.status).toBe(200);
      const [made] = await children();
      const told = (await records('token')).filter(({ delegation }) => delegation?.id === made?.id);
      expect(told.map(({ outcome, changes }) => [outcome, changes.length])).toEqual([
        ['succeeded', 1],
        ['succeeded', 0],
      ]);
      expect(told[0]).toMatchObject({
        chain: { person: { name: 'rosa' }, agents: [{ name: 'helper' }, { name: 'second' }] },
        changes: [
          {
            type: 'Delegation',
            id: made?.id,
            before: null,
            after: { parentId: delegationId, agentId: next.id },
          },
        ],
      });
    });

    test('leaves no delegation where no record can be written', async () => {
      const { database } = office.server;
      const run = (sql: string) => database.transaction((tx) => tx.query(sql));
      const before = await database.read.count(delegations, all());
      await run('ALTER TABLE behalf_audit_records RENAME TO audit_lost');
      const answer = await office
        .exchange(next, token)
        .finally(() => run('ALTER TABLE audit_lost RENAME TO behalf_audit_records'));
      expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable']);
      expect(await database.read.count(delegations, all())).toBe(before);
      expect((await office.exchange(next, token, {}, { request_id: key() })).status).toBe(200);
    });
  });
});

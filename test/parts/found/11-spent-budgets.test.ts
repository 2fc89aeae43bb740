// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/digest.js';
import { bumpEpoch } from '../../../src/delegation/authority-epoch.js';
import { eq } from '../../../src/store/sql/condition.js';
import { delegations } from '../../../src/store/tables/identity.js';
import { BusinessRows } from '../../support/business.js';
import { recordOf } from '../../support/records.js';
import { TestServer, type AgentFixture, type Answer, type PersonFixture } from '../../support/server.js';
import { naming, statementsOf } from '../../support/statements.js';

const scopes = ['customers:read', 'tickets:read', 'tickets:reply'];
const list = 'query Some { customers(first: 1) { nodes { id } totalCount } }';

let server: TestServer;
let rosa: PersonFixture;
let ticketId: string;

beforeAll(async () => {
  server = await TestServer.start();
  rosa = await server.person({ scopes });
  const rows = new BusinessRows(server);
  ticketId = (await rows.ticket('T-1', await rows.customer('C-1', 'europe'))).id;
});
afterAll(() => server.stop());

const agentWith = (budget: { operationsMax?: number; rowsMax?: number }): Promise<AgentFixture> =>
  server.agent(rosa, { scopes }, { scopes, ...budget });
let keys = 0;
const reply = (): string =>
  `mutation Some { replyToTicket(ticketId: "${ticketId}", body: "b", idempotencyKey: "k-${String((keys += 1))}") { ticket { id } } }`;

/** Refused by name and recorded, without one statement that reads what it asks for. */
async function isNoticed(agent: AgentFixture, query: string, limit: string): Promise<string[]> {
  let answer: Answer | undefined;
  const before = await server.database.read.byId(delegations, agent.delegationId);
  const statements = await statementsOf(async () => {
    answer = await server.post(agent.token, JSON.stringify({ query, operationName: 'Some' }));
  });
  expect(answer?.errors.map(({ extensions }) => [extensions.code, extensions.limit])).toEqual([
    ['LIMIT_EXCEEDED', limit],
  ]);
  expect(answer?.data ?? null).toBeNull();
  for (const table of ['customers', 'tickets', 'ticket_messages', 'idempotency_keys'])
    expect(naming(statements, table)).toEqual([]);
  expect(naming(statements, 'delegations').filter((sql) => sql.startsWith('UPDATE'))).toEqual([]);
  expect(await recordOf(server.database, answer as Answer)).toMatchObject({
    outcome: 'refused',
    errors: [{ code: 'LIMIT_EXCEEDED' }],
    operation: { name: 'Some', documentHash: sha256(query) },
    delegation: { id: agent.delegationId },
    rowCount: 0,
  });
  expect(await server.database.read.byId(delegations, agent.delegationId)).toEqual(before);
  return statements;
}

describe('11 a spent budget is noticed before anything runs', () => {
  test.each([
    ['operations', { operationsMax: 1 }],
    ['rows', { rowsMax: 1 }],
  ])('by the very next operation after the last of its %s', async (limit, budget) => {
    const agent = await agentWith(budget);
    expect((await server.query(agent.token, list)).errors).toEqual([]);
    for (const query of [list, reply(), '{ viewer { scopes } } query Some { __typename }'])
      await isNoticed(agent, query, limit);
  });

  test('where a mutation spent the last', async () => {
    const agent = await agentWith({ operationsMax: 1 });
    expect((await server.query(agent.token, reply())).errors).toEqual([]);
    await isNoticed(agent, reply(), 'operations');
  });

  test('with a new token, at another server, and when rights have changed elsewhere', async () => {
    const agent = await agentWith({ operationsMax: 1 });
    expect((await server.query(agent.token, list)).errors).toEqual([]);
    const token = await server.token(rosa.id, agent.delegationId, scopes);
    await isNoticed({ ...agent, token }, list, 'operations');
    await server.database.transaction(bumpEpoch);
    await isNoticed(agent, list, 'operations');
    const replica = await server.replica();
    try {
      const statements = await statementsOf(async () => {
        const answer = await replica.query(agent.token, list);
        expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['LIMIT_EXCEEDED']);
      });
      expect(naming(statements, 'customers')).toEqual([]);
    } finally {
      await replica.app.close();
      await replica.database.close();
    }
  });

  test('for the same few statements, whatever is asked', async () => {
    const agent = await agentWith({ operationsMax: 1 });
    expect((await server.query(agent.token, list)).errors).toEqual([]);
    const small = await isNoticed(agent, 'query Some { viewer { scopes } }', 'operations');
    const aliases = Array.from(
      { length: 40 },
      (_, at) => `a${String(at)}: customers(first: 1000) { totalCount }`,
    );
    const large = await isNoticed(agent, `query Some { ${aliases.join(' ')} }`, 'operations');
    // What the server does beside its requests may come in between.
    const about = (statements: readonly string[]): string[] =>
      ['delegations', 'authority_epoch', 'audit_records'].flatMap((table) => naming(statements, table));
    expect(new Set(about(large))).toEqual(new Set(about(small)));
    expect(about(small).length).toBeLessThanOrEqual(8);
  });

  test('and no longer where there is more again', async () => {
    const agent = await agentWith({ operationsMax: 1 });
    expect((await server.query(agent.token, list)).errors).toEqual([]);
    await isNoticed(agent, list, 'operations');
    await server.database.transaction(async (tx) => {
      await tx.update(delegations, eq('id', agent.delegationId), { operationsMax: 5 });
      await bumpEpoch(tx);
    });
    expect((await server.query(agent.token, list)).errors).toEqual([]);
  });
});

// databases: sqlite, mariadb
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CustomerRow, TicketRow } from '../../src/domains/business/tables.js';
import { emptyBody } from '../../src/audit/record.js';
import { isoTime } from '../../src/core/clock.js';
import { Authorities } from '../../src/delegation/authorities.js';
import { bumpEpoch, AuthorityEpoch } from '../../src/delegation/authority-epoch.js';
import { CommitGate } from '../../src/delegation/commit-gate.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import { CommitLost } from '../../src/store/sql/database.js';
import { roles } from '../../src/store/tables/identity.js';
import { at, codes, key } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { codesOf, digestOf } from '../support/faults.js';
import { recordOf } from '../support/records.js';
import {
  everywhere,
  TestServer,
  withoutBackgroundJobs,
  type Answer,
  type PersonFixture,
} from '../support/server.js';
import { naming, statementsOf } from '../support/statements.js';

let server: TestServer;
const customers: CustomerRow[] = [];
let ticket: TicketRow;

beforeAll(async () => {
  server = await TestServer.start(withoutBackgroundJobs);
  const rows = new BusinessRows(server);
  for (let n = 0; n < 6; n += 1) {
    const customer = await rows.customer(`C-${String(n)}`, 'europe');
    customers.push(customer);
    for (let order = 0; order < n; order += 1) await rows.order(`O-${String(n)}-${String(order)}`, customer);
    ticket = await rows.ticket(`T-${String(n)}`, customer);
  }
});
afterAll(() => server.stop());

const onlyCustomer = (): { customer: string[] } & typeof everywhere => ({
  ...everywhere,
  customer: [customers[0]?.id ?? ''],
});
const bump = (): Promise<void> => server.database.transaction(bumpEpoch);
const listing = '{ customers { nodes { number } totalCount } }';

describe('a scope that one role holds with approval and another without', () => {
  /** A role that holds customers everywhere, once someone has approved. */
  async function giveApprovalRole({ id }: PersonFixture): Promise<void> {
    const roleId = await server.giveRole(id, { scopes: ['customers:read'] });
    await server.database.transaction(async (tx) => {
      await tx.update(roles, eq('id', roleId), { approvalScopes: ['customers:read'] });
      await bumpEpoch(tx);
    });
  }

  test('reaches only what the second reaches', async () => {
    const person = await server.person({ scopes: ['customers:read'], boundary: onlyCustomer() });
    await giveApprovalRole(person);
    const answer = await server.query(person.token, listing);
    expect([answer.errors, answer.data]).toEqual([
      [],
      { customers: { nodes: [{ number: 'C-0' }], totalCount: 1 } },
    ]);
    const [, other] = customers;
    const one = await server.query(person.token, `{ customer(id: "${other?.id ?? ''}") { number } }`);
    expect(one.data).toEqual({ customer: null });
  });

  test('reaches nothing by the first alone', async () => {
    const person = await server.person({ scopes: ['tickets:read'] });
    await giveApprovalRole(person);
    const answer = await server.query(person.token, listing);
    expect(answer.data).toEqual({ customers: null });
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
  });
});

const onlyRegions = (): typeof everywhere => ({ ...everywhere, region: ['europe', 'north-america'] });

describe.each([
  ['customers', onlyCustomer],
  ['regions', onlyRegions],
])('statistics inside a boundary of %s', (_, chosen) => {
  const scopes = ['analytics:sales', 'analytics:tickets'];
  const range = 'from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z", bucket: YEAR';
  const fields = [
    'salesByPeriod',
    'salesByCategory',
    'salesByRegion',
    'ticketVolumes',
    'ticketVolumesByCategory',
  ];
  const query = `{ ${fields.map((field) => `${field}(${range}) { suppressed }`).join(' ')} }`;

  const layers: readonly (readonly [string, () => Promise<{ token: string }>])[] = [
    ['person', () => server.person({ scopes, boundary: chosen() })],
    ['person', async () => server.agent(await server.person({ scopes, boundary: chosen() }), { scopes })],
    [
      'agent',
      async () =>
        server.agent(
          await server.person({ scopes }),
          { scopes, boundary: chosen() },
          { scopes, boundary: everywhere },
        ),
    ],
    [
      'delegation',
      async () => server.agent(await server.person({ scopes }), { scopes }, { scopes, boundary: chosen() }),
    ],
  ];

  test.each(layers)('are refused, and the %s named', async (layer, caller) => {
    const answer = await server.query((await caller()).token, query);
    expect(answer.data).toEqual(Object.fromEntries(fields.map((field) => [field, null])));
    expect(answer.errors).toHaveLength(fields.length);
    for (const { extensions } of answer.errors)
      expect(extensions).toMatchObject({ code: 'FORBIDDEN', layer });
  });

  test('are told where all customers are inside it', async () => {
    const { token } = await server.agent(await server.person({ scopes }), { scopes });
    expect((await server.query(token, query)).errors).toEqual([]);
  });
});

describe('while rights change all the time', () => {
  /** Moves the version after each of the server's looks at it, so that what it has seen is never the latest. */
  function moveAfterEachLook(movesMax: number): { moves: number } {
    const { read } = server.app.database;
    const query = read.query.bind(read);
    const moved = { moves: 0 };
    vi.spyOn(read, 'query').mockImplementation(async (sql, params) => {
      const rows = await query(sql, params);
      if (naming([sql], 'authority_epoch').length > 0 && moved.moves < movesMax) {
        moved.moves += 1;
        await bump();
      }
      return rows;
    });
    return moved;
  }
  afterEach(() => vi.restoreAllMocks());

  test('queries are still answered, after a few looks', async () => {
    const person = await server.person({ scopes: ['customers:read'] });
    const agent = await server.agent(person, { scopes: ['customers:read'] });
    for (const { token } of [person, agent]) {
      const moved = moveAfterEachLook(100);
      const answer = await server.query(token, listing);
      vi.restoreAllMocks();
      expect([answer.errors, answer.data?.customers.totalCount]).toEqual([[], 6]);
      expect(moved.moves).toBeGreaterThan(0);
      expect(moved.moves).toBeLessThan(10);
    }
  });

  test('so are many at once', async () => {
    const person = await server.person({ scopes: ['customers:read'] });
    const agent = await server.agent(person, { scopes: ['customers:read'] });
    const asking = { isDone: false };
    const changes = (async () => {
      for (let n = 0; n < 1_000 && !asking.isDone; n += 1) await bump();
    })();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => server.query(n % 2 === 0 ? person.token : agent.token, listing)),
    );
    asking.isDone = true;
    await changes;
    for (const answer of answers) expect([answer.errors, answer.data?.customers.totalCount]).toEqual([[], 6]);
  });

  test('a mutation that ends its own rights succeeds, also when others changed before it began', async () => {
    const person = await server.person({ scopes: ['customers:read'] });
    const { token, delegationId } = await server.agent(person, { scopes: ['customers:read'] });
    const { database } = server.app;
    const transaction = database.transaction.bind(database);
    vi.spyOn(database, 'transaction').mockImplementationOnce(async (work) => {
      await bump();
      return transaction(work);
    });
    const complete = `mutation { completeTask(idempotencyKey: "${key()}") { delegationId } }`;
    const answer = await server.query(token, complete);
    expect([answer.errors, answer.data]).toEqual([[], { completeTask: { delegationId } }]);
    expect((await recordOf(server.database, answer)).outcome).toBe('succeeded');
    expect((await server.query(token, listing)).status).toBe(401);
  });

  test('several that end their own rights at once all succeed', async () => {
    const person = await server.person({ scopes: ['customers:read'] });
    const agents = [];
    for (let n = 0; n < 4; n += 1) agents.push(await server.agent(person, { scopes: ['customers:read'] }));
    for (const { token } of agents) expect((await server.query(token, listing)).errors).toEqual([]);
    await bump();
    // Each of them changes rights under the eyes of the others.
    const answers = await Promise.all(
      agents.map(({ token }) =>
        server.query(token, `mutation { completeTask(idempotencyKey: "${key()}") { delegationId } }`),
      ),
    );
    expect(answers.map((answer) => [answer.errors, at(answer, 'completeTask.delegationId')])).toEqual(
      agents.map(({ delegationId }) => [[], delegationId]),
    );
    for (const answer of answers) expect((await recordOf(server.database, answer)).outcome).toBe('succeeded');
    for (const { token } of agents) expect((await server.query(token, listing)).status).toBe(401);
  });

  test('operations of one token that are recorded together are looked at once', async () => {
    const person = await server.person({ scopes: ['customers:read'] });
    const { database, clock, ids } = server;
    const authorities = new Authorities(database.read, new AuthorityEpoch(database.read), clock, new Set());
    const of = {
      tokenId: 'tok_x',
      userId: person.id,
      scopes: ['customers:read'],
      expiresAt: clock.now() + 60_000,
    };
    const inside = (tx: Connection) => authorities.resolveInside(tx, of);
    const authority = await inside(database.read);
    await bump();
    const look = vi.fn(inside);
    const commitGate = new CommitGate(database, clock);
    const record = () => ({
      ...emptyBody,
      operationId: ids.next(),
      at: isoTime(clock.now()),
      kind: 'graphql' as const,
      outcome: 'succeeded' as const,
    });
    const refusals = await Promise.all(
      Array.from({ length: 40 }, () => commitGate.release({ authority, look, rows: 0, record })),
    );
    expect(refusals).toEqual(Array(40).fill(undefined));
    // What comes in one turn of the event loop goes together.
    expect(look).toHaveBeenCalledTimes(1);
  });
});

test('the totals of a relation are counted for all parents by one statement', async () => {
  const { token } = await server.person({ scopes: ['customers:read', 'orders:read', 'tickets:read'] });
  let answer: Answer | undefined;
  const statements = await statementsOf(async () => {
    answer = await server.query(
      token,
      '{ customers { nodes { number orders(first: 1) { totalCount } tickets { totalCount } } } }',
    );
  });
  expect(answer?.errors).toEqual([]);
  expect(answer?.data.customers.nodes).toEqual(
    customers.map(({ number }, n) => ({ number, orders: { totalCount: n }, tickets: { totalCount: 1 } })),
  );
  const counting = statements.filter((sql) => sql.includes('COUNT(*)'));
  expect([naming(counting, 'orders').length, naming(counting, 'tickets').length]).toEqual([1, 1]);
});

describe('a COMMIT that nobody acknowledged', () => {
  afterEach(() => vi.restoreAllMocks());
  const reply = `mutation ($id: ID!, $key: String!) {
    replyToTicket(ticketId: $id, body: "Hello", idempotencyKey: $key) { ticket { number } message { body } } }`;
  const ask = async (idempotencyKey: string): Promise<Answer> => {
    const { token } = await server.person({ scopes: ['tickets:read', 'tickets:reply'] });
    return server.query(token, reply, { id: ticket.id, key: idempotencyKey });
  };
  const lost = (): CommitLost => new CommitLost('COMMIT was not acknowledged');

  test('and was done is answered as what it is', async () => {
    const { database } = server.app;
    const transaction = database.transaction.bind(database);
    vi.spyOn(database, 'transaction').mockImplementationOnce(async (work) => {
      await transaction(work);
      throw lost();
    });
    const answer = await ask(key());
    expect([answer.status, answer.errors]).toEqual([200, []]);
    expect(at(answer, 'replyToTicket')).toMatchObject({ ticket: { number: ticket.number } });
    expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'succeeded' });
  });

  test('and was not done is an error, and nothing has changed', async () => {
    const { database } = server.app;
    const transaction = database.transaction.bind(database);
    const person = await server.person({ scopes: ['tickets:read', 'tickets:reply'] });
    const before = await digestOf(server.database);
    vi.spyOn(database, 'transaction').mockImplementationOnce((work) =>
      transaction(async (tx) => {
        await work(tx);
        throw lost();
      }),
    );
    const again = key();
    const once = () => server.query(person.token, reply, { id: ticket.id, key: again });
    const answer = await once();
    expect(codes(answer)).toEqual(['INTERNAL']);
    expect(await digestOf(server.database)).toBe(before);
    expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'failed', changes: [] });
    expect((await once()).errors).toEqual([]);
  });
});

// databases: sqlite, mariadb
import { afterEach, describe, expect, test } from 'vitest';
import type { Resolver } from '../../src/delegation/resolver-context.js';
import { customers, ticketMessages, tickets } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { codes } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { testDatabase } from '../support/database.js';
import { Gate, gatedParts } from '../support/gate.js';
import { installedDomains } from '../support/installed.js';
import { metric } from '../support/metrics.js';
import { recordOf } from '../support/records.js';
import { TestServer, type Answer } from '../support/server.js';
import { naming, statementsOf } from '../support/statements.js';

let server: TestServer;
afterEach(() => server.stop());

const scopes = ['customers:read', 'orders:read', 'tickets:read', 'tickets:reply'];
const limitOf = ({ errors }: Answer): unknown => errors[0]?.extensions.limit;

describe('an operation that takes too long', () => {
  const query = '{ customers { nodes { id orders { nodes { id } } } } }';

  test('asks the database for nothing more, and says so', async () => {
    const gate = new Gate();
    let now = Date.now();
    server = await TestServer.start({ ...gatedParts(gate), clock: { now: () => now } });
    const rows = new BusinessRows(server);
    await rows.order('O-1', await rows.customer('C-1', 'europe'));
    const { token } = await server.person({ scopes });
    const asking = async (seconds: number): Promise<{ answer: Answer; statements: string[] }> => {
      let answer: Answer | undefined;
      const statements = await statementsOf(async () => {
        const held = gate.arm();
        const asked = server.query(token, query);
        await held.arrived;
        now += seconds * 1000;
        held.open();
        answer = await asked;
      });
      return { answer: answer as Answer, statements: naming(statements, 'orders') };
    };
    const inTime = await asking(30);
    expect([inTime.answer.errors, inTime.statements.length]).toEqual([[], 1]);
    const { answer, statements } = await asking(31);
    expect(statements).toEqual([]);
    expect(codes(answer)).toEqual(['LIMIT_EXCEEDED']);
    expect(limitOf(answer)).toBe('time');
    expect(await recordOf(server.database, answer)).toMatchObject({ errors: [{ code: 'LIMIT_EXCEEDED' }] });
  });
});

/** SQLite answers in this very process: there is no connection to free. */
const slowStatements = (): void => {
  const sleep: Resolver = (_parent, _args, { rows }) =>
    rows.list(customers, { where: { kind: 'sql', sql: { text: 'SLEEP(60) = 1', params: [] } } });
  const slow = installedDomains().map((domain) => {
    const own = domain.resolvers.Query;
    return own?.customers === undefined
      ? domain
      : { ...domain, resolvers: { ...domain.resolvers, Query: { ...own, customers: sleep } } };
  });
  const env = { BEHALF_STATEMENT_SECONDS: '1', BEHALF_POOL_SIZE: '3' };
  const used = (): Promise<number> => metric(server.url, 'behalf_database_connections{state="used"}');

  test('a slow query is ended in the database, and others are served meanwhile', async () => {
    server = await TestServer.start({ domains: slow }, env);
    await new BusinessRows(server).customer('C-1', 'europe');
    const { token } = await server.person({ scopes });
    let pending = 2;
    const slowly = [1, 2].map(() =>
      server.query(token, '{ customers { nodes { id } } }').finally(() => (pending -= 1)),
    );
    await expect.poll(used).toBe(2);
    expect((await server.query(token, '{ viewer { scopes } }')).errors).toEqual([]);
    expect(pending).toBe(2);
    for (const answer of await Promise.all(slowly)) {
      expect(codes(answer)).toEqual(['LIMIT_EXCEEDED']);
      expect(limitOf(answer)).toBe('time');
      expect(answer.data).toEqual({ customers: null });
      expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'refused' });
    }
    await expect.poll(used).toBe(0);
    const sleeping = await server.database.read.query(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE '%SLEEP(60)%' AND id <> CONNECTION_ID()",
    );
    expect(Number(sleeping[0]?.n)).toBe(0);
  });

  test('a mutation that waits for a lock is ended, changes nothing, and can be made again', async () => {
    server = await TestServer.start({}, env);
    const rows = new BusinessRows(server);
    const ticket = await rows.ticket('T-1', await rows.customer('C-1', 'europe'));
    const { token } = await server.person({ scopes });
    const reply = `mutation { replyToTicket(ticketId: "${ticket.id}", body: "Hello", idempotencyKey: "k") { message { id } } }`;
    let answer: Answer | undefined;
    await server.database.transaction(async (tx) => {
      await tx.one(tickets, eq('id', ticket.id), { lock: 'update' });
      answer = await server.query(token, reply);
    });
    expect(codes(answer as Answer)).toEqual(['LIMIT_EXCEEDED']);
    expect(limitOf(answer as Answer)).toBe('time');
    expect(await server.database.read.count(ticketMessages)).toBe(0);
    await expect.poll(used).toBe(0);
    expect((await server.query(token, reply)).errors).toEqual([]);
    expect(await server.database.read.count(ticketMessages)).toBe(1);
  });

  test('statements that find too many waiting for a connection are refused at once', async () => {
    const tight = { BEHALF_POOL_SIZE: '2', BEHALF_POOL_QUEUE_MAX: '1' };
    server = await TestServer.start({ domains: slow }, { ...env, ...tight });
    await new BusinessRows(server).customer('C-1', 'europe');
    const { token } = await server.person({ scopes });
    const five = ['a', 'b', 'c', 'd', 'e'].map((alias) => `${alias}: customers { nodes { id } }`);
    const answer = await server.query(token, `{ ${five.join(' ')} }`);
    expect(new Set(codes(answer))).toEqual(new Set(['LIMIT_EXCEEDED']));
    const limits = answer.errors.map(({ extensions }) => extensions.limit);
    expect(limits.sort()).toEqual(['load', 'load', 'time', 'time', 'time']);
    expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'refused' });
    expect((await server.query(token, '{ viewer { scopes } }')).errors).toEqual([]);
  });
};

if (testDatabase() === 'mariadb') describe('a statement that takes too long', slowStatements);

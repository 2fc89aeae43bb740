// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditRecords } from '../../src/store/tables/audit.js';
import { codes } from '../support/administration.js';
import { testDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { metric, metricsOf } from '../support/metrics.js';
import { addRegions } from '../support/regions.js';
import { TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

let server: TestServer;
let person: PersonFixture;
let agent: AgentFixture;

beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  const scopes = ['customers:read', 'tickets:read', 'tickets:reply'];
  person = await server.person({ scopes });
  agent = await server.agent(person, { scopes }, { scopes: ['customers:read'] });
});
afterAll(() => server.stop());

const told = (name: string): Promise<number> => metric(server.url, name);
const query = '{ customers { nodes { id } } }';
const succeeded = 'behalf_operations_total{type="query",outcome="succeeded",code="none"}';

describe('metrics', () => {
  test('count operations by type, outcome and code, and their time', async () => {
    const before = await told(succeeded);
    for (const asked of [query, query, '{ tickets { nodes { id } } }', '{ nonsense }', '{']) {
      await server.query(agent.token, asked);
    }
    const reply =
      'mutation { replyToTicket(ticketId: "x", body: "b", idempotencyKey: "k") { ticket { id } } }';
    await server.query(person.token, reply);
    expect((await told(succeeded)) - before).toBe(2);
    const refused = { type: 'query', outcome: 'refused', code: 'FORBIDDEN' };
    const failed = { type: 'mutation', outcome: 'failed', code: 'NOT_FOUND' };
    const bad = { type: 'none', outcome: 'failed', code: 'BAD_USER_INPUT' };
    const counted = await Promise.all(
      [refused, failed, bad].map(({ type, outcome, code }) =>
        told(`behalf_operations_total{type="${type}",outcome="${outcome}",code="${code}"}`),
      ),
    );
    expect(counted).toEqual([1, 1, 2]);
    expect(await told('behalf_operation_duration_seconds_count{type="query"}')).toBe(before + 3);
  });

  test('count what was allowed, and refusals by reason and layer', async () => {
    const denied = (await metricsOf(server.url))
      .split('\n')
      .filter((line) => line.startsWith('behalf_decisions_total{decision="deny"'));
    expect(denied).toHaveLength(1);
    expect(denied[0]).toMatch(/reason="\w+",layer="delegation"} 1$/);
    expect(await told('behalf_decisions_total{decision="allow",reason="none",layer="none"}')).toBeGreaterThan(
      1,
    );
  });

  test('count an operation whose record could not be written as that, and as nothing else', async () => {
    const before = await told(succeeded);
    const run = (sql: string) => server.database.transaction((tx) => tx.query(sql));
    await run('ALTER TABLE behalf_audit_records RENAME TO audit_lost');
    const answer = await server.query(agent.token, query);
    await run('ALTER TABLE audit_lost RENAME TO behalf_audit_records');
    expect(codes(answer)).toEqual(['AUDIT_UNAVAILABLE']);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await told(succeeded)).toBe(before);
    expect(
      await told('behalf_operations_total{type="query",outcome="failed",code="AUDIT_UNAVAILABLE"}'),
    ).toBe(1);
  });

  test('count requests that nobody is known by', async () => {
    const name = 'behalf_requests_rejected_total{reason="unauthenticated"}';
    const before = await told(name);
    await server.query('x'.repeat(43), query);
    await server.query(undefined, query);
    expect(await told(name)).toBe(before + 2);
  });

  test('tell the state of queues, caches and the pool, and how commits and reads of the version go', async () => {
    await server.query(agent.token, query);
    expect(await told('behalf_operations_running')).toBe(0);
    expect(await told('behalf_operations_waiting')).toBe(0);
    expect(await told('behalf_records_waiting')).toBe(0);
    for (const cache of ['authorities', 'compiled_documents']) {
      expect(await told(`behalf_cache_entries{cache="${cache}"}`)).toBeGreaterThan(0);
      const hits = `behalf_cache_requests_total{cache="${cache}",result="hit"}`;
      const before = await told(hits);
      await server.query(agent.token, query);
      expect(await told(hits)).toBe(before + 1);
    }
    for (const cache of ['views', 'parsed_documents']) {
      expect(await told(`behalf_cache_entries{cache="${cache}"}`)).toBeGreaterThan(0);
    }
    expect(await told('behalf_cache_entries{cache="marked_schemas"}')).toBe(0);
    expect(await told('behalf_record_commit_duration_seconds_count')).toBeGreaterThan(0);
    expect(await told('behalf_record_commit_records_sum')).toBeGreaterThan(0);
    expect(await told('behalf_epoch_read_duration_seconds_count')).toBeGreaterThan(0);
    expect(await told('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    const text = await metricsOf(server.url);
    expect(text).toMatch(/^behalf_build_info\{version="\d+\.\d+\.\d+[^"]*",node="[\d.]+"\} 1$/m);
    const isPooled = testDatabase() === 'mariadb';
    expect((await told('behalf_database_connections{state="free"}')) > 0).toBe(isPooled);
    expect(text.includes('behalf_database_connections{')).toBe(isPooled);
  });

  test('hold nothing that a request says, and are not recorded', async () => {
    await server.query(
      agent.token,
      'query Xanthippe { customers(filter: { numbers: ["Quetzal"] }) { totalCount } }',
    );
    const before = await server.database.read.count(auditRecords);
    const text = await metricsOf(server.url);
    for (const secret of ['Xanthippe', 'Quetzal', agent.token, agent.name, agent.delegationId, person.name]) {
      expect(text).not.toContain(secret);
    }
    expect(await server.database.read.count(auditRecords)).toBe(before);
  });
});

describe('who reads metrics', () => {
  const read = async (url: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${url}/metrics`, { headers })).status;

  test('on the port of callers this machine alone, and nothing that was passed on to it', async () => {
    expect(await read(server.url)).toBe(200);
    for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      expect(await read(server.url, { [name]: '127.0.0.1' })).toBe(403);
    }
  });

  test('nobody there where callers come from elsewhere: this machine may be their proxy', async () => {
    const elsewhere = await TestServer.start({}, { BEHALF_PUBLIC_URL: 'https://behalf.example' });
    expect(await read(elsewhere.url)).toBe(403);
    expect((await fetch(`${elsewhere.url}/readyz`)).status).toBe(200);
    await elsewhere.stop();
  });

  test('whoever reaches the listener of their own, which has nothing else', async () => {
    const port = await freePort();
    const own = `http://127.0.0.1:${String(port)}`;
    const apart = await TestServer.start({}, { BEHALF_METRICS_PORT: String(port) });
    expect(await read(apart.url)).toBe(404);
    expect(await read(own, { via: 'a scraper' })).toBe(200);
    expect((await fetch(`${own}/readyz`)).status).toBe(200);
    expect((await fetch(`${own}/graphql`, { method: 'POST' })).status).toBe(404);
    await apart.stop();
    await expect(fetch(`${own}/healthz`)).rejects.toThrow();
  });
});

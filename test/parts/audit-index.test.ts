// databases: sqlite, mariadb
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placeRecords } from '../../src/audit/outbox/sequencer.js';
import { emptyBody, insertRecords, type AuditBody, type RecordKind } from '../../src/audit/record.js';
import { Trail } from '../../src/audit/trail.js';
import { conditionOf, newestRecords } from '../../src/cli/trail/find-records.js';
import { isoTime } from '../../src/core/clock.js';
import { all, eq, isIn } from '../../src/store/sql/condition.js';
import { auditOutbox, auditRecords } from '../../src/store/tables/audit.js';
import { testDatabase } from '../support/database.js';
import { BusinessRows } from '../support/business.js';
import { loadBusiness, smallBusiness } from '../support/demo-rows.js';
import { metric } from '../support/metrics.js';
import { misfound, recordIndexer, recordsOf, unindexed } from '../support/records.js';
import { everywhere, TestServer, type Answer, type PersonFixture } from '../support/server.js';

const kinds: readonly RecordKind[] = [
  'graphql',
  'token',
  'revocation',
  'sign_in',
  'password_change',
  'client',
  'consent',
  'command',
  'rejected',
];
const scopes = ['orders:read', 'orders:update_status', 'customers:read', 'customers:read_contact'];
const never = 86_400_000;

const data = smallBusiness();
let server: TestServer;
let auditor: PersonFixture;
let rosa: PersonFixture;
let worker: PersonFixture;

beforeAll(async () => {
  server = await TestServer.start({ indexEveryMs: never });
  await loadBusiness(server.database, data);
  auditor = await server.person({ scopes: ['audit:read'], boundary: { ...everywhere, person: 'all' } });
  rosa = await server.person({ scopes: ['audit:read', ...scopes] });
  worker = await server.person({ scopes });
});
afterAll(() => server.stop());

const numbers = JSON.stringify(data.orders.slice(0, 20).map(({ number }) => number));
const list = `{ orders(filter: { numbers: ${numbers} }, first: 60) { nodes { id customer { id } } } }`;
const read = () => server.database.read;
const queued = (): Promise<string[]> => unindexed(server.database);
const operationId = (answer: Answer): string => answer.headers.get('behalf-operation-id') ?? '';

/** A record that read these rows, as whatever wrote it would have. */
function recordOfReads(kind: RecordKind, ids: readonly string[]): AuditBody {
  const trail = new Trail();
  trail.touched('Order', ids, 'read');
  const { id, name } = worker;
  return {
    ...emptyBody,
    operationId: server.ids.next(),
    at: isoTime(server.clock.now()),
    kind,
    outcome: 'succeeded',
    chain: { person: { id, name, displayName: name }, agents: [] },
    resources: trail.resources,
    // What a caller writes must never count as a row touched.
    variables: JSON.stringify({ a: '"resources":[{"type":"Customer","ids":["x"]}]', b: data.tickets[0]?.id }),
    detail: { resources: [{ type: 'Ticket', action: 'read', ids: [data.tickets[0]?.id] }] },
  };
}

const write = (bodies: readonly AuditBody[]): Promise<void> =>
  server.database.transaction((tx) => insertRecords(tx, bodies));

interface RecordPage {
  readonly totalCount: number;
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

/** Ids of records that a search by a row gives through HTTP, in order; every page, and its total. */
async function search(who: PersonFixture, type: string, id: string): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | null = null; ;) {
    const answer: Answer = await server.query(
      who.token,
      `query ($resource: AuditResourceFilter!, $after: String) {
        auditRecords(filter: { resource: $resource }, first: 7, after: $after) {
          totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`,
      { resource: { type, id }, after },
    );
    expect(answer.errors).toEqual([]);
    const page = answer.data.auditRecords as RecordPage;
    found.push(...page.nodes.map((node) => node.id));
    if (!page.pageInfo.hasNextPage) {
      expect(page.totalCount).toBe(found.length);
      return found.sort();
    }
    after = page.pageInfo.endCursor;
  }
}

/** What the records themselves say. */
async function truth(type: string, id: string, whose?: PersonFixture): Promise<string[]> {
  return (await recordsOf(server.database))
    .filter(({ chain }) => whose === undefined || chain?.person?.id === whose.id)
    .filter(({ resources }) => resources.some((one) => one.type === type && one.ids.includes(id)))
    .map((body) => body.operationId)
    .sort();
}

const [orderId, customerId] = [data.orders[0]?.id ?? '', data.customers[0]?.id ?? ''];
const ordersOf = (one: { id: string }): number =>
  data.orders.filter((order) => order.customerId === one.id).length;
const busiest = [...data.customers].sort((a, b) => ordersOf(b) - ordersOf(a))[0] ?? { id: '' };
const asked: readonly (readonly [type: string, id: string])[] = [
  ...data.orders.slice(0, 12).map(({ id }) => ['Order', id] as const),
  ...data.customers.map(({ id }) => ['Customer', id] as const),
  ['Order', customerId],
  ['Customer', orderId],
  ['order', orderId],
  ['Customer', 'x'],
  ['Ticket', data.tickets[0]?.id ?? ''],
  ['Order', orderId.toLowerCase()],
  ['Order', orderId.slice(0, -1)],
  ['Order', `${orderId.slice(0, -1)}_`],
  ['Order', '%'],
  ['%', orderId],
  ['Order', ','],
  ['Order', `${orderId}","`],
  ['Order\\', orderId],
  ['Order"', "'"],
];

const searches = async (): Promise<unknown[]> => {
  const found = [];
  for (const [type, id] of asked) {
    found.push([type, id, await search(auditor, type, id), await search(rosa, type, id)]);
  }
  return found;
};

describe('a search by a row', () => {
  test('gives exactly the records that name it, before they are indexed and after', async () => {
    const mine = await server.query(rosa.token, list);
    const theirs = await server.query(worker.token, list);
    const few = await server.query(worker.token, '{ orders(first: 3) { nodes { id } } }');
    const part = await server.query(
      (await server.agent(worker, { scopes }, { scopes: ['orders:read', 'customers:read'] })).token,
      '{ orders(first: 40) { nodes { id customer { id email } } } }',
    );
    expect(part.errors).not.toEqual([]);
    const open = await new BusinessRows(server).order('N-1', busiest);
    const change = await server.query(
      worker.token,
      `mutation { setOrderStatus(orderId: "${open.id}", status: CANCELLED, expectedVersion: 1,
        idempotencyKey: "k") { order { id customer { id orders(first: 50) { nodes { id customer { id } } } } } } }`,
    );
    expect(change.errors).toEqual([]);
    const ids = data.orders.slice(0, 10).map(({ id }) => id);
    const written = kinds.flatMap((kind) => [recordOfReads(kind, ids), recordOfReads(kind, ids.slice(0, 2))]);
    await write(written);
    expect(await recordsOf(server.database)).toEqual(expect.arrayContaining(written));
    expect(await queued()).toEqual(
      expect.arrayContaining([
        ...[mine, theirs, few, part, change].map(operationId),
        ...written.map((body) => body.operationId),
      ]),
    );
    expect(await misfound(server.database)).toEqual([]);

    const before = await searches();
    for (const [type, id] of asked) {
      expect(await search(auditor, type, id)).toEqual(await truth(type, id));
      expect(await search(rosa, type, id)).toEqual(await truth(type, id, rosa));
    }
    await placeRecords(server.database);
    expect(await misfound(server.database)).toEqual([]);
    expect(await search(auditor, 'Order', orderId)).toContain(operationId(theirs));
    expect(await search(rosa, 'Order', orderId)).toEqual([operationId(mine)]);

    await recordIndexer(server.database).run();
    expect(await queued()).toEqual([]);
    expect(await searches()).toEqual(before);
    expect(await misfound(server.database)).toEqual([]);
  });

  test('at the terminal gives the same', async () => {
    const at = async () => {
      const where = await conditionOf(read(), { resource: { type: 'Order', id: orderId } });
      return (await newestRecords(read(), where, 100)).map((body) => body.operationId).sort();
    };
    const answer = await server.query(worker.token, list);
    expect(await queued()).toContain(operationId(answer));
    const before = await at();
    expect(before).toEqual(await truth('Order', orderId));
    await recordIndexer(server.database).run();
    expect(await at()).toEqual(before);
  });
});

/** What the index holds, as far as the database tells: the pages of SQLite's. */
const index = async (): Promise<string> =>
  JSON.stringify(
    await read().query(
      testDatabase() === 'sqlite'
        ? 'SELECT * FROM behalf_audit_terms_data ORDER BY id'
        : 'SELECT * FROM behalf_audit_index ORDER BY `type`, `value`, `record_id`',
    ),
  );
/** More than one transaction takes. */
const many = (): AuditBody[] =>
  Array.from({ length: 90 }, () =>
    recordOfReads(
      'graphql',
      data.orders.slice(0, 30).map(({ id }) => id),
    ),
  );

describe('indexing', () => {
  test('by replicas at the same moment, and once more, makes each row once', async () => {
    await write(many());
    const before = await index();
    // On SQLite all writers of a process share one lane; a second one would wait for it without end.
    const { database } = server;
    const databases = testDatabase() === 'sqlite' ? [database, database] : [database, server.app.database];
    await Promise.all(databases.map((one) => recordIndexer(one).run()));
    await recordIndexer(server.database).run();
    expect(await queued()).toEqual([]);
    expect(await index()).not.toEqual(before);
    expect(await misfound(server.database)).toEqual([]);
  });

  test('finds the refusal of half a character, and leaves it in no queue', async () => {
    const { token, delegationId } = await server.agent(worker, { scopes });
    const query = `{ auditRecords(first: 5, filter: { delegationId: "${delegationId}" }) { nodes { id } } }`;
    const found = async () => (await server.query(auditor.token, query)).data.auditRecords.nodes as unknown;
    const probe = await server.post(
      token,
      '{"query":"{ viewer { scopes } }","operationName":"\\ud83d\\\\ud83d"}',
    );
    const [{ body } = { body: '' }] = await read().select(auditRecords, eq('id', operationId(probe)));
    expect(JSON.parse(body)).toMatchObject({ outcome: 'failed', operation: { name: null } });
    expect(await found()).toEqual([{ id: operationId(probe) }]);
    await recordIndexer(server.database).run();
    expect(await found()).toEqual([{ id: operationId(probe) }]);
    expect(await queued()).not.toContain(operationId(probe));
  });

  test('of what is indexed already changes nothing', async () => {
    await recordIndexer(server.database).run();
    const records = await read().select(auditRecords, all());
    await server.database.transaction((tx) =>
      tx.insert(
        auditOutbox,
        records.map(({ id }) => ({ recordId: id })),
      ),
    );
    const found = await search(auditor, 'Order', orderId);
    expect(found).toEqual(await truth('Order', orderId));
    expect(new Set(found).size).toBe(found.length);
    await recordIndexer(server.database).run();
    expect(await queued()).toEqual([]);
    expect(await misfound(server.database)).toEqual([]);
  });

  test('that a crash cuts off loses nothing, and another server ends it by itself', async () => {
    const answer = await server.query(worker.token, list);
    await write(many());
    const before = [await queued(), await index()];
    const dying = {
      read: read(),
      transaction: <T>(work: Parameters<typeof server.database.transaction<T>>[0]): Promise<T> =>
        server.database.transaction(async (tx) => {
          await work(tx);
          throw new Error('the process dies here');
        }),
    };
    await expect(recordIndexer(dying).run()).rejects.toThrow('dies here');
    expect([await queued(), await index()]).toEqual(before);
    expect(await search(auditor, 'Order', orderId)).toContain(operationId(answer));

    const next = await server.replica({ indexEveryMs: 1 });
    while ((await queued()).length > 0) await nextTurn();
    expect(await misfound(server.database)).toEqual([]);
    await next.stop();
  });

  test('passes over a record that cannot be read, tells it once, and counts it', async () => {
    const [bad, wide] = [recordOfReads('graphql', [orderId]), recordOfReads('graphql', ['x'.repeat(201)])];
    const kept = many();
    await write([bad, { ...wide, resources: [] }, ...kept]);
    await server.database.transaction(async (tx) => {
      const broken = `{"resources":[{"type":"Order","ids":["${orderId}"`;
      await tx.update(auditRecords, eq('id', bad.operationId), { body: broken });
      await tx.update(auditRecords, eq('id', wide.operationId), { body: JSON.stringify(wide) });
    });
    const stuck = [bad.operationId, wide.operationId].sort();
    const found = await search(auditor, 'Order', orderId);
    expect(found).toEqual(expect.arrayContaining(kept.map((body) => body.operationId)));
    expect(found).not.toContain(bad.operationId);

    const lines: unknown[] = [];
    const indexer = recordIndexer(server.database, { error: (line: unknown) => lines.push(line) });
    await indexer.run();
    await indexer.run();
    expect((await queued()).sort()).toEqual(stuck);
    expect(indexer.waiting('index')).toBe(2);
    expect(lines).toMatchObject(stuck.map((id) => ({ operationId: id })));
    expect(JSON.stringify(lines)).not.toContain(orderId);
    expect(await search(auditor, 'Order', orderId)).toEqual(found);

    const gauge = 'behalf_records_unindexed';
    const watched = await server.replica({ indexEveryMs: 1 });
    while ((await metric(watched.url, gauge)) !== 2);
    await watched.stop();
    await server.database.transaction((tx) => tx.delete(auditRecords, isIn('id', stuck)));
    // It has set them aside for good; the next start looks at them again.
    await indexer.run();
    expect((await queued()).sort()).toEqual(stuck);
    await recordIndexer(server.database).run();
    expect(await queued()).toEqual([]);
  });
});

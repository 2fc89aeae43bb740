// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conditionOf, newestRecords } from '../../../src/cli/trail/find-records.js';
import { auditIncomplete } from '../../../src/store/tables/audit.js';
import { BusinessRows } from '../../support/business.js';
import { recordIndexer, recordOf, unindexed } from '../../support/records.js';
import { everywhere, TestServer, type Answer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let rosa: PersonFixture;
let auditor: PersonFixture;
let listed: Answer;
let ids: string[];

beforeAll(async () => {
  server = await TestServer.start({ indexEveryMs: 86_400_000 });
  rosa = await server.person({ scopes: ['orders:read'] });
  auditor = await server.person({ scopes: ['audit:read'], boundary: { ...everywhere, person: 'all' } });
  const rows = new BusinessRows(server);
  const customer = await rows.customer('C-1', 'europe');
  for (let n = 0; n < 230; n += 1) await rows.order(`O-${String(n)}`, customer);
  listed = await server.query(rosa.token, '{ orders(first: 230) { nodes { id } } }');
  ids = (listed.data.orders as { nodes: { id: string }[] }).nodes.map(({ id }) => id);
});
afterAll(() => server.stop());

async function foundBy(type: string, id: string): Promise<string[]> {
  const { data } = await server.query(
    auditor.token,
    `query ($resource: AuditResourceFilter!) { auditRecords(filter: { resource: $resource }) { nodes { id } } }`,
    { resource: { type, id } },
  );
  const { read } = server.database;
  const where = await conditionOf(read, { resource: { type, id } });
  const byCommand = (await newestRecords(read, where, 10)).map(({ operationId }) => operationId);
  const found = (data.auditRecords as { nodes: { id: string }[] }).nodes.map((node) => node.id);
  expect(byCommand).toEqual(found);
  return found;
}

describe('10 a search by a row finds every record that touched it', () => {
  const findsAll = async (): Promise<void> => {
    const id = listed.headers.get('behalf-operation-id');
    expect(ids).toHaveLength(230);
    for (const at of [0, 99, 100, 101, 150, 229]) {
      expect([at, await foundBy('Order', ids[at] ?? '')]).toEqual([at, [id]]);
      expect(await foundBy('Customer', ids[at] ?? '')).toEqual([]);
    }
    expect(await foundBy('Order', server.ids.next())).toEqual([]);
  };

  test('before the record is indexed', findsAll);

  test('and after', async () => {
    await recordIndexer(server.database).run();
    const id = listed.headers.get('behalf-operation-id') ?? '';
    expect(await unindexed(server.database)).not.toContain(id);
    await findsAll();
  });

  test('the record itself shows the first hundred, how many there are, and a digest of all', async () => {
    const { resources, rowCount } = await recordOf(server.database, listed);
    expect(resources).toMatchObject([{ type: 'Order', count: 230 }]);
    expect(resources[0]?.ids).toEqual(ids.slice(0, 100));
    expect(rowCount).toBe(230);
  });
});

describe('10 of records that did not name every row', () => {
  test('a search can ask for those too, and tells that it cannot be sure of them', async () => {
    const id = listed.headers.get('behalf-operation-id') ?? '';
    await server.database.transaction((tx) => tx.insert(auditIncomplete, [{ type: 'Order', recordId: id }]));
    const search = async (resource: object): Promise<string[]> => {
      const { data, errors } = await server.query(
        auditor.token,
        'query ($resource: AuditResourceFilter!) { auditRecords(filter: { resource: $resource }) { nodes { id } } }',
        { resource },
      );
      expect(errors).toEqual([]);
      return (data.auditRecords as { nodes: { id: string }[] }).nodes.map((node) => node.id);
    };
    const unknown = server.ids.next();
    expect(await search({ type: 'Order', id: unknown })).toEqual([]);
    expect(await search({ type: 'Order', id: unknown, orUnnamed: true })).toEqual([id]);
    expect(await search({ type: 'Customer', id: unknown, orUnnamed: true })).toEqual([]);
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDocuments } from '../../support/demo-rows.js';
import { recordOf } from '../../support/records.js';
import { addRegions } from '../../support/regions.js';
import { TestServer, type AgentFixture } from '../../support/server.js';

let server: TestServer;
let agent: AgentFixture;
beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  await loadDocuments(server.database, server.ids);
  const scopes = ['customers:read', 'orders:read', 'documents:read', 'collections:read'];
  agent = await server.agent(await server.person({ scopes }), { scopes });
});
afterAll(() => server.stop());

const none = 'nodes { __typename } edges { cursor } pageInfo { hasNextPage endCursor }';
const empty = { nodes: [], edges: [], pageInfo: { hasNextPage: true, endCursor: null } };

describe('31 `first: 0` is a page of none', () => {
  test('of a list, of a relation and of a search', async () => {
    const { data, errors } = await server.query(
      agent.token,
      `{ customers(first: 0) { totalCount ${none} }
         one: customers(first: 1) { nodes { orders(first: 0) { totalCount ${none} } } }
         search(query: "coffee", first: 0) { ${none} } }`,
    );
    expect(errors).toEqual([]);
    expect(data.customers).toEqual({ totalCount: 4, ...empty });
    expect(data.one.nodes[0].orders).toEqual({ totalCount: 1, ...empty });
    expect(data.search).toEqual(empty);
  });

  test('where there is nothing, there is no next page', async () => {
    const { data } = await server.query(
      agent.token,
      `{ customers(first: 0, filter: { numbers: ["nobody"] }) { totalCount ${none} } }`,
    );
    expect(data.customers).toEqual({
      totalCount: 0,
      ...empty,
      pageInfo: { hasNextPage: false, endCursor: null },
    });
  });

  test('that there is a row is read, so it is charged and recorded', async () => {
    for (const [list, type] of [
      ['customers(first: 0)', 'Customer'],
      ['search(query: "coffee", first: 0)', 'Passage'],
    ] as const) {
      const answer = await server.query(agent.token, `{ ${list} { pageInfo { hasNextPage } } }`);
      const { resources, rowCount } = await recordOf(server.database, answer);
      expect(rowCount, list).toBeGreaterThanOrEqual(1);
      expect(resources, list).toContainEqual(expect.objectContaining({ type, action: 'read', count: 1 }));
    }
  });

  test('less than none is refused', async () => {
    const answer = await server.query(agent.token, '{ customers(first: -1) { totalCount } }');
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', path: 'first' } }]);
  });
});

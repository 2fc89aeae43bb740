// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadDocuments } from '../support/demo-rows.js';
import { mcpClient, type Era } from '../support/mcp.js';
import { recordsOf } from '../support/records.js';
import { everywhere, TestServer, type PersonFixture } from '../support/server.js';

let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  await loadDocuments(server.database, server.ids);
  person = await server.person({ scopes: [...server.app.scopes] });
});
afterAll(() => server.stop());

/** A token for `/mcp` of a task with these scopes. */
async function tokenFor(scopes: readonly string[], classification: readonly string[]): Promise<string> {
  const boundary = { ...everywhere, classification };
  const agent = await server.agent(person, { scopes, boundary });
  return server.token(person.id, agent.delegationId, scopes, '/mcp');
}

test.each<Era>(['modern', 'legacy'])(
  'the lists that a %s client asks for at its start come without an error',
  async (era) => {
    const client = await mcpClient(server.url, await tokenFor(['documents:read'], ['public']), era);
    // What a server does not promise, clients do not ask for: they take it as empty.
    expect(client.getServerCapabilities()).toEqual({
      ...{ tools: { listChanged: era === 'modern' }, resources: { listChanged: false } },
    });
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('search_knowledge');
    expect((await client.listResources()).resources).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      { uriTemplate: 'behalf://document/{id}{?from,version}', mimeType: 'text/markdown' },
    ]);
    await client.close();
    const bare = await mcpClient(server.url, await tokenFor(['customers:read'], ['public']), era);
    expect((await bare.listResourceTemplates()).resourceTemplates).toEqual([]);
    await bare.close();
  },
);

test('a connection and the list of resources cost the task nothing, and have their records', async () => {
  const token = await tokenFor(['documents:read'], ['public']);
  const before = (await recordsOf(server.database)).length;
  const client = await mcpClient(server.url, token);
  await client.listResources();
  const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} });
  await client.close();
  const records = (await recordsOf(server.database)).slice(before).filter(({ mcp }) => mcp !== undefined);
  expect(records.map(({ mcp }) => mcp?.method)).toEqual(['server/discover', 'resources/list', 'tools/call']);
  const { data } = structuredContent as { data: { viewer: { task: { operationsLeft: number } } } };
  const again = await mcpClient(server.url, token);
  const later = (await again.callTool({ name: 'whoami', arguments: {} })).structuredContent as {
    data: typeof data;
  };
  await again.close();
  expect(later.data.viewer.task.operationsLeft).toBe(data.viewer.task.operationsLeft - 1);
});

test('a document outside the boundary is read as one that does not exist', async () => {
  const all = await mcpClient(server.url, await tokenFor(['documents:read'], ['public', 'internal']));
  const { structuredContent } = await all.callTool({
    name: 'query',
    arguments: { document: '{ documents(first: 50) { nodes { id classification } } }' },
  });
  const { nodes } = (
    structuredContent as { data: { documents: { nodes: { id: string; classification: string }[] } } }
  ).data.documents;
  const inside = nodes.find(({ classification }) => classification === 'PUBLIC')?.id ?? '';
  const outside = nodes.find(({ classification }) => classification === 'INTERNAL')?.id ?? '';
  expect((await all.readResource({ uri: `behalf://document/${outside}` })).contents).toHaveLength(1);
  await all.close();
  const client = await mcpClient(server.url, await tokenFor(['documents:read'], ['public']));
  expect((await client.readResource({ uri: `behalf://document/${inside}` })).contents).toHaveLength(1);
  const refusal = async (id: string): Promise<string> => {
    const error: unknown = await client
      .readResource({ uri: `behalf://document/${id}` })
      .catch((caught: unknown) => caught);
    return JSON.stringify({ ...(error as object), message: (error as Error).message }).replaceAll(id, 'ID');
  };
  expect(await refusal(outside)).toBe(await refusal('01JDW1TCY0DP7W6C0QX3XK9D78'));
  await client.close();
});

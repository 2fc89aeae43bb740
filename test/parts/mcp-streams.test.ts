// databases: sqlite, mariadb
import { expect, test } from 'vitest';
import { postMessage } from '../support/mcp.js';
import { TestServer } from '../support/server.js';

test('a server that is asked to end ends its open streams, and does not wait for them', async () => {
  const server = await TestServer.start();
  const scopes = ['customers:read'];
  const person = await server.person({ scopes });
  const agent = await server.agent(person, { scopes });
  const token = await server.token(person.id, agent.delegationId, scopes, '/mcp');
  const stream = await postMessage(server.url, token, 'subscriptions/listen', {
    notifications: { toolsListChanged: true },
  });
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const cut = await server.app.close();
  await stream.text().catch(() => 'cut');
  await server.stop();
  expect(cut).toBe(0);
});

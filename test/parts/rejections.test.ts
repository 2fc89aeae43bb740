// databases: sqlite, mariadb
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OperationGate } from '../../src/operation/gate.js';
import { recordsOf } from '../support/records.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T12:00:00.000Z') });
});
afterEach(async () => {
  await server.stop();
  vi.useRealTimers();
});

async function knock(times: number): Promise<void> {
  for (let sent = 0; sent < times; sent += 1) {
    expect((await server.query('x'.repeat(43), '{ __typename }')).status).toBe(401);
  }
}

const told = async (): Promise<unknown[]> =>
  (await recordsOf(server.database, 'rejected')).map(({ detail }) => detail.requests);

test('requests by nobody are recorded when their minute is over, though nobody comes again', async () => {
  server = await TestServer.start({ tallyEveryMs: 10 });
  await knock(5);
  expect(await told()).toEqual([{ UNAUTHENTICATED: 1 }]);
  vi.setSystemTime(Date.now() + 60_000);
  await expect.poll(told).toEqual([{ UNAUTHENTICATED: 1 }, { UNAUTHENTICATED: 4 }]);
  await knock(1);
  await server.app.close();
  expect(await told()).toEqual([{ UNAUTHENTICATED: 1 }, { UNAUTHENTICATED: 4 }, { UNAUTHENTICATED: 1 }]);
});

test('requests by nobody in the last minute of a server are recorded before it ends', async () => {
  server = await TestServer.start();
  await knock(3);
  await server.app.close();
  expect(await told()).toEqual([{ UNAUTHENTICATED: 1 }, { UNAUTHENTICATED: 2 }]);
});

test('a request whose refusal cannot be sent is answered as a failure of the server', async () => {
  server = await TestServer.start();
  const unsendable = { status: 42, body: '', operationId: server.ids.next(), kind: 'refusal' } as const;
  vi.spyOn(OperationGate.prototype, 'admit').mockResolvedValue(unsendable);
  const answer = await fetch(`${server.url}/graphql`, { method: 'POST' });
  expect([answer.status, await answer.json()]).toEqual([500, { error: 'internal' }]);
});

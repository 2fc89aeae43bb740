// databases: sqlite, mariadb
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { auditRecords } from '../../src/store/tables/audit.js';
import { codes } from '../support/administration.js';
import { Crowd } from '../support/crowd.js';
import { gatedParts } from '../support/gate.js';
import { metric } from '../support/metrics.js';
import { recordOf, recordsOf } from '../support/records.js';
import { TestServer, type Answer } from '../support/server.js';

const query = '{ customers { nodes { id } } }';
const waiting = 'behalf_operations_waiting';
const rejected = (reason: string): string => `behalf_requests_rejected_total{reason="${reason}"}`;

let server: TestServer;
let token: string;
const crowd = new Crowd();

async function start(env: Record<string, string>): Promise<void> {
  server = await TestServer.start(gatedParts(crowd), env);
  ({ token } = await server.person({ scopes: ['customers:read'] }));
}
afterEach(async () => {
  crowd.open();
  await server.stop();
});

const ask = (): Promise<Answer> => server.query(token, query);

describe('when there is more to do than the server takes', () => {
  const env = { BEHALF_OPERATIONS_AT_ONCE: '2', BEHALF_OPERATIONS_WAITING: '1' };

  test('some run, some wait, and the others are refused at once; nobody is forgotten', async () => {
    await start(env);
    crowd.shut();
    const running = [ask(), ask()];
    await crowd.holds(2);
    const third = ask();
    await expect.poll(() => metric(server.url, waiting)).toBe(1);
    const before = await server.database.read.count(auditRecords);

    for (const asked of [token, token, 'x'.repeat(43)]) {
      const refused = await server.query(asked, query);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(codes(refused)).toEqual(['LIMIT_EXCEEDED']);
      expect(refused.errors[0]?.extensions).toMatchObject({
        limit: 'load',
        operationId: refused.headers.get('behalf-operation-id'),
      });
      expect(refused.data).toBeUndefined();
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(await metric(server.url, rejected('queue_full'))).toBe(3);

    crowd.open();
    for (const answer of await Promise.all([...running, third])) {
      expect([answer.status, answer.errors]).toEqual([200, []]);
      expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'succeeded' });
    }
    // Three answers and one record of refusals, which names no operation.
    expect(await server.database.read.count(auditRecords)).toBe(before + 4);
    expect((await ask()).status).toBe(200);
    expect(await metric(server.url, 'behalf_operations_running')).toBe(0);
  });

  test('those who were refused are recorded together', async () => {
    await start(env);
    crowd.shut();
    const held = [ask(), ask()];
    await crowd.holds(2);
    held.push(ask());
    await expect.poll(() => metric(server.url, waiting)).toBe(1);
    for (let sent = 0; sent < 5; sent += 1) expect((await ask()).status).toBe(503);
    crowd.open();
    await Promise.all(held);
    await server.app.close();
    const records = await recordsOf(server.database, 'rejected');
    expect(records.map(({ detail }) => detail.requests)).toEqual([
      { LIMIT_EXCEEDED: 1 },
      { LIMIT_EXCEEDED: 4 },
    ]);
  });

  test('who goes away while waiting is dropped, leaves no record and takes no place', async () => {
    await start(env);
    crowd.shut();
    const running = [ask(), ask()];
    await crowd.holds(2);
    const before = await server.database.read.count(auditRecords);
    const leaving = new AbortController();
    const gone = fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query }),
      signal: leaving.signal,
    });
    await expect.poll(() => metric(server.url, waiting)).toBe(1);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    await expect.poll(() => metric(server.url, waiting)).toBe(0);
    expect(await metric(server.url, rejected('client_gone'))).toBe(1);
    crowd.open();
    await Promise.all(running);
    expect((await Promise.all([ask(), ask(), ask()])).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await server.database.read.count(auditRecords)).toBe(before + 5);
    expect(await metric(server.url, 'behalf_operations_running')).toBe(0);
  });
});

describe('connections', () => {
  const port = (): number => Number(new URL(server.url).port);
  const open = async (): Promise<Socket> => {
    const socket = connect(port(), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const head = (more: string): string =>
    `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\n${more}`;

  test('with a slow body or slow headers are cut, and hold no place meanwhile', async () => {
    await start({
      BEHALF_OPERATIONS_AT_ONCE: '1',
      BEHALF_OPERATIONS_WAITING: '0',
      BEHALF_REQUEST_SECONDS: '2',
      BEHALF_HEADERS_SECONDS: '1',
    });
    const slow = [await open(), await open(), await open()];
    const ended = slow.map((socket) => once(socket.resume(), 'close'));
    slow[0]?.write(head('content-length: 100\r\n\r\n{"query":'));
    slow[1]?.write(head('transfer-encoding: chunked\r\n\r\n5\r\n{"que'));
    slow[2]?.write(head('x-slow: '));
    for (let sent = 0; sent < 3; sent += 1) expect((await ask()).errors).toEqual([]);
    await Promise.all(ended);
    expect((await ask()).errors).toEqual([]);
    const records = await recordsOf(server.database, 'graphql');
    const cut = records.filter(({ outcome }) => outcome === 'failed');
    expect(cut.map(({ errors }) => errors[0]?.code)).toEqual(['BAD_USER_INPUT', 'BAD_USER_INPUT']);
  });

  test('beyond their number are closed, and those that are there go on', async () => {
    await start({ BEHALF_CONNECTIONS_MAX: '2' });
    const held = [await open(), await open()];
    const third = await open();
    await once(third.resume(), 'close');
    const [first] = held;
    first?.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const [answer] = (await once(first as Socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
    for (const socket of held) socket.destroy();
  });
});

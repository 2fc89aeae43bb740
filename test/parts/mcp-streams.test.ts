// databases: sqlite, mariadb
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { ToolsWatch } from '../../src/operation/tools-watch.js';
import type { Caller } from '../../src/operation/callers.js';
import { unauthenticated } from '../../src/core/errors.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import { delegations, roles } from '../../src/store/tables/identity.js';
import { postMessage } from '../support/mcp.js';
import { collectGarbage } from '../support/memory.js';
import { ServerProcess } from '../support/server-process.js';
import { TestServer } from '../support/server.js';

const listen = { notifications: { toolsListChanged: true } };

test('a server that is asked to end ends its open streams, and does not wait for them', async () => {
  const server = await TestServer.start();
  const scopes = ['customers:read'];
  const person = await server.person({ scopes });
  const agent = await server.agent(person, { scopes });
  const token = await server.token(person.id, agent.delegationId, scopes, '/mcp');
  const stream = await postMessage(server.url, token, 'subscriptions/listen', listen);
  // A signal that hangs on a collected request would be aborted no more.
  collectGarbage();
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const cut = await server.app.close();
  await stream.text().catch(() => 'cut');
  await server.stop();
  expect(cut).toBe(0);
});

/** The bytes of a message that asks for a stream. */
const asksToListen = (url: string, token: string): string => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const method = 'subscriptions/listen';
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...listen, _meta: meta } });
  const head = [
    'POST /mcp HTTP/1.1',
    `Host: ${new URL(url).host}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2026-07-28',
    `Mcp-Method: ${method}`,
    `Content-Length: ${String(body.length)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
};

const connection = (url: string): Socket => {
  const { port, hostname } = new URL(url);
  return connect(Number(port), hostname).on('error', () => undefined);
};

/** Connections that close or are reset without their answers, and one with many requests on it. */
async function leaveRudely(url: string, token: string): Promise<void> {
  const bytes = asksToListen(url, token);
  const piped = connection(url);
  piped.write(bytes.repeat(15));
  await once(piped, 'data');
  piped.destroy();
  for (let at = 0; at < 30; at += 1) {
    const socket = connection(url);
    await new Promise<unknown>((sent) => socket.write(bytes, sent));
    if (at % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
}

/** How many of ten streams of one task open; all of them are left again. */
async function opened(url: string, token: string): Promise<number> {
  const sockets = Array.from({ length: 10 }, () => connection(url));
  const heads = await Promise.all(
    sockets.map(async (socket) => {
      socket.write(asksToListen(url, token));
      return String(await once(socket, 'data'));
    }),
  );
  for (const socket of sockets) socket.destroy();
  return heads.filter((head) => head.startsWith('HTTP/1.1 200')).length;
}

test('a stream whose connection closes before its answer, or while it waits behind another, counts no more', async () => {
  const server = await TestServer.start();
  const person = await server.person({ scopes: ['customers:read'] });
  const agent = await server.agent(person, { scopes: ['customers:read'] });
  const token = await server.token(person.id, agent.delegationId, ['customers:read'], '/mcp');
  await leaveRudely(server.url, token);
  await expect.poll(() => opened(server.url, token), { timeout: 5_000 }).toBe(10);
  const process = await ServerProcess.start(server.databaseUrl, {
    BEHALF_PUBLIC_URL: server.publicUrl,
  });
  await leaveRudely(process.url, token);
  await process.stop();
  expect(process.exitCode).toBe(0);
  await server.stop();
}, 20_000);

const listChanged = 'notifications/tools/list_changed';

/** An open stream of a caller, and all that it has told so far. */
class OpenStream {
  told = '';
  private readonly text = new TextDecoder();

  private constructor(private readonly reader: ReadableStreamDefaultReader<Uint8Array>) {}

  static async open(url: string, token: string): Promise<OpenStream> {
    const { body } = await postMessage(url, token, 'subscriptions/listen', listen);
    if (body === null) throw new Error('There is no stream.');
    const stream = new OpenStream(body.getReader());
    await stream.until('acknowledged');
    return stream;
  }

  /** Reads until it tells this, or ends; without words, to its end. */
  async until(words?: string): Promise<void> {
    while (words === undefined || !this.told.includes(words)) {
      const { done, value } = await this.reader.read().catch(() => ({ done: true, value: undefined }));
      if (done) return;
      this.told += this.text.decode(value, { stream: true });
    }
  }

  leave(): Promise<void> {
    return this.reader.cancel();
  }
}

test('a stream tells its caller, and no other, that the tools have changed, on the other server too', async () => {
  const server = await TestServer.start();
  const replica = await server.replica();
  const scopes = ['customers:read', 'documents:read'];
  const person = await server.person({ scopes });
  const [agent, other] = [await server.agent(person, { scopes }), await server.agent(person, { scopes })];
  const change = (work: (tx: Connection) => Promise<unknown>): Promise<void> =>
    server.database.transaction(async (tx) => {
      await work(tx);
      await bumpEpoch(tx);
    });
  const open = async (at: TestServer, delegationId: string): Promise<OpenStream> =>
    OpenStream.open(at.url, await server.token(person.id, delegationId, scopes, '/mcp'));
  const unconcerned = await open(replica, other.delegationId);
  const streams = [await open(server, agent.delegationId), await open(replica, agent.delegationId)];

  await change((tx) => tx.update(roles, eq('id', agent.roleId), { scopes: ['customers:read'] }));
  await Promise.all(streams.map((stream) => stream.until(listChanged)));
  for (const { told } of streams) expect(told.split(listChanged)).toHaveLength(2);

  await change((tx) => tx.update(delegations, eq('id', agent.delegationId), { status: 'revoked' }));
  await Promise.all(streams.map((stream) => stream.until()));
  await change((tx) => tx.update(roles, eq('id', other.roleId), { scopes: ['customers:read'] }));
  await unconcerned.until(listChanged);
  expect(unconcerned.told.split(listChanged)).toHaveLength(2);
  await unconcerned.leave();
  await replica.stop();
  await server.stop();
}, 60_000);

test('callers are looked at once for each version of the rights, and those who lost theirs no more', async () => {
  let version = 1;
  const looks: string[] = [];
  const tools = new Map([
    ['a', '1'],
    ['b', '1'],
  ]);
  const watch = new ToolsWatch({
    version: () => Promise.resolve(version),
    toolsOf: ({ address }) => {
      looks.push(address);
      const digest = tools.get(address);
      return digest === undefined
        ? Promise.reject(unauthenticated('It has ended.'))
        : Promise.resolve({ digest, version });
    },
    logger: { error: () => undefined } as never,
    pauseMs: 2_147_483_647,
  });
  const told: string[] = [];
  const listen = (address: string): (() => void) =>
    watch.watch(
      { address } as Caller,
      { digest: '1', version },
      {
        changed: () => told.push(`${address} changed`),
        ended: () => told.push(`${address} ended`),
      },
    );
  listen('a');
  const stop = listen('b');
  await watch.look();
  expect(looks).toEqual([]);
  version = 2;
  tools.set('a', '2');
  await watch.look();
  await watch.look();
  expect([looks, told]).toEqual([['a', 'b'], ['a changed']]);
  version = 3;
  tools.delete('a');
  stop();
  await watch.look();
  version = 4;
  await watch.look();
  expect([looks, told]).toEqual([
    ['a', 'b', 'a'],
    ['a changed', 'a ended'],
  ]);
});

// databases: sqlite, mariadb
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import { roles } from '../../src/store/tables/identity.js';
import type { Employee } from '../support/administration.js';
import { optionsOf, Wire } from '../support/client.js';
import { collectGarbage } from '../support/memory.js';
import { Office, type Agent } from '../support/office.js';

const scopes = ['customers:read', 'documents:read'];

let office: Office;
let rosa: Employee;
let helper: Agent;
beforeAll(async () => {
  office = await Office.start();
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
});
afterAll(() => office.server.stop());

const listening = (signal: AbortSignal): RequestInit => ({
  method: 'POST',
  signal,
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'subscriptions/listen',
  },
  body: JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' },
    params: {
      notifications: { toolsListChanged: true },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }),
});

test('an event stream stays open when its time is up, and ends when its caller wants it', async () => {
  const wire = new Wire();
  const delegation = await office.delegate(rosa, { agent: 'helper', scopes });
  const agent = wire.client({ ...optionsOf(office, helper, delegation), path: '/mcp' });
  const stop = new AbortController();
  const { body } = await agent.fetch(agent.endpoint, listening(stop.signal));
  const events = body?.pipeThrough(new TextDecoderStream()).getReader();
  const until = async (words: string): Promise<void> => {
    for (;;) {
      const { done, value } = (await events?.read()) ?? { done: true };
      if (done) throw new Error(`The stream ended before ${words}.`);
      if (value.includes(words)) return;
    }
  };
  await until('acknowledged');

  wire.timeIsUp();
  collectGarbage();
  const { id } = await office.company.role('support-agent');
  await office.server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', id), { scopes: ['customers:read'] });
    await bumpEpoch(tx);
  });
  await until('notifications/tools/list_changed');

  collectGarbage();
  stop.abort(new Error('enough'));
  await expect(until('no more')).rejects.toThrow('enough');
});

test('any other answer has ended by then, or is none', async () => {
  const wire = new Wire();
  const delegation = await office.delegate(rosa, { agent: 'helper', scopes: ['customers:read'] });
  const agent = wire.client(optionsOf(office, helper, delegation));
  const stalling = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"data":');
  });
  await once(stalling.listen(0, '127.0.0.1'), 'listening');
  const { port } = stalling.address() as AddressInfo;
  const begun = new Promise<void>((resolve) => {
    wire.next('/graphql', async (_url, init) => {
      const response = await fetch(`http://127.0.0.1:${String(port)}/graphql`, init);
      resolve();
      return response;
    });
  });
  const work = agent.request('{ viewer { scopes } }');
  void begun.then(() => {
    wire.timeIsUp();
  });
  await expect(work).rejects.toMatchObject({ code: 'NO_ANSWER' });
  stalling.closeAllConnections();
  await new Promise((resolve) => stalling.close(resolve));
});

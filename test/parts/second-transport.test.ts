// databases: sqlite, mariadb
import { once } from 'node:events';
import { connect, type AddressInfo, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditBody } from '../../src/audit/record.js';
import { eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { BusinessRows } from '../support/business.js';
import { serveJsonLines } from '../support/json-lines.js';
import { TestServer, type AgentFixture } from '../support/server.js';

const scopes = ['customers:read', 'orders:read', 'orders:update_status', 'analytics:sales'];

let server: TestServer;
let lines: Server;
let agent: AgentFixture;
let order: string;

beforeAll(async () => {
  server = await TestServer.start();
  lines = await serveJsonLines(server.app.gate);
  agent = await server.agent(await server.person({ scopes }), { scopes });
  const rows = new BusinessRows(server);
  order = (await rows.order('O-1', await rows.customer('C-1', 'europe'))).id;
});
afterAll(async () => {
  await new Promise((resolve) => lines.close(resolve));
  await server.stop();
});

interface Told {
  readonly operationId: string;
  readonly status: number;
  readonly body: string;
}

async function byLine(sent: object): Promise<Told> {
  const socket = connect((lines.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${JSON.stringify(sent)}\n`);
  const [line] = (await once(createInterface({ input: socket }), 'line')) as [string];
  socket.destroy();
  return JSON.parse(line) as Told;
}

async function byHttp({ token, ...body }: { token: string }): Promise<Told> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'user-agent': '' },
    body: JSON.stringify(body),
  });
  const operationId = response.headers.get('behalf-operation-id') ?? '';
  return { operationId, status: response.status, body: await response.text() };
}

/** Everything that has to be the same, whichever way it went. */
async function seen({ operationId, status, body }: Told): Promise<unknown> {
  const [row] = await server.database.read.select(auditRecords, eq('id', operationId));
  const record = row === undefined ? undefined : (JSON.parse(row.body) as AuditBody);
  const { source: _, ...rest } = record ?? ({} as AuditBody);
  const same = { ...rest, operationId: '', at: '', durationMs: 0 };
  return { status, body: body.replaceAll(operationId, '<operation>'), record: record && same };
}

const change = `mutation ($id: ID!, $key: String!) {
  setOrderStatus(orderId: $id, status: PACKED, expectedVersion: 1, idempotencyKey: $key) { order { status } }
}`;

const operations: readonly (readonly [what: string, parameters: () => object])[] = [
  ['a query', () => ({ query: '{ customers { totalCount nodes { number orders { nodes { number } } } } }' })],
  ['a query that is refused', () => ({ query: '{ customers { nodes { number email } } }' })],
  ['a document that is none', () => ({ query: '{ customers' })],
  ['parameters that are none', () => ({ query: 1 })],
  ['no parameters', () => ({})],
  [
    'statistics',
    () => ({
      query:
        '{ salesByPeriod(from: "2026-01-01T00:00:00Z", to: "2026-06-01T00:00:00Z", bucket: MONTH) { period suppressed } }',
    }),
  ],
  ['a mutation of a row that is not there', () => ({ query: change, variables: { id: 'x', key: 'k' } })],
  ['a document that nobody registered', () => ({ documentId: 'nothing' })],
];

describe('operations over another transport', () => {
  test.each(operations)('%s: the same body and the same record as over HTTP', async (_what, parameters) => {
    // The first time by Apollo Server, later ones by the fast path.
    for (let time = 0; time < 4; time += 1) {
      const sent = { token: agent.token, ...parameters() };
      expect(await seen(await byLine(sent))).toEqual(await seen(await byHttp(sent)));
    }
  });

  test('a mutation runs once, and its record names what it changed', async () => {
    const sent = { token: agent.token, query: change, variables: { id: order, key: 'once' } };
    const first = await byLine(sent);
    expect(JSON.parse(first.body)).toMatchObject({
      data: { setOrderStatus: { order: { status: 'PACKED' } } },
    });
    const { record } = (await seen(first)) as { record: AuditBody };
    expect(record.outcome).toBe('succeeded');
    expect(JSON.stringify(record.resources)).toContain(order);
    expect((await byHttp(sent)).body).toBe(first.body);
  });

  test('nobody is told anything but that, and it is counted', async () => {
    const told = await byLine({ token: 'nobody', query: '{ viewer { scopes } }' });
    expect(told.status).toBe(401);
    expect(JSON.parse(told.body)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  test('a delegation that ends, ends here too', async () => {
    const scope = ['customers:read'];
    const short = await server.agent(await server.person({ scopes: scope }), { scopes: scope });
    const sent = { token: short.token, query: '{ customers { totalCount } }' };
    expect((await byLine(sent)).status).toBe(200);
    await server.endDelegation(short.delegationId);
    expect((await byLine(sent)).status).toBe(401);
  });
});

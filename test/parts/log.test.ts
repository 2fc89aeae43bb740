// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLogger } from '../../src/core/logger.js';
import { codes } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { TestServer, type AgentFixture, type Answer, type PersonFixture } from '../support/server.js';

const lines: string[] = [];
let server: TestServer;
let person: PersonFixture;
let agent: AgentFixture;
let ticketId: string;

beforeAll(async () => {
  const logger = makeLogger('debug', { write: (line) => lines.push(line) });
  server = await TestServer.start({ logger });
  const rows = new BusinessRows(server);
  ticketId = (await rows.ticket('T-1', await rows.customer('C-1', 'europe'))).id;
  const scopes = ['customers:read', 'tickets:read', 'tickets:reply'];
  person = await server.person({ scopes });
  agent = await server.agent(person, { scopes });
});
afterAll(() => server.stop());

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly operationId?: string;
}
const linesOf = (answer: Answer): Line[] =>
  lines
    .map((line) => JSON.parse(line) as Line)
    .filter(({ operationId }) => operationId === answer.headers.get('behalf-operation-id'));

const find = 'query ($numbers: [String!]) { customers(filter: { numbers: $numbers }) { nodes { id } } }';
const reply = `mutation ($id: ID!, $body: String!) {
  replyToTicket(ticketId: $id, body: $body, idempotencyKey: "k-Quetzal") { message { id } } }`;

test('each operation is one line with its id and what came of it', async () => {
  const found = await server.query(agent.token, find, { numbers: ['Quetzal-1'] });
  const replied = await server.query(agent.token, reply, { id: ticketId, body: 'Quetzal-2' });
  const bad = await server.query(agent.token, '{ nonsense }');
  expect([found.errors, replied.errors, codes(bad)]).toEqual([[], [], ['BAD_USER_INPUT']]);
  const told = [found, replied, bad].map(linesOf);
  expect(told).toMatchObject([
    [{ level: 20, msg: 'operation', type: 'query', outcome: 'succeeded', code: 'none' }],
    [{ level: 20, msg: 'operation', type: 'mutation', outcome: 'succeeded', rows: expect.any(Number) }],
    [{ level: 20, msg: 'operation', type: 'none', outcome: 'failed', code: 'BAD_USER_INPUT' }],
  ]);
});

test('a failure of ours is a line more, at `error`, with the same id and where it came from', async () => {
  const run = (sql: string) => server.database.transaction((tx) => tx.query(sql));
  await run('ALTER TABLE behalf_customers RENAME TO customers_lost');
  const failed = await server.query(agent.token, find, { numbers: ['Quetzal-3'] });
  await run('ALTER TABLE customers_lost RENAME TO behalf_customers');
  expect(codes(failed)).toEqual(['INTERNAL']);
  expect(linesOf(failed)).toMatchObject([
    { level: 50, err: { at: expect.arrayContaining([expect.stringMatching(/^at /)]) } },
    { level: 20, outcome: 'failed', code: 'INTERNAL' },
  ]);
});

test('no line of all these holds a value, a token, a name or an address', () => {
  const text = lines.join('');
  expect(lines.length).toBeGreaterThan(4);
  for (const secret of ['Quetzal', agent.token, person.token, agent.name, person.name, '127.0.0.1']) {
    expect(text).not.toContain(secret);
  }
});

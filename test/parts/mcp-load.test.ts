// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { all, eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { delegations } from '../../src/store/tables/identity.js';
import { Target, withEach, type Reply } from '../support/attacks.js';
import { bytesInUse } from '../support/memory.js';
import { digestOf, insides } from '../support/faults.js';
import { mcpGarbage, type McpGarbage } from '../support/mcp-garbage.js';
import { volume } from '../support/volume.js';

const count = volume(10_000);
const firstCount = Math.min(1_000, count / 2);
/** What the process may hold more after all of them than after the first of them; its caches are bounded. */
const growthBytesMax = 64_000_000;
const answerBytesMax = 64_000;

let target: Target;
let token: string;
beforeAll(async () => {
  target = await Target.start();
  const { server, agent } = target;
  const scopes = ['customers:read', 'tickets:read', 'documents:read'];
  const [delegation] = await server.database.read.select(delegations, eq('id', agent.delegationId));
  token = await server.token(delegation?.userId ?? '', agent.delegationId, scopes, '/mcp');
});
afterAll(() => target.stop());

const post = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  target.send({ path: '/mcp', headers: { authorization: `Bearer ${token}`, ...headers }, body });

interface Body {
  readonly jsonrpc?: string;
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** The last message of a stream, or the body. */
const jsonIn = ({ text, headers }: Reply): Body =>
  JSON.parse(
    headers['content-type'] === 'text/event-stream' ? (/^data: (.*)$/m.exec(text)?.[1] ?? '') : text,
  ) as Body;

/** Expects a result, or an error with a stable code and a sentence, and none of our insides. */
function expectClear(reply: Reply, sent: string): void {
  const about = `${String(reply.status)} ${reply.text.slice(0, 300)}\nfor ${sent.slice(0, 600)}`;
  expect(reply.status, about).toBeLessThan(500);
  expect(reply.headers['behalf-operation-id'], about).toMatch(/^[0-9A-Z]{26}$/);
  // A notification gets no message in return.
  if (reply.status === 202) {
    expect(reply.text, about).toBe('');
    return;
  }
  const { jsonrpc, id = null, result, error } = jsonIn(reply);
  expect(jsonrpc, about).toBe('2.0');
  // The id comes back as it was.
  expect(reply.text.length - JSON.stringify(id).length, about).toBeLessThan(answerBytesMax);
  if (result !== undefined) return;
  const { code, message = '' } = error ?? {};
  expect(code, about).toBeTypeOf('number');
  expect(code, about).not.toBe(-32_603);
  expect(message.length, about).toBeGreaterThan(5);
  expect(message.length, about).toBeLessThan(1_000);
  // The library says so of a member that is missing.
  const inside = insides.exec(message.replaceAll(/received (undefined|NaN)/g, ''))?.[0];
  if (inside !== undefined) expect(sent, about).toContain(inside);
}

const recordIds = async (): Promise<Set<string>> =>
  new Set((await target.server.database.read.select(auditRecords, all())).map(({ id }) => id));

test(
  `${count.toLocaleString('en')} messages of garbage: each gets a clear answer and one record, nothing changes, and the honest are served`,
  { timeout: 900_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const messages = fc.sample(mcpGarbage, { numRuns: count, seed });
    const { database } = target.server;
    const digest = await digestOf(database);
    const statuses = new Map<number, number>();
    const operations = new Set<string>();
    const sendAll = (some: readonly McpGarbage[]): Promise<void> =>
      withEach(some, 16, async ({ headers, body }) => {
        const reply = await post(body, headers);
        const sent = typeof body === 'string' ? body : Buffer.from(body).toString('latin1');
        expectClear(reply, `${JSON.stringify(headers)} ${sent} (seed ${String(seed)})`);
        operations.add(String(reply.headers['behalf-operation-id']));
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
      });
    await target.whileHonest(sendAll(messages.slice(0, firstCount)));
    const before = bytesInUse();
    await target.whileHonest(sendAll(messages.slice(firstCount)));
    expect(bytesInUse() - before, `seed ${String(seed)}`).toBeLessThan(growthBytesMax);
    expect(await digestOf(database), `seed ${String(seed)}`).toBe(digest);
    expect(operations.size).toBe(count);
    const recorded = await recordIds();
    expect([...operations].filter((id) => !recorded.has(id))).toEqual([]);
    // Not all of it is turned away at the door, nor all answered.
    expect(statuses.get(200)).toBeGreaterThan(count / 50);
    expect(statuses.get(400)).toBeGreaterThan(count / 10);
  },
);

test('arguments larger than a request may be are refused at once, in words', async () => {
  const digest = await digestOf(target.server.database);
  const params = { name: 'query', arguments: { document: 'x'.repeat(1_100_000) } };
  const reply = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
  expect(reply.status).toBe(413);
  expect(reply.text).toContain('The body is larger than 1048576 bytes.');
  expect(await digestOf(target.server.database)).toBe(digest);
});

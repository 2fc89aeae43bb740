// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isoTime } from '../../src/core/clock.js';
import { deleteExpiredIdempotencyKeys } from '../../src/delegation/expired-idempotency-keys.js';
import { documents } from '../../src/domains/knowledge/tables.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { delegations, idempotencyKeys } from '../../src/store/tables/identity.js';
import { importPage, pages } from '../support/knowledge.js';
import { TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

const dayMs = 86_400_000;
const scopes = ['documents:read', 'documents:write', 'collections:read'];
let now = Date.parse('2026-03-02T10:00:00.000Z');
let server: TestServer;
let person: PersonFixture;

beforeAll(async () => {
  server = await TestServer.start({ clock: { now: () => now } });
  for (const page of pages) await importPage(server, page);
  person = await server.person({ scopes });
});
afterAll(() => server.stop());

const forget = (): Promise<number> => deleteExpiredIdempotencyKeys(server);
const keysOf = (ownerId: string): Promise<number> =>
  server.database.read.count(idempotencyKeys, eq('ownerId', ownerId));

/** Says which document the key stands for; makes it where none does yet. */
async function create(token: string): Promise<string> {
  const answer = await server.query(
    token,
    `mutation { createDocument(collection: "hr", title: "A", classification: INTERNAL, body: "A.",
      idempotencyKey: "key") { document { id } } }`,
  );
  expect(answer.errors).toEqual([]);
  return answer.data.createDocument.document.id as string;
}

async function agentUntil(endsAt: number): Promise<AgentFixture> {
  const agent = await server.agent(person, { scopes });
  await server.database.transaction((tx) =>
    tx.update(delegations, eq('id', agent.delegationId), { expiresAt: isoTime(endsAt) }),
  );
  return agent;
}

test('keys are forgotten after thirty days, those of a delegation only when it has ended too', async () => {
  const start = now;
  const standing = await agentUntil(start + 40 * dayMs);
  const expired = await agentUntil(start + 30 * dayMs);
  const revoked = await agentUntil(start + 40 * dayMs);
  const owners = [person.id, standing.delegationId, expired.delegationId, revoked.delegationId];
  const counts = () => Promise.all(owners.map(keysOf));
  const first = await create(person.token);
  const ofStanding = await create(standing.token);
  await create(expired.token);
  await create(revoked.token);
  await server.endDelegation(revoked.delegationId);

  now = start + 30 * dayMs - 1;
  expect(await forget()).toBe(0);
  expect(await counts()).toEqual([1, 1, 1, 1]);
  expect(await create(await server.token(person.id, undefined))).toBe(first);

  now = start + 30 * dayMs;
  expect(await forget()).toBe(3);
  expect(await counts()).toEqual([0, 1, 0, 0]);
  expect(await create(await server.token(person.id, standing.delegationId, scopes))).toBe(ofStanding);
  expect(await create(await server.token(person.id, undefined))).not.toBe(first);

  now = start + 40 * dayMs;
  expect(await forget()).toBe(1);
  expect(await counts()).toEqual([1, 0, 0, 0]);
});

test('a backlog longer than one transaction takes goes whole, and no row that was made with it', async () => {
  const ownerId = server.ids.next();
  const row = {
    ownerId,
    inputDigest: 'x',
    operationId: ownerId,
    answer: '{}',
    places: {},
    createdAt: isoTime(now),
  };
  const backlog = Array.from({ length: 1_201 }, (_, n) => ({ ...row, key: `key-${String(n)}` }));
  await server.database.transaction((tx) => tx.insert(idempotencyKeys, backlog));
  const rows = await server.database.read.select(documents, all());
  now += 30 * dayMs;
  const ended = new AbortController();
  ended.abort();
  expect(await deleteExpiredIdempotencyKeys(server, ended.signal)).toBe(0);
  expect(await keysOf(ownerId)).toBe(1_201);
  expect(await forget()).toBeGreaterThanOrEqual(1_201);
  expect(await keysOf(ownerId)).toBe(0);
  expect(await server.database.read.select(documents, all())).toEqual(rows);
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { customers, ticketMessages } from '../../src/domains/business/tables.js';
import { documents, documentVersions } from '../../src/domains/knowledge/tables.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { idempotencyKeys, roles, type StoredBoundary } from '../../src/store/tables/identity.js';
import { BusinessRows } from '../support/business.js';
import { codesOf } from '../support/faults.js';
import { importPage, pages, within } from '../support/knowledge.js';
import {
  everywhere,
  TestServer,
  type AgentFixture,
  type Answer,
  type PersonFixture,
} from '../support/server.js';

/** What an agent is told when it sends a mutation again, after rows or its rights have changed. */

const scopes = ['documents:read', 'documents:write', 'collections:read', 'tickets:read', 'tickets:reply'];
let server: TestServer;
let rows: BusinessRows;
let editor: PersonFixture;
let agent: AgentFixture;

beforeAll(async () => {
  server = await TestServer.start();
  rows = new BusinessRows(server);
  for (const page of pages) await importPage(server, page);
  editor = await server.person({ scopes: [...scopes, 'documents:classify'] });
});
beforeEach(async () => {
  agent = await server.agent(await server.person({ scopes }), { scopes });
});
afterAll(() => server.stop());

const read = () => server.database.read;

async function narrow(boundary: StoredBoundary): Promise<void> {
  await server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', agent.roleId), { boundary });
    await bumpEpoch(tx);
  });
}

async function done(token: string, text: string): Promise<Answer['data']> {
  const answer = await server.query(token, text);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

async function expectNothingFound(replay: () => Promise<Answer>, code = 'NOT_FOUND'): Promise<void> {
  const state = () =>
    Promise.all([
      read().select(documents, all()),
      read().select(documentVersions, all()),
      read().select(ticketMessages, all()),
      read().select(idempotencyKeys, all()),
    ]);
  const before = await state();
  const answer = await replay();
  expect([answer.data ?? null, codesOf(answer)]).toEqual([null, [code]]);
  expect(await state()).toEqual(before);
}

describe('a document that was made public after its secret had been taken out', () => {
  const create = (selection = 'id classification version body'): Promise<Answer> =>
    server.query(
      agent.token,
      `mutation { createDocument(collection: "hr", title: "Deal", classification: INTERNAL, body: "We buy Acme.",
        idempotencyKey: "create") { document { ${selection} } } }`,
    );
  const publish = (expectedVersion: number, one = id): Promise<unknown> =>
    done(
      editor.token,
      `mutation { setDocumentClassification(id: "${one}", classification: PUBLIC,
        expectedVersion: ${String(expectedVersion)}, idempotencyKey: "${server.ids.next()}") { document { id } } }`,
    );
  let first: Answer;
  let id: string;

  beforeEach(async () => {
    first = await create();
    id = first.data.createDocument.document.id as string;
    await done(
      editor.token,
      `mutation { updateDocument(id: "${id}", body: "Nothing.", expectedVersion: 1,
        idempotencyKey: "${server.ids.next()}") { document { id } } }`,
    );
    await publish(2);
  });

  test('is given again as it stood to who may read both', async () => {
    await narrow(within('all', ['internal', 'public']));
    const again = await create();
    expect([again.errors, again.data]).toEqual([[], first.data]);
    expect(again.data.createDocument.document).toMatchObject({ body: 'We buy Acme.', version: 1 });
  });

  test.each([
    ['what is public now', ['public']],
    ['what was internal then', ['internal']],
  ])('is not found by who may only read %s', async (_, classification) => {
    await narrow(within('all', classification));
    await expectNothingFound(create);
  });

  test('has no fields whose scope does not reach where it stood', async () => {
    const person = await server.person({ scopes: ['documents:read', 'documents:write'] });
    await server.giveRole(person.id, { scopes: ['collections:read'], boundary: within('all', ['public']) });
    const token = await server.token(person.id, undefined);
    const mine = (selection: string): Promise<Answer> =>
      server.query(
        token,
        `mutation { createDocument(collection: "hr", title: "Mine", classification: INTERNAL, body: "Mine.",
          idempotencyKey: "mine") { document { ${selection} } } }`,
      );
    expect((await mine('id collection { key }')).data).toBeNull();
    const mineId = (await mine('id')).data.createDocument.document.id as string;
    await publish(1, mineId);
    await done(token, `{ document(id: "${mineId}") { collection { key } } }`);
    expect((await mine('id')).errors).toEqual([]);
    await expectNothingFound(() => mine('id collection { key }'), 'FORBIDDEN');
  });

  test.each([
    ['its place', 'NULL'],
    ['its place in one dimension', `'{"document":{"collection":"hr"}}'`],
  ])('is not found where its answer was kept without %s', async (_, places) => {
    await narrow(within('all', ['internal', 'public']));
    await server.database.transaction((tx) =>
      tx.query(`UPDATE behalf_idempotency_keys SET places = ${places} WHERE owner_id = ?`, [
        agent.delegationId,
      ]),
    );
    await expectNothingFound(create);
  });
});

test('an answer about a customer who has moved since is kept from who reaches only where the customer is now', async () => {
  const customer = await rows.customer('C-1', 'america');
  const ticket = await rows.ticket('T-1', customer);
  const reply = (): Promise<Answer> =>
    server.query(
      agent.token,
      `mutation { replyToTicket(ticketId: "${ticket.id}", body: "Soon.", idempotencyKey: "reply") {
        ticket { version } message { body } } }`,
    );
  const first = await reply();
  expect(first.errors).toEqual([]);
  await server.database.transaction((tx) =>
    tx.update(customers, eq('id', customer.id), { region: 'europe' }),
  );
  expect((await reply()).data).toEqual(first.data);
  await narrow({ ...everywhere, region: ['europe'] });
  await expectNothingFound(reply);
});

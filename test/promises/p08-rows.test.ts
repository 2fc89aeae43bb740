// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { customers, orders, tickets, invoices, payments } from '../../src/domains/business/tables.js';
import { collections, documents } from '../../src/domains/knowledge/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Table } from '../../src/store/tables/table.js';
import { catalog } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { loadDocuments } from '../support/demo-rows.js';
import { expectNoDifference, inventedId, raw } from '../support/no-oracle.js';
import { addRegions, inRegions } from '../support/regions.js';
import { TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

let server: TestServer;
let agent: AgentFixture;
let person: PersonFixture;
let other: PersonFixture;
/** What lies outside the boundary, by the name that a case gives it. */
const outside = new Map<string, string>();

const agentScopes = [...catalog.definitions.values()].filter((one) => !one.peopleOnly).map((one) => one.name);
const boundary = { ...inRegions('europe'), collection: ['guides'] };

beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  await loadDocuments(server.database, server.ids);
  person = await server.person({ scopes: [...catalog.definitions.keys()] });
  other = await server.person({ scopes: [...catalog.definitions.keys()] });
  agent = await server.agent(person, { scopes: agentScopes, boundary });
  const of = await server.agent(other, { scopes: ['customers:read'] });
  const refused = await server.query(other.token, '{ viewer { scopes } }');
  outside.set('user', other.id).set('delegation', of.delegationId);
  outside.set('auditRecord', refused.headers.get('behalf-operation-id') ?? '');
  const find = async <R extends { id: string }>(
    name: string,
    table: Table<R>,
    column: keyof R & string,
    value: string,
  ) => {
    const row = await server.database.read.one(table, eq<R>(column, value));
    if (row === undefined) throw new Error(`no ${name}`);
    outside.set(name, row.id);
    return row;
  };
  await find('customer', customers, 'number', 'C-asia');
  await find('order', orders, 'number', 'O-asia');
  await find('ticket', tickets, 'number', 'T-asia');
  const invoice = await find('invoice', invoices, 'number', 'I-asia');
  outside.set('payment', (await new BusinessRows(server).payment(invoice)).id);
  await find('document', documents, 'collection', 'hr');
  await find('collection', collections, 'key', 'hr');
  expect(await server.database.read.count(payments)).toBe(1);
});
afterAll(() => server.stop());

const key = 'idempotencyKey: "k"';
const money = 'amount: { amount: "1.00", currency: "EUR" }';

const reads: readonly (readonly [what: string, selection: (id: string) => string])[] = [
  ['customer', (id) => `customer(id: "${id}") { id }`],
  ['order', (id) => `order(id: "${id}") { id lines { totalCount } }`],
  ['ticket', (id) => `ticket(id: "${id}") { id }`],
  ['invoice', (id) => `invoice(id: "${id}") { id }`],
  ['payment', (id) => `payment(id: "${id}") { id }`],
  ['document', (id) => `document(id: "${id}") { id }`],
];

const changes: readonly (readonly [what: string, selection: (id: string) => string])[] = [
  ['ticket', (id) => `replyToTicket(ticketId: "${id}", body: "x", ${key}) { ticket { id } }`],
  [
    'ticket',
    (id) =>
      `setTicketStatus(ticketId: "${id}", status: CLOSED, expectedVersion: 1, ${key}) { ticket { id } }`,
  ],
  [
    'order',
    (id) => `setOrderStatus(orderId: "${id}", status: PACKED, expectedVersion: 1, ${key}) { order { id } }`,
  ],
  [
    'order',
    (id) => `issueInvoice(orderId: "${id}", dueAt: "2099-01-01T00:00:00Z", ${key}) { invoice { id } }`,
  ],
  [
    'invoice',
    (id) =>
      `recordPayment(invoiceId: "${id}", ${money}, method: CASH, receivedAt: "2026-01-01T00:00:00Z", ${key}) { payment { id } }`,
  ],
  ['payment', (id) => `issueRefund(paymentId: "${id}", ${money}, reason: "x", ${key}) { refund { id } }`],
  [
    'document',
    (id) => `updateDocument(id: "${id}", title: "x", expectedVersion: 1, ${key}) { document { id } }`,
  ],
  [
    'document',
    (id) =>
      `setDocumentClassification(id: "${id}", classification: PUBLIC, expectedVersion: 9, ${key}) { document { id } }`,
  ],
];

const ofPerson: readonly (readonly [what: string, document: (id: string) => string])[] = [
  ['user', (id) => `{ user(id: "${id}") { id name roles { totalCount } } }`],
  ['delegation', (id) => `{ delegation(id: "${id}") { id task } }`],
  ['auditRecord', (id) => `{ auditRecord(id: "${id}") { id } }`],
  [
    'auditRecord',
    (id) => `{ auditRecords(filter: { resource: { type: "Customer", id: "${id}" } }) { totalCount } }`,
  ],
  ['user', (id) => `{ delegations(filter: { personId: "${id}" }) { totalCount } }`],
  ['user', (id) => `{ agents(filter: { ownerId: "${id}" }) { totalCount } }`],
  ['delegation', (id) => `mutation { revokeDelegation(id: "${id}", ${key}) { delegation { id } } }`],
  ['user', (id) => `mutation { disableUser(id: "${id}", ${key}) { user { id } } }`],
  ['user', (id) => `mutation { revokeTokens(id: "${id}", ${key}) { user { id } } }`],
];

const idOf = (what: string): string => outside.get(what) ?? '';

describe('a row outside the boundary is as one that does not exist', () => {
  test.each(reads)('read: %s', async (what, selection) => {
    const hidden = idOf(what);
    const ask = (id: string) => [`{ ${selection(id)} }`] as const;
    const { status, text } = await expectNoDifference(server, agent.token, ask, hidden, inventedId(hidden));
    expect(status).toBe(200);
    const { extensions, ...answer } = JSON.parse(text) as { extensions: object };
    expect([answer, Object.keys(extensions)]).toEqual([{ data: { [what]: null } }, ['cost']]);
  });

  test.each(changes)('change: %s', async (what, selection) => {
    const hidden = idOf(what);
    const ask = (id: string) => [`mutation { ${selection(id)} }`] as const;
    const { text } = await expectNoDifference(server, agent.token, ask, hidden, inventedId(hidden));
    expect(JSON.parse(text)).toMatchObject({ data: null, errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  test.each(ofPerson)('another person: %s', async (what, document) => {
    const hidden = idOf(what);
    const { text } = await expectNoDifference(
      server,
      person.token,
      (id) => [document(id)],
      hidden,
      inventedId(hidden),
    );
    expect(text).toMatch(/"(\w+)":null|"totalCount":0/);
  });

  const byName: readonly (readonly [
    what: string,
    document: (name: string) => string,
    hidden: string,
    invented: string,
  ])[] = [
    ['a number', (name) => `{ customerByNumber(number: "${name}") { id } }`, 'C-asia', 'C-asix'],
    [
      'a filter',
      (name) => `{ customers(filter: { numbers: ["${name}"] }) { totalCount nodes { id } } }`,
      'C-asia',
      'C-asix',
    ],
    [
      'a beginning',
      (name) => `{ customers(filter: { nameStartsWith: "Name of ${name}" }) { totalCount } }`,
      'C-asia',
      'C-asix',
    ],
    [
      'a personal value',
      (name) => `{ customers(filter: { email: "${name}" }) { totalCount } }`,
      'c-asia@example.com',
      'c-asix@example.com',
    ],
    ['a region', (name) => `{ customers(filter: { regions: ["${name}"] }) { totalCount } }`, 'asia', 'mars'],
    ['a collection', (name) => `{ collection(key: "${name}") { name } }`, 'hr', 'zz'],
    [
      'a search',
      (name) => `{ search(query: "coffee", collection: "${name}") { nodes { score } } }`,
      'hr',
      'zz',
    ],
    [
      'a new document',
      (name) =>
        `mutation { createDocument(collection: "${name}", title: "x", classification: PUBLIC, body: "x", ${key}) { document { id } } }`,
      'hr',
      'zz',
    ],
  ];
  test.each(byName)('by %s', async (_what, document, hidden, invented) => {
    await expectNoDifference(server, agent.token, (name) => [document(name)], hidden, invented);
  });

  test('where a relation leads to it', async () => {
    const reader = await server.person({ scopes: ['tickets:read'] });
    await server.giveRole(reader.id, { scopes: ['customers:read'], boundary: inRegions('europe') });
    const dangling = await new BusinessRows(server).ticket('T-none', { id: server.ids.next() });
    const document = (id: string): string => `{ ticket(id: "${id}") { customer { id name } } }`;
    const ofHidden = await raw(server, reader.token, document(idOf('ticket')));
    const ofNothing = await raw(server, reader.token, document(dangling.id));
    expect(ofHidden).toEqual(ofNothing);
    expect(JSON.parse(ofHidden.text)).toMatchObject({ data: { ticket: { customer: null } } });
  });

  test('where the task is charged for it', async () => {
    const left = async (selection: string): Promise<number> => {
      const first = await server.query(agent.token, '{ viewer { task { rowsLeft } } }');
      await server.query(agent.token, `{ ${selection} }`);
      const then = await server.query(agent.token, '{ viewer { task { rowsLeft } } }');
      return Number(first.data.viewer.task.rowsLeft) - Number(then.data.viewer.task.rowsLeft);
    };
    for (const [what, selection] of reads) {
      expect(await left(selection(idOf(what))), what).toBe(await left(selection(inventedId(idOf(what)))));
    }
    expect(await left('customers { totalCount }')).toBe(1);
  });
});

describe('a cursor tells nothing', () => {
  const cursor = (...values: unknown[]): string => Buffer.from(JSON.stringify(values)).toString('base64url');
  const after = (value: string): string =>
    `{ orders(first: 5, orderBy: { placedAt: ASC }, after: "${value}") { totalCount nodes { number } pageInfo { hasNextPage } } }`;

  test('of a row outside: nobody makes one', async () => {
    const hidden = idOf('order');
    const ask = (id: string) => [after(cursor('+placedAt+id', '2026-03-02T10:00:00.000Z', id))] as const;
    const { text } = await expectNoDifference(server, agent.token, ask, hidden, inventedId(hidden));
    expect(text).toContain('BAD_USER_INPUT');
  });

  test('of another list, also one that is hidden: refused as one that never was', async () => {
    const few = await server.agent(person, { scopes: ['orders:read'], boundary });
    const refused = await raw(server, few.token, after('bm9uc2Vuc2U'));
    expect(JSON.parse(refused.text)).toMatchObject({
      data: { orders: null },
      errors: [{ extensions: { code: 'BAD_USER_INPUT', path: 'after' } }],
    });
    for (const foreign of [
      cursor('-receivedAt-id', '2026-03-02T10:00:00.000Z', idOf('payment')),
      cursor('+number+id', 'O-asia', idOf('order')),
      cursor('+creditLimitMinor+id', 1, idOf('customer')),
      cursor('+placedAt+id'),
      cursor(),
    ]) {
      expect(await raw(server, few.token, after(foreign))).toEqual(refused);
    }
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tickets } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { inventedId, raw, without } from '../support/no-oracle.js';
import { addRegions } from '../support/regions.js';
import { TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

let server: TestServer;
let person: PersonFixture;
/** Its role has more than its task. */
let few: AgentFixture;
let ticketId = '';
const roleScopes = [
  'customers:read',
  'customers:read_contact',
  'invoices:read',
  'tickets:read',
  'tickets:reply',
];

beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  ticketId = (await server.database.read.one(tickets, eq('number', 'T-asia')))?.id ?? '';
  person = await server.person({ scopes: roleScopes });
  few = await server.agent(person, { scopes: roleScopes }, { scopes: ['customers:read', 'tickets:read'] });
});
afterAll(() => server.stop());

const key = 'idempotencyKey: "k"';

const table: readonly (readonly [what: string, document: string, path: string, scope: string])[] = [
  ['a query', '{ viewer { scopes } invoices { totalCount } }', 'invoices', 'invoices:read'],
  [
    'a field',
    '{ customers(first: 1) { nodes { name email } } }',
    'customers.nodes.0.email',
    'customers:read_contact',
  ],
  [
    'a filter',
    '{ viewer { scopes } customers(filter: { email: "x" }) { totalCount } }',
    'customers',
    'customers:read_contact',
  ],
  [
    'a mutation',
    `mutation { replyToTicket(ticketId: "x", body: "x", ${key}) { ticket { id } } }`,
    '',
    'tickets:reply',
  ],
];
test.each(table)(
  '%s that the task does not include is refused with what is missing, by whom, and how to ask',
  async (_what, document, path, scope) => {
    const { status, data, errors } = await server.query(few.token, document);
    expect(status).toBe(200);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.path?.join('.') ?? '').toBe(path);
    expect(errors[0]?.extensions).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: [scope], layer: 'delegation' },
      hint: `Ask ${person.name} for a delegation that includes ${scope}.`,
    });
    if (document.startsWith('mutation')) expect(data).toBeNull();
    else expect(data).toBeTruthy();
  },
);

test('of two people on equal terms each is named to their own agent alone', async () => {
  const other = await server.person({ scopes: roleScopes });
  const theirs = await server.agent(
    other,
    { scopes: roleScopes },
    { scopes: ['customers:read', 'tickets:read'] },
  );
  const document = '{ viewer { scopes } invoices { totalCount } }';
  for (let round = 0; round < 3; round += 1) {
    for (const [token, name] of [
      [few.token, person.name],
      [theirs.token, other.name],
    ] as const) {
      const { errors } = await server.query(token, document);
      expect(errors[0]?.extensions.hint).toBe(`Ask ${name} for a delegation that includes invoices:read.`);
    }
  }
});

test('what the role could reach can be seen and asked for', async () => {
  const { data } = await server.query(
    few.token,
    '{ viewer { requestableScopes } __type(name: "Invoice") { name } }',
  );
  expect(data).toEqual({
    viewer: { requestableScopes: ['customers:read_contact', 'invoices:read', 'tickets:reply'] },
    __type: { name: 'Invoice' },
  });
});

test('a refused mutation tells nothing of whether its row is there', async () => {
  const document = (id: string): string =>
    `mutation { replyToTicket(ticketId: "${id}", body: "x", ${key}) { ticket { id } } }`;
  const hidden = ticketId;
  const [first, second] = [
    await raw(server, few.token, document(hidden)),
    await raw(server, few.token, document(inventedId(hidden))),
  ];
  expect(without(first, hidden)).toEqual(without(second, inventedId(hidden)));
});

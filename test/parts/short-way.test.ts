// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBusiness } from '../../src/domains/business/index.js';
import { readSchemaParts } from '../../src/graphql/schema/sdl.js';
import { loadBusiness, loadDocuments, smallBusiness } from '../support/demo-rows.js';
import { metric } from '../support/metrics.js';
import { raw, without } from '../support/no-oracle.js';
import { recordOf } from '../support/records.js';
import { everywhere, TestServer } from '../support/server.js';

const reading = ['customers:read', 'orders:read', 'tickets:read', 'products:read', 'documents:read'];

let server: TestServer;
let person: string;
let agent: string;
let split: string;
let narrow: string;
let ticketId: string;
let orderId: string;

beforeAll(async () => {
  server = await TestServer.start();
  await loadBusiness(server.database, smallBusiness());
  await loadDocuments(server.database, server.ids);
  const all = [
    ...reading,
    'refunds:read',
    'customers:read_contact',
    'customers:read_credit',
    'tickets:update_status',
  ];
  const rep = await server.person({ scopes: all, boundary: everywhere });
  person = rep.token;
  const role = { scopes: all, boundary: everywhere };
  agent = (await server.agent(rep, role, { scopes: reading, boundary: everywhere })).token;
  const two = await server.person({ scopes: reading, boundary: everywhere });
  await server.giveRole(two.id, {
    scopes: ['customers:read', 'customers:read_contact'],
    boundary: { ...everywhere, region: ['europe'] },
  });
  split = two.token;
  narrow = (await server.person({ scopes: ['customers:read'] })).token;
  const found = await server.query(person, '{ tickets(first: 1) { nodes { id } } }');
  ticketId = String(found.data.tickets.nodes[0].id);
  const orders = await server.query(person, '{ orders(first: 1) { nodes { id } } }');
  orderId = String(orders.data.orders.nodes[0].id);
});
afterAll(() => server.stop());

interface Raw {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(token: string, body: object, headers: Record<string, string> = {}): Promise<Raw> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify(body),
  });
  const operationId = response.headers.get('behalf-operation-id') ?? '';
  const text = (await response.text()).replaceAll(operationId, 'the operation');
  const { status, headers: told } = response;
  return { status, type: told.get('content-type'), text, headers: told };
}

const same = ({ status, type, text }: Raw): object => ({ status, type, text });

/** The record without what differs each time. */
async function recordFor({ headers }: Raw): Promise<object> {
  const record = await recordOf(server.database, { headers });
  const { operationId: _, at: __, durationMs: ___, ...rest } = record;
  return rest;
}

const page = (first: number) => `{
  customers(first: ${String(first)}) {
    nodes { id name email creditLimit { amount } orders(first: 2) { nodes { total { amount currency } } totalCount } }
    edges { cursor node { __typename number } }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}`;

const cases: readonly (readonly [string, object])[] = [
  ['a page with relations', { query: page(3) }],
  ['a page that is too large', { query: page(5_000) }],
  ['a row that is not there', { query: '{ order(id: "01J00000000000000000000000") { number } }' }],
  [
    'fields that merge, aliases and fragments',
    {
      query: `query Q($n: Int = 2) { a: customers(first: $n) { nodes { ...C x: name } } customers(first: 1) { nodes { id } }
        customers(first: 1) { nodes { email: email ... on Customer { id phone } } } } fragment C on Customer { name id __typename }`,
      operationName: 'Q',
    },
  ],
  [
    'variables',
    {
      query: 'query ($f: CustomerFilter, $n: Int) { customers(filter: $f, first: $n) { nodes { name } } }',
      variables: { f: { regions: ['europe'] }, n: 2 },
    },
  ],
  [
    'a filter by a field that may not be allowed',
    {
      query:
        'query ($f: CustomerFilter) { viewer { person { name } } customers(filter: $f) { nodes { name } } }',
      variables: { f: { email: 'nobody@example.com' } },
    },
  ],
  [
    'a variable of the wrong type',
    { query: 'query ($n: Int) { customers(first: $n) { totalCount } }', variables: { n: 'x' } },
  ],
  [
    'a field left out',
    { query: 'query ($s: Boolean!) { viewer { person { name @skip(if: $s) id } } }', variables: { s: true } },
  ],
  ['an operation that is not there', { query: 'query A { viewer { scopes } }', operationName: 'B' }],
  ['introspection', { query: '{ __type(name: "Customer") { fields { name } } viewer { scopes } }' }],
  ['a name that is not there', { query: '{ customers { nodes { emial } } }' }],
  [
    'only what may be refused',
    { query: '{ customers(first: 2) { nodes { email creditLimit { amount } } } }' },
  ],
  [
    'a cost that is too high',
    { query: '{ customers(first: 1000) { nodes { orders(first: 1000) { nodes { id } } } } }' },
  ],
  [
    'a documents page',
    { query: '{ documents(first: 2) { nodes { title body collection { name } owner } } }' },
  ],
  ['a prototype as a key', { query: '{ viewer { person { __proto__: name id } } }' }],
  [
    'a variable named as a prototype',
    {
      query:
        'query ($__proto__: CustomerFilter = { numbers: ["none"] }) { customers(filter: $__proto__) { totalCount } }',
    },
  ],
  [
    'a variable inside of an object that is left out',
    {
      query:
        'query ($n: [String!]) { customers(filter: { regions: ["europe"], numbers: $n }) { totalCount } }',
    },
  ],
  [
    'a default inside of an object',
    {
      query:
        'query ($n: [String!] = ["none"]) { customers(filter: { regions: ["europe"], numbers: $n }) { totalCount } }',
    },
  ],
];

describe('a document that one caller made known', () => {
  const hits = (): Promise<number> =>
    metric(server.url, 'behalf_cache_requests_total{cache="compiled_documents",result="hit"}');
  /** For the first time by anyone, which is the long way. */
  const asNew = (token: string, query: string): Promise<Raw> => ask(token, { query: `${query} #` });

  test.each([
    [
      'reaches all that it names',
      '{ customers(first: 2) { nodes { id name ...C } } } fragment C on Customer { region }',
      1,
    ],
    ['does not reach a field', '{ customers(first: 2) { nodes { id creditLimit { amount } } } }', 0],
    ['does not reach an input field', '{ customers(first: 2, filter: { email: "x" }) { nodes { id } } }', 0],
    ['does not reach a type', 'query ($f: RefundFilter) { refunds(filter: $f) { nodes { id } } }', 0],
  ])('is answered to another whose ceiling %s as if it were new', async (_, query, more) => {
    for (let time = 1; time <= 3; time += 1) await ask(person, { query });
    const before = await hits();
    const told = await ask(narrow, { query });
    expect(await hits()).toBe(before + more);
    expect(same(told)).toEqual(same(await asNew(narrow, query)));
  });
});

describe('no text of a caller’s becomes code', () => {
  const code = '(globalThis.behalfRanIt = true)';
  const date = '_MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d';
  const texts = [
    `"_${date}${code}"`,
    `"\\u005f${date}${code}"`,
    `"""_${date}${code}"""`,
    '"__MAGIC_NAN__57f286b9_4c20_487f_b409_79804ddcb4f8"',
    `"\\"+${code}+\\""`,
    `"\${${code}}"`,
    `"\\u2028${code}//"`,
  ];
  test.each([
    ['an argument', (text: string) => `{ customer(id: ${text}) { id } }`],
    ['an object', (text: string) => `{ customers(filter: { nameStartsWith: ${text} }) { totalCount } }`],
    ['a list', (text: string) => `{ customers(filter: { numbers: ["C-1", ${text}] }) { totalCount } }`],
    ['a default', (text: string) => `query ($t: ID! = ${text}) { customer(id: $t) { id } }`],
    [
      'a default of an object',
      (text: string) =>
        `query ($f: CustomerFilter = { nameStartsWith: ${text} }) { customers(filter: $f) { totalCount } }`,
    ],
    ['a search', (text: string) => `{ search(query: ${text}, first: 1) { edges { cursor } } }`],
  ])('in %s', async (_, document) => {
    for (const text of texts) {
      const query = document(text);
      const first = await ask(person, { query });
      for (let time = 2; time <= 4; time += 1) {
        expect(same(await ask(person, { query }))).toEqual(same(first));
      }
    }
    expect(globalThis).not.toHaveProperty('behalfRanIt');
  });
});

describe('the short way answers as the long way does', () => {
  test.each(cases)('%s', async (_, body) => {
    for (const token of [person, agent, split]) {
      const first = await ask(token, body);
      const record = await recordFor(first);
      for (let time = 2; time <= 5; time += 1) {
        const again = await ask(token, body);
        expect(same(again)).toEqual(same(first));
        expect(await recordFor(again)).toEqual(record);
      }
    }
  });

  test.each(['Other', 7])(
    'a document said twice, the second time as %s, is at fault once it is known too',
    async (documentId) => {
      const query = '{ viewer { person { id } } }';
      const first = await ask(person, { query, documentId });
      expect(first.status).toBe(400);
      for (let time = 1; time <= 3; time += 1) expect((await ask(person, { query })).status).toBe(200);
      expect(same(await ask(person, { query, documentId }))).toEqual(same(first));
    },
  );

  test.each([
    [
      'joined to the same path',
      'x: order(id: $id) { y_z: customer { city } } z_x: order(id: $id) { y: customer { id } }',
    ],
    [
      'that look like a list’s path',
      `x: orders(first: 1) { nodes { y_z: customer { city } } }
       z_idx0_nodes_x: order(id: $id) { y: customer { id } }`,
    ],
  ])('aliases %s get what each asked for', async (_, fields) => {
    const query = `query ($id: ID!) { ${fields} }`;
    const first = await ask(person, { query, variables: { id: orderId } });
    expect(first.text).toMatch(/"city":"./);
    for (let time = 2; time <= 4; time += 1) {
      expect(same(await ask(person, { query, variables: { id: orderId } }))).toEqual(same(first));
    }
  });

  test('a mutation without the scope changes nothing, however often it comes', async () => {
    const query = `mutation ($id: ID!) {
      setTicketStatus(ticketId: $id, status: CLOSED, expectedVersion: 1, idempotencyKey: "k") { ticket { status } }
    }`;
    const before = await server.query(person, `{ ticket(id: "${ticketId}") { status version } }`);
    const first = await ask(agent, { query, variables: { id: ticketId } });
    expect(first.text).toContain('FORBIDDEN');
    for (let time = 2; time <= 4; time += 1) {
      const again = await ask(agent, { query, variables: { id: ticketId } });
      expect(same(again)).toEqual(same(first));
    }
    const after = await server.query(person, `{ ticket(id: "${ticketId}") { status version } }`);
    expect(after.data).toEqual(before.data);
  });

  test('a mutation that comes again by another key is done again, and its conflict told alike', async () => {
    const query = `mutation ($id: ID!, $version: Int!, $key: String!) {
      setTicketStatus(ticketId: $id, status: CLOSED, expectedVersion: $version, idempotencyKey: $key) { ticket { version } }
    }`;
    const { version } = (await server.query(person, `{ ticket(id: "${ticketId}") { version } }`)).data.ticket;
    const done = await ask(person, { query, variables: { id: ticketId, version, key: 'one' } });
    const changed = { data: { setTicketStatus: { ticket: { version: Number(version) + 1 } } } };
    expect(JSON.parse(done.text)).toMatchObject(changed);
    const conflict = (key: string) => ask(person, { query, variables: { id: ticketId, version, key } });
    const first = await conflict('two');
    expect(first.text).toContain('CONFLICT');
    for (const key of ['three', 'four', 'five']) expect(same(await conflict(key))).toEqual(same(first));
  });

  test.each([
    'application/graphql-response+json',
    'application/json',
    '*/*',
    'text/html',
    'text/html, */*;q=0.1',
  ])('the caller’s wish for %s is heard', async (accept) => {
    const body = { query: '{ viewer { scopes } }' };
    const first = await ask(person, body, { accept });
    for (let time = 2; time <= 4; time += 1) {
      expect(same(await ask(person, body, { accept }))).toEqual(same(first));
    }
  });
});

test('where nothing of mutations is seen, one that is hidden equals one that never was, however often they come', async () => {
  const lacking = await TestServer.start({
    ...readSchemaParts('business'),
    domains: [makeBusiness({ smallestCell: 5 })],
  });
  try {
    const { token } = await lacking.person({ scopes: ['customers:read'] });
    const told = async (name: string): Promise<unknown> =>
      without(await raw(lacking, token, `mutation { ${name} }`), name);
    for (let time = 1; time <= 4; time += 1) {
      const never = await told('neverWas');
      expect(never).toMatchObject({ status: 400 });
      expect(await told('issueRefund')).toEqual(never);
      expect(await told('__typename')).toEqual(never);
    }
  } finally {
    await lacking.stop();
  }
});

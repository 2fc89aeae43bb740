// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TicketRow } from '../../src/domains/business/tables.js';
import { all } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { abusiveScopes, doubling, flood, multiplying, nestedLists } from '../support/abuse.js';
import { codes, key } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { codesOf, digestOf } from '../support/faults.js';
import { recordOf } from '../support/records.js';
import { TestServer, type AgentFixture, type Answer, type PersonFixture } from '../support/server.js';
import { naming, statementsOf } from '../support/statements.js';

let server: TestServer;
let person: PersonFixture;
let ticket: TicketRow;
/** Its role reaches orders; its task does not. */
let narrow: AgentFixture;

beforeAll(async () => {
  server = await TestServer.start();
  const rows = new BusinessRows(server);
  for (let n = 0; n < 4; n += 1) {
    const customer = await rows.customer(`C-${String(n)}`, 'europe');
    await rows.order(`O-${String(n)}`, customer);
    ticket = await rows.ticket(`T-${String(n)}`, customer);
  }
  person = await server.person({ scopes: abusiveScopes });
  narrow = await server.agent(
    person,
    { scopes: ['orders:read', 'tickets:read'] },
    { scopes: ['tickets:read'] },
  );
});
afterAll(() => server.stop());

const ask = (query: string, variables: Record<string, unknown> = {}): Promise<Answer> =>
  server.query(person.token, query, variables);

/** A mutation that would be done, were it not for its payload or its directives. */
const replying = (payload: string, rest = '', variables = ''): string =>
  `mutation ${variables} { replyToTicket(ticketId: "${ticket.id}", body: "Hello", idempotencyKey: "${key()}") {
     ticket { ${payload} } } } ${rest}`;

const operations: readonly (readonly [string, () => string])[] = [
  ['fragments that multiply pages', () => `{ customers { nodes { ...f0 } } } ${multiplying(3, 3)}`],
  ['fragments that double', () => `{ delegations { nodes { ...d0 } } } ${doubling(20)}`],
  ['many aliases of a large page', () => `{ ${flood(60, 1_000)} }`],
  [
    'pages inside pages',
    () => '{ customers(first: 1000) { nodes { orders(first: 1000) { nodes { id } } } } }',
  ],
  ['a mutation of multiplying fragments', () => replying('customer { ...f0 }', multiplying(4, 3))],
  [
    'a mutation with pages in pages',
    () =>
      replying(
        'customer { orders(first: 1000) { nodes { customer { tickets(first: 1000) { nodes { id } } } } } }',
      ),
  ],
];

describe('an operation that asks for too much', () => {
  test.each(operations)('%s is refused before it runs', async (_, operation) => {
    const before = await digestOf(server.database);
    let answer: Answer | undefined;
    const statements = await statementsOf(async () => {
      answer = await ask(operation());
    });
    expect(answer && codesOf(answer)).toEqual(['QUERY_TOO_COMPLEX']);
    expect(answer?.status).toBe(400);
    for (const table of ['customers', 'orders', 'tickets', 'ticket_messages']) {
      expect(naming(statements, table)).toEqual([]);
    }
    expect(await digestOf(server.database)).toBe(before);
    const record = await recordOf(server.database, answer as Answer);
    expect(record).toMatchObject({ outcome: 'failed', resources: [], rowCount: 0 });
  });

  test('many at once leave room for others', async () => {
    const bad = Array.from({ length: 5 }, () => operations.map(([, operation]) => ask(operation()))).flat();
    const [healthy, mine] = await Promise.all([
      fetch(`${server.url}/healthz`),
      ask('{ viewer { person { id } } }'),
    ]);
    expect([healthy.status, mine.errors]).toEqual([200, []]);
    for (const answer of await Promise.all(bad)) expect(codes(answer)).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('a page beyond the cap is told as that, however large', async () => {
    for (const first of [1_001, 2_147_483_647]) {
      const answer = await ask(`{ customers(first: ${String(first)}) { nodes { id } } }`);
      expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
      expect(answer.errors[0]?.message).toContain('`first` must be between 0 and 1000');
    }
  });

  test('what is within bounds is answered', async () => {
    const answer = await ask(`{ customers(first: 2) { nodes { ...f0 } } } ${multiplying(2, 2)}`);
    expect(answer.errors).toEqual([]);
    expect(answer.data.customers.nodes).toHaveLength(2);
  });
});

describe('variables', () => {
  test.each([100, 10_000, 250_000])('lists in lists, %i deep, are too much', async (depth) => {
    const lists = nestedLists(depth);
    const filter =
      'query ($numbers: [String!]) { customers(filter: { numbers: $numbers }) { nodes { id } } }';
    const body = `{"query":${JSON.stringify(filter)},"variables":{"numbers":${lists}}}`;
    const answer = await server.post(person.token, body);
    expect(codesOf(answer)).toEqual(['QUERY_TOO_COMPLEX']);
    expect(JSON.stringify(await recordOf(server.database, answer)).length).toBeLessThan(8_192);
    const whole = 'query ($filter: CustomerFilter) { customers(filter: $filter) { nodes { id } } }';
    const inside = `{"query":${JSON.stringify(whole)},"variables":{"filter":{"numbers":${lists},"x":${lists}}}}`;
    expect(codesOf(await server.post(person.token, inside))).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test.each(['skip', 'include'])('null where @%s needs a value is bad input', async (directive) => {
    const before = await digestOf(server.database);
    const guarded = `@${directive}(if: $on)`;
    const query = await ask(`query ($on: Boolean = true) { viewer ${guarded} { scopes } }`, { on: null });
    const field = replying(`id ${guarded}`, '', '($on: Boolean = true)');
    const mutation = await ask(field, { on: null });
    expect([codesOf(query), codesOf(mutation)]).toEqual([['BAD_USER_INPUT'], ['BAD_USER_INPUT']]);
    expect(await digestOf(server.database)).toBe(before);
  });

  test('null where an argument needs a value is bad input', async () => {
    const answer = await ask('query ($id: ID = "x") { customer(id: $id) { id } }', { id: null });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('records', () => {
  const name = 'n'.repeat(900_000);
  const alias = 'a'.repeat(400_000);
  const swollen: readonly (readonly [string, string])[] = [
    [
      'a long name that no operation has',
      JSON.stringify({ query: '{ viewer { scopes } }', operationName: name }),
    ],
    ['an operation with a long name', JSON.stringify({ query: `query ${name} { viewer { scopes } }` })],
    [
      'long aliases over forbidden fields',
      JSON.stringify({ query: `{ ${alias}: orders { nodes { id } } b${alias}: orders { nodes { id } } }` }),
    ],
  ];

  test.each(swollen)('stay small for %s, and others are not held up', async (_, body) => {
    const bad = Array.from({ length: 24 }, () => server.post(narrow.token, body));
    const good = Array.from({ length: 12 }, () => ask('{ viewer { person { id } } }'));
    for (const answer of await Promise.all(good)) expect(answer.errors).toEqual([]);
    for (const answer of await Promise.all(bad)) {
      expect(codes(answer)).not.toContain('AUDIT_UNAVAILABLE');
      expect(JSON.stringify(await recordOf(server.database, answer)).length).toBeLessThan(8_192);
    }
  });

  test('none of all these takes more than 64 kB', async () => {
    const rows = await server.database.read.select(auditRecords, all());
    expect(rows.length).toBeGreaterThan(100);
    expect(Math.max(...rows.map(({ body }) => Buffer.byteLength(body)))).toBeLessThan(65_536);
  });
});

describe('a response that the caller would not take', () => {
  const sent = (accept: string, query = replying('id')): Promise<Answer> =>
    server.post(person.token, JSON.stringify({ query }), { accept });

  test.each(['image/png', 'text/html', 'application/json;q=0', 'application/json; charset=latin1'])(
    'Accept: %s is refused before anything runs',
    async (accept) => {
      const before = await digestOf(server.database);
      const answer = await sent(accept);
      expect(answer.status).toBe(406);
      expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
      expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'failed', changes: [] });
      expect(await digestOf(server.database)).toBe(before);
    },
  );

  test.each([
    '*/*',
    'application/json',
    'application/json; charset=utf-8',
    'application/graphql-response+json',
  ])('Accept: %s is answered', async (accept) => {
    expect((await sent(accept)).errors).toEqual([]);
  });
});

describe('times and cursors', () => {
  const times = [
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:30:00-01:00',
    '0000-01-01T00:00:00Z',
    '2025-02-29T12:00Z',
  ];

  test.each(times)('%s is no time', async (time) => {
    const filter = (value: string): string =>
      `customers(filter: { createdAfter: ${value} }) { nodes { id } }`;
    expect(codesOf(await ask(`{ ${filter(`"${time}"`)} }`))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await ask(`query ($t: DateTime) { ${filter('$t')} }`, { t: time }))).toEqual([
      'BAD_USER_INPUT',
    ]);
  });

  test('a time of a leap day, and one with an offset, are', async () => {
    for (const time of [
      '2024-02-29T23:59:59.999Z',
      '2026-01-01T00:00:00+14:00',
      '9999-12-31T23:59:59.999Z',
    ]) {
      expect((await ask(`{ orders(filter: { placedAfter: "${time}" }) { nodes { id } } }`)).errors).toEqual(
        [],
      );
    }
  });

  const listed = (after?: string): Promise<Answer> =>
    ask(
      `query ($after: String) { orders(first: 2, orderBy: { placedAt: ASC }, after: $after) {
         nodes { number } pageInfo { endCursor } } }`,
      { after },
    );

  test('a forged cursor is bad input', async () => {
    const { endCursor } = (await listed()).data.orders.pageInfo as { endCursor: string };
    const genuine = await listed(endCursor);
    expect(genuine.errors).toEqual([]);
    expect(genuine.data.orders.nodes).toHaveLength(2);
    const bytes = Buffer.from(endCursor, 'base64url');
    const flipped = [...bytes].map((byte, at) => {
      const other = Buffer.from(bytes);
      other[at] = byte ^ 1;
      return other.toString('base64url');
    });
    const forged = [
      ...flipped,
      '',
      'x',
      `${endCursor}A`,
      `${endCursor}=`,
      endCursor.slice(0, -4),
      bytes.subarray(0, 16).toString('base64url'),
      Buffer.from('["2026-01-01T00:00:00.000Z","x"]').toString('base64url'),
    ];
    for (const cursor of forged) {
      expect([cursor, codesOf(await listed(cursor))]).toEqual([cursor, ['BAD_USER_INPUT']]);
    }
  });
});

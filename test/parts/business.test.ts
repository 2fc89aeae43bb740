// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  CustomerRow,
  InvoiceRow,
  OrderRow,
  PaymentRow,
  RefundRow,
  TicketRow,
} from '../../src/domains/business/tables.js';
import { BusinessRows, startBusiness } from '../support/business.js';
import { everywhere, type PersonFixture, type TestServer } from '../support/server.js';

const reading = [
  'customers:read',
  'customers:read_contact',
  'customers:read_credit',
  'products:read',
  'products:read_cost',
  'stock:read',
  'orders:read',
  'invoices:read',
  'payments:read',
  'refunds:read',
  'tickets:read',
  'tickets:read_internal',
];
const europe = { ...everywhere, region: ['europe'] };

/** One customer with one of everything. */
interface Case {
  readonly customer: CustomerRow;
  readonly order: OrderRow;
  readonly invoice: InvoiceRow;
  readonly payment: PaymentRow;
  readonly refund: RefundRow;
  readonly ticket: TicketRow;
}

let server: TestServer;
let rows: BusinessRows;
let everyone: PersonFixture;
let european: PersonFixture;
let inside: Case;
let outside: Case;

async function makeCase(letter: string, region: string): Promise<Case> {
  const customer = await rows.customer(`C-${letter}`, region);
  const order = await rows.order(`O-${letter}`, customer, { totalMinor: letter === 'E' ? 10_000 : 20_050 });
  const invoice = await rows.invoice(`I-${letter}`, order, { amountMinor: 8_000, paidMinor: 5_000 });
  const payment = await rows.payment(invoice);
  const refund = await rows.refund(payment);
  const ticket = await rows.ticket(`T-${letter}`, customer, { orderId: order.id });
  await rows.message(ticket, 'It does not work.', false);
  await rows.message(ticket, 'They always say so.', true);
  return { customer, order, invoice, payment, refund, ticket };
}

beforeAll(async () => {
  // One document asks for everything that there is.
  server = await startBusiness({}, { BEHALF_OPERATION_COST_MAX: '100000' });
  rows = new BusinessRows(server);
  inside = await makeCase('E', 'europe');
  outside = await makeCase('A', 'america');
  const machine = await rows.product('M-1');
  await rows.product('P-1', { category: 'parts', name: 'äther', stock: 2, discontinued: true });
  await rows.line(inside.order, machine, { quantity: 2, unitPriceMinor: 5_000 });
  everyone = await server.person({ scopes: reading });
  european = await server.person({ scopes: reading, boundary: europe });
});
afterAll(() => server.stop());

const codes = (answer: { errors: readonly { extensions: Record<string, unknown> }[] }): unknown[] =>
  answer.errors.map((error) => error.extensions.code);

describe('reading', () => {
  test('gives rows by id and by number, with exact money and enum values', async () => {
    const answer = await server.query(
      everyone.token,
      `query ($order: ID!) {
        order(id: $order) {
          number status total { amount currency } shippedAt
          customer { number email creditLimit { amount } }
          lines { totalCount nodes { position quantity unitPrice { amount currency } product { sku cost { amount } } } }
          invoices { nodes { number outstanding { amount } payments { nodes { method refunds { nodes { amount { amount } payment { reference } } } } } } }
        }
        customerByNumber(number: "C-E") { name orders { totalCount } invoices { totalCount } tickets { totalCount } }
        invoiceByNumber(number: "I-E") { status amount { amount } paid { amount } order { number } customer { number } }
        ticketByNumber(number: "T-E") { category priority status order { number } customer { number } }
        productBySku(sku: "M-1") { price { amount } stock movements { totalCount } }
        orderByNumber(number: "o-e") { id }
      }`,
      { order: inside.order.id },
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      order: {
        number: 'O-E',
        status: 'PLACED',
        total: { amount: '100.00', currency: 'EUR' },
        shippedAt: null,
        customer: { number: 'C-E', email: 'c-e@example.com', creditLimit: { amount: '5000.00' } },
        lines: {
          totalCount: 1,
          nodes: [
            {
              position: 1,
              quantity: 2,
              unitPrice: { amount: '50.00', currency: 'EUR' },
              product: { sku: 'M-1', cost: { amount: '60.00' } },
            },
          ],
        },
        invoices: {
          nodes: [
            {
              number: 'I-E',
              outstanding: { amount: '30.00' },
              payments: {
                nodes: [
                  {
                    method: 'DIRECT_DEBIT',
                    refunds: { nodes: [{ amount: { amount: '10.00' }, payment: { reference: 'R-1' } }] },
                  },
                ],
              },
            },
          ],
        },
      },
      customerByNumber: {
        name: 'Name of C-E',
        orders: { totalCount: 1 },
        invoices: { totalCount: 1 },
        tickets: { totalCount: 1 },
      },
      invoiceByNumber: {
        status: 'OPEN',
        amount: { amount: '80.00' },
        paid: { amount: '50.00' },
        order: { number: 'O-E' },
        customer: { number: 'C-E' },
      },
      ticketByNumber: {
        category: 'FAULT',
        priority: 'NORMAL',
        status: 'OPEN',
        order: { number: 'O-E' },
        customer: { number: 'C-E' },
      },
      productBySku: { price: { amount: '123.45' }, stock: 10, movements: { totalCount: 0 } },
      orderByNumber: null,
    });
  });

  test.each(['customer', 'order', 'invoice', 'payment', 'refund', 'ticket'] as const)(
    'a %s outside the boundary is not there: by id, in the list, in the count',
    async (type) => {
      const answer = await server.query(
        european.token,
        `query ($in: ID!, $out: ID!) {
          in: ${type}(id: $in) { id }
          out: ${type}(id: $out) { id }
          all: ${type}s { totalCount nodes { id } pageInfo { hasNextPage } }
          one: ${type}s(first: 1) { pageInfo { hasNextPage } }
        }`,
        { in: inside[type].id, out: outside[type].id },
      );
      expect(answer.errors).toEqual([]);
      expect(answer.data).toEqual({
        in: { id: inside[type].id },
        out: null,
        all: { totalCount: 1, nodes: [{ id: inside[type].id }], pageInfo: { hasNextPage: false } },
        one: { pageInfo: { hasNextPage: false } },
      });
    },
  );

  test('numbers outside the boundary are not there', async () => {
    const answer = await server.query(
      european.token,
      `{ customerByNumber(number: "C-A") { id } orderByNumber(number: "O-A") { id }
         invoiceByNumber(number: "I-A") { id } ticketByNumber(number: "T-A") { id } }`,
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      customerByNumber: null,
      orderByNumber: null,
      invoiceByNumber: null,
      ticketByNumber: null,
    });
  });

  test('relations keep the boundary of the type they lead to', async () => {
    const mixed = await server.person({ scopes: ['tickets:read'] });
    await server.giveRole(mixed.id, { scopes: ['customers:read', 'orders:read'], boundary: europe });
    const answer = await server.query(
      mixed.token,
      '{ tickets(orderBy: { number: ASC }) { nodes { number customer { number } order { number } } } }',
    );
    expect(answer.data).toEqual({
      tickets: {
        nodes: [
          { number: 'T-A', customer: null, order: null },
          { number: 'T-E', customer: { number: 'C-E' }, order: { number: 'O-E' } },
        ],
      },
    });
  });

  test('pages below parents are each caller’s own, also where many ask at the same moment', async () => {
    const query = `query ($first: Int!) { customers(first: 50) { nodes {
      id orders(first: $first) { nodes { id number } pageInfo { hasNextPage } }
    } } }`;
    const ask = async (caller: PersonFixture, first: number): Promise<unknown> =>
      (await server.query(caller.token, query, { first })).data;
    const callers = [everyone, european].flatMap((caller) => [1, 2].map((first) => ({ caller, first })));
    const alone: unknown[] = [];
    for (const { caller, first } of callers) alone.push(await ask(caller, first));
    const rounds = Array.from({ length: 8 }, () => callers).flat();
    const together = await Promise.all(rounds.map(({ caller, first }) => ask(caller, first)));
    expect(together).toEqual(Array.from({ length: 8 }, () => alone).flat());
    expect(JSON.stringify(alone[2])).toContain(inside.order.id);
    expect(JSON.stringify(alone[2])).not.toContain(outside.order.id);
  });
});

describe('fields with scopes of their own', () => {
  test('contact data, credit and cost are null and refused without their scopes', async () => {
    const scopes = ['customers:read', 'products:read'];
    const full = [...scopes, 'customers:read_contact', 'customers:read_credit', 'products:read_cost'];
    const boss = await server.person({ scopes: full });
    const agent = await server.agent(boss, { scopes: full }, { scopes });
    const answer = await server.query(
      agent.token,
      `{ customerByNumber(number: "C-E") { name contactName email phone address creditLimit { amount } }
         productBySku(sku: "M-1") { sku cost { amount } } }`,
    );
    expect(answer.data).toEqual({
      customerByNumber: {
        name: 'Name of C-E',
        contactName: null,
        email: null,
        phone: null,
        address: null,
        creditLimit: null,
      },
      productBySku: { sku: 'M-1', cost: null },
    });
    expect(codes(answer)).toEqual(Array(6).fill('FORBIDDEN'));
    const filtered = await server.query(
      agent.token,
      '{ customers(filter: { email: "c-e@example.com" }) { totalCount } }',
    );
    expect(filtered.data).toEqual({ customers: null });
    expect(codes(filtered)).toEqual(['FORBIDDEN']);
  });

  test('a filter on contact data finds nothing where contact data may not be read', async () => {
    const mixed = await server.person({ scopes: ['customers:read'] });
    await server.giveRole(mixed.id, { scopes: ['customers:read_contact'], boundary: europe });
    const answer = await server.query(
      mixed.token,
      `{ in: customers(filter: { email: "c-e@example.com" }) { totalCount nodes { number } }
         out: customers(filter: { email: "c-a@example.com" }) { totalCount nodes { number } } }`,
    );
    expect(answer.data).toEqual({
      in: { totalCount: 1, nodes: [{ number: 'C-E' }] },
      out: { totalCount: 0, nodes: [] },
    });
  });

  test('internal notes are in no list, count or page of messages, and need their scope', async () => {
    const query = `{ ticketByNumber(number: "T-E") {
      messages(first: 1) { totalCount nodes { body internal author } pageInfo { hasNextPage } }
      internalNotes { totalCount nodes { body internal } } } }`;
    const messages = {
      totalCount: 1,
      nodes: [{ body: 'It does not work.', internal: false, author: 'STAFF' }],
      pageInfo: { hasNextPage: false },
    };
    const told = await server.query(everyone.token, query);
    expect(told.data).toEqual({
      ticketByNumber: {
        messages,
        internalNotes: { totalCount: 1, nodes: [{ body: 'They always say so.', internal: true }] },
      },
    });
    const agent = await server.agent(everyone, { scopes: reading }, { scopes: ['tickets:read'] });
    const untold = await server.query(agent.token, query);
    expect(untold.data).toEqual({ ticketByNumber: { messages, internalNotes: null } });
    expect(codes(untold)).toEqual(['FORBIDDEN']);
  });
});

describe('filters', () => {
  test.each([
    ['customers', '{ numbers: ["C-E", "C-X"] }', 1],
    ['customers', '{ numbers: [] }', 0],
    ['customers', '{ nameStartsWith: "Name of C" }', 2],
    ['customers', '{ nameStartsWith: "name" }', 0],
    ['customers', '{ regions: ["america"], countries: ["Austria"] }', 1],
    ['customers', '{ regions: ["Europe"] }', 0],
    ['customers', '{ createdAfter: "2026-03-02T10:00:00.000Z" }', 2],
    ['customers', '{ createdBefore: "2026-03-02T10:00:00.000Z" }', 0],
    ['products', '{ skus: ["M-1"] }', 1],
    ['products', '{ nameStartsWith: "ä" }', 1],
    ['products', '{ nameStartsWith: "a" }', 0],
    ['products', '{ categories: ["parts"], discontinued: true, stockAtMost: 2 }', 1],
    ['products', '{ stockAtMost: 1 }', 0],
    ['orders', '{ numbers: ["O-A"], status: [PLACED, PACKED] }', 1],
    ['orders', '{ status: [SHIPPED] }', 0],
    ['orders', '{ placedAfter: "2026-03-02T11:00:00+01:00", placedBefore: "2026-03-02T10:00:00.001Z" }', 2],
    ['orders', '{ totalAtLeast: { amount: "200.50", currency: "EUR" } }', 1],
    ['orders', '{ totalAtMost: { amount: "200.49", currency: "EUR" } }', 1],
    ['orders', '{ totalAtLeast: { amount: "0", currency: "USD" } }', 0],
    ['invoices', '{ numbers: ["I-E"], status: [OPEN], dueBefore: "2026-04-01T00:00:00.001Z" }', 1],
    ['invoices', '{ dueAfter: "2026-04-01T00:00:00.001Z" }', 0],
    ['invoices', '{ dueAfter: "2026-03-31T23:59:59.999001Z" }', 2],
    ['invoices', '{ dueAfter: "2026-04-01T00:00:00.000001Z" }', 0],
    ['invoices', '{ dueBefore: "2026-04-01T00:00:00.000001Z" }', 2],
    [
      'invoices',
      '{ amountAtLeast: { amount: "80", currency: "EUR" }, issuedAfter: "2026-01-01T00:00:00Z" }',
      2,
    ],
    ['payments', '{ methods: [DIRECT_DEBIT], references: ["R-1"] }', 2],
    ['payments', '{ methods: [CARD] }', 0],
    ['payments', '{ amountAtMost: { amount: "49.99", currency: "EUR" } }', 0],
    ['refunds', '{ issuedAfter: "2026-03-02T10:00:00.001Z" }', 0],
    ['refunds', '{ amountAtLeast: { amount: "10", currency: "EUR" } }', 2],
    ['tickets', '{ numbers: ["T-E"], status: [OPEN], categories: [FAULT], priorities: [NORMAL] }', 1],
    ['tickets', '{ updatedBefore: "2026-03-02T10:00:00.000Z" }', 0],
  ])('%s(filter: %s) finds %i', async (list, filter, count) => {
    const answer = await server.query(
      everyone.token,
      `{ ${list}(filter: ${filter}) { totalCount nodes { id } } }`,
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      [list]: { totalCount: count, nodes: Array(count).fill(expect.anything()) },
    });
  });

  test('apply in relations too', async () => {
    const answer = await server.query(
      everyone.token,
      `{ customerByNumber(number: "C-E") { open: orders(filter: { status: [PLACED] }) { totalCount nodes { number } }
         gone: orders(filter: { status: [CANCELLED] }) { totalCount nodes { number } } } }`,
    );
    expect(answer.data).toEqual({
      customerByNumber: {
        open: { totalCount: 1, nodes: [{ number: 'O-E' }] },
        gone: { totalCount: 0, nodes: [] },
      },
    });
  });

  test.each([
    ['customers(first: -1)', 'first'],
    ['customers(first: 100000)', 'first'],
    ['customers(after: "nonsense")', 'after'],
    ['customers(filter: { nameStartsWith: " " })', 'filter.nameStartsWith'],
    [`customers(filter: { numbers: [${'"x",'.repeat(101)}] })`, 'filter.numbers'],
    ['orders(filter: { totalAtLeast: { amount: "1.005", currency: "EUR" } })', 'filter.totalAtLeast.amount'],
    ['orders(filter: { totalAtLeast: { amount: "1", currency: "euro" } })', 'filter.totalAtLeast.currency'],
    ['orderByNumber(number: "")', 'number'],
  ])('%s is BAD_USER_INPUT', async (field, path) => {
    const selection = field.startsWith('orderByNumber') ? '{ id }' : '{ totalCount nodes { id } }';
    const answer = await server.query(everyone.token, `{ ${field} ${selection} }`);
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
  });
});

describe('sorting', () => {
  const names = ['Zebra', 'apple', 'Äpfel', 'Apple', 'Apple pie', 'éclair', '😀', 'ﬀ', 'apple2', 'a-b'];
  const byCodePoint = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

  beforeAll(async () => {
    for (const [at, name] of names.entries()) {
      await rows.customer(`S-${at}`, 'sorting', { name, createdAt: `2026-01-01T00:00:00.00${at % 3}Z` });
    }
  });

  test.each([
    ['ASC', byCodePoint],
    ['DESC', [...byCodePoint].reverse()],
  ])('by name %s is by code point on both databases, through pages of 3', async (direction, expected) => {
    const found: string[] = [];
    let after: string | null = null;
    do {
      const answer = await server.query(
        everyone.token,
        `query ($after: String) { customers(filter: { regions: ["sorting"] }, orderBy: { name: ${direction} }, first: 3, after: $after) {
          nodes { name } pageInfo { hasNextPage endCursor } } }`,
        { after },
      );
      const { customers } = answer.data as {
        customers: { nodes: { name: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      };
      found.push(...customers.nodes.map((node) => node.name));
      after = customers.pageInfo.hasNextPage ? customers.pageInfo.endCursor : null;
    } while (after !== null);
    expect(found).toEqual(expected);
  });

  test('equal values are in order of their ids', async () => {
    const answer = await server.query(
      everyone.token,
      '{ customers(filter: { regions: ["sorting"] }, orderBy: { createdAt: ASC }) { nodes { number } } }',
    );
    expect(answer.data).toEqual({
      customers: { nodes: [0, 3, 6, 9, 1, 4, 7, 2, 5, 8].map((at) => ({ number: `S-${at}` })) },
    });
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  CustomerRow,
  InvoiceRow,
  OrderRow,
  PaymentRow,
  ProductRow,
  TicketRow,
} from '../../../src/domains/business/tables.js';
import { delegations } from '../../../src/store/tables/identity.js';
import { BusinessRows } from '../../support/business.js';
import { digestOf } from '../../support/faults.js';
import { recordOf } from '../../support/records.js';
import { everywhere, TestServer, type Answer, type PersonFixture } from '../../support/server.js';

const reading = [
  'orders:read',
  'invoices:read',
  'payments:read',
  'refunds:read',
  'tickets:read',
  'products:read',
];
const changing = [
  'invoices:issue',
  'payments:record',
  'refunds:issue',
  'tickets:reply',
  'tickets:update_status',
  'orders:update_status',
  'stock:adjust',
  'stock:read',
];
const all = [...reading, ...changing];

let server: TestServer;
let rosa: PersonFixture;
let customer: CustomerRow;
let order: OrderRow;
let cancelled: OrderRow;
let billed: OrderRow;
let invoice: InvoiceRow;
let paid: InvoiceRow;
let payment: PaymentRow;
let product: ProductRow;
let closed: TicketRow;

beforeAll(async () => {
  server = await TestServer.start();
  rosa = await server.person({ scopes: all });
  const rows = new BusinessRows(server);
  customer = await rows.customer('C-1', 'europe');
  order = await rows.order('O-1', customer, { status: 'packed' });
  cancelled = await rows.order('O-2', customer, { status: 'cancelled' });
  billed = await rows.order('O-3', customer, { totalMinor: 5_000 });
  await rows.invoice('I-0', billed, { amountMinor: 5_000 });
  invoice = await rows.invoice('I-1', order, { amountMinor: 123_456, paidMinor: 23_111 });
  paid = await rows.invoice('I-2', order, { status: 'paid' });
  payment = await rows.payment(invoice, { amountMinor: 23_111 });
  await rows.refund(payment, { amountMinor: 11_009 });
  product = await rows.product('P-1', { stock: 37 });
  closed = await rows.ticket('T-1', customer, { status: 'closed' });
});
afterAll(() => server.stop());

let keys = 0;
interface Refused {
  readonly field: string;
  readonly scopes: readonly string[];
  readonly args: () => string;
}
const eur = (amount: string): string => `amount: { amount: "${amount}", currency: "EUR" }`;
const due = 'dueAt: "2999-01-01T00:00:00.000Z"';
const received = 'method: CARD, receivedAt: "2026-01-01T00:00:00.000Z"';
const table: readonly Refused[] = [
  {
    field: 'issueRefund',
    scopes: ['refunds:issue', 'payments:read'],
    args: () => `paymentId: "${payment.id}", ${eur('200.00')}, reason: "r"`,
  },
  {
    field: 'recordPayment',
    scopes: ['payments:record', 'invoices:read'],
    args: () => `invoiceId: "${invoice.id}", ${eur('9000.00')}, ${received}`,
  },
  {
    field: 'recordPayment',
    scopes: ['payments:record', 'invoices:read'],
    args: () => `invoiceId: "${paid.id}", ${eur('1.00')}, ${received}`,
  },
  {
    field: 'issueInvoice',
    scopes: ['invoices:issue', 'orders:read'],
    args: () => `orderId: "${cancelled.id}", ${due}`,
  },
  {
    field: 'issueInvoice',
    scopes: ['invoices:issue', 'orders:read', 'invoices:read'],
    args: () => `orderId: "${billed.id}", ${due}`,
  },
  {
    field: 'setOrderStatus',
    scopes: ['orders:update_status', 'orders:read'],
    args: () => `orderId: "${order.id}", status: PLACED, expectedVersion: 1`,
  },
  {
    field: 'adjustStock',
    scopes: ['stock:adjust', 'products:read'],
    args: () => `productId: "${product.id}", quantity: -100, reason: "r"`,
  },
  {
    field: 'replyToTicket',
    scopes: ['tickets:reply', 'tickets:read'],
    args: () => `ticketId: "${closed.id}", body: "b"`,
  },
  {
    field: 'setTicketStatus',
    scopes: ['tickets:update_status', 'tickets:read'],
    args: () => `ticketId: "${closed.id}", status: PENDING, expectedVersion: 1`,
  },
];
const send = (token: string, { field, args }: Refused): Promise<Answer> =>
  server.query(
    token,
    `mutation { ${field}(${args()}, idempotencyKey: "k-${String((keys += 1))}") { __typename } }`,
  );
const agentWith = (scopes: readonly string[]) => server.agent(rosa, { scopes: all }, { scopes });

describe('09 a mutation that failed did read', () => {
  test.each(table)(
    '$field: what it looked at is in its record and charged, and nothing changed',
    async (one) => {
      const agent = await agentWith(one.scopes);
      const before = await digestOf(server.database);
      const answer = await send(agent.token, one);
      expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['CONFLICT']);
      expect(await digestOf(server.database)).toBe(before);
      const record = await recordOf(server.database, answer);
      expect(record.outcome).toBe('failed');
      expect(record.changes).toEqual([]);
      expect(record.resources.flatMap(({ ids }) => ids).length).toBeGreaterThan(0);
      expect(record.resources.map(({ action }) => action)).not.toContain('update');
      expect(record.resources.map(({ action }) => action)).not.toContain('create');
      expect(record.rowCount).toBeGreaterThan(0);
      const row = await server.database.read.byId(delegations, agent.delegationId);
      expect([row?.operationsUsed, row?.rowsUsed]).toEqual([1, record.rowCount]);
    },
  );

  test('one of several fields that fails keeps what all of them read, and nothing of what the first wrote', async () => {
    const agent = await agentWith(['stock:adjust', 'stock:read', 'products:read']);
    const answer = await server.query(
      agent.token,
      `mutation { a: adjustStock(productId: "${product.id}", quantity: 1, reason: "r", idempotencyKey: "a") { product { stock } }
        b: adjustStock(productId: "${product.id}", quantity: -1000, reason: "r", idempotencyKey: "b") { product { stock } } }`,
    );
    expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['CONFLICT']);
    const record = await recordOf(server.database, answer);
    expect(record.resources).toMatchObject([{ type: 'Product', action: 'read', ids: [product.id] }]);
    expect(
      (await server.database.read.query('SELECT stock FROM behalf_products')).map((row) => row.stock),
    ).toEqual([37]);
  });
});

describe('09 a message tells what stands in rows only to who may read it', () => {
  const refund = table[0] as Refused;
  const left = '121.02';

  test('what is left to pay back, to who reads refunds there', async () => {
    const seeing = await send((await agentWith([...refund.scopes, 'refunds:read'])).token, refund);
    expect(seeing.errors[0]?.message).toContain(left);
  });

  test('and not to who may only issue them, or reads them elsewhere', async () => {
    const blind = await send((await agentWith(refund.scopes)).token, refund);
    const person = await server.person({ scopes: refund.scopes });
    const boundary = { ...everywhere, customer: [server.ids.next()] };
    await server.giveRole(person.id, { scopes: ['refunds:read'], boundary });
    const elsewhere = await send(person.token, refund);
    for (const { errors } of [blind, elsewhere]) {
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(['CONFLICT']);
      expect(JSON.stringify(errors)).not.toMatch(/121|110|231/);
    }
  });

  test('that an order is billed, in the same words as that nothing is left of it', async () => {
    const scopes = ['invoices:issue', 'orders:read', 'invoices:read'];
    const billedInFull = await send((await agentWith(scopes)).token, table[4] as Refused);
    expect(billedInFull.errors[0]?.message).toBe('There is nothing left to bill for this order.');
  });
});

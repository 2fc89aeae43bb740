// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  invoices,
  orders,
  payments,
  products,
  refunds,
  stockMovements,
  ticketMessages,
  tickets,
  type CustomerRow,
} from '../../src/domains/business/tables.js';
import { BusinessRows, startBusiness } from '../support/business.js';
import { everywhere, type AgentFixture, type Answer, type TestServer } from '../support/server.js';

const scopes = [
  'products:read',
  'stock:read',
  'stock:adjust',
  'orders:read',
  'orders:update_status',
  'invoices:read',
  'invoices:issue',
  'payments:read',
  'payments:record',
  'refunds:read',
  'refunds:issue',
  'tickets:read',
  'tickets:read_internal',
  'tickets:reply',
  'tickets:update_status',
];

let server: TestServer;
let rows: BusinessRows;
let agent: AgentFixture;
let inside: CustomerRow;
let outside: CustomerRow;
let count = 0;

beforeAll(async () => {
  server = await startBusiness();
  rows = new BusinessRows(server);
  inside = await rows.customer('C-E', 'europe');
  outside = await rows.customer('C-A', 'america');
  const person = await server.person({ scopes });
  agent = await server.agent(person, { scopes, boundary: { ...everywhere, region: ['europe'] } });
});
beforeEach(() => {
  count += 1;
});
afterAll(() => server.stop());

/** One mutation field, with a key of its own unless one is given. */
const change = (field: string, args: string, selection: string, key = `key-${count}`): Promise<Answer> =>
  server.query(agent.token, `mutation { ${field}(idempotencyKey: "${key}", ${args}) ${selection} }`);

const table = { tickets, ticketMessages, orders, products, stockMovements, invoices, payments, refunds };
const everything = async (): Promise<unknown> =>
  Promise.all(Object.values(table).map((one) => rows.all<object>(one as never)));

/** The change is refused with this code and leaves everything as it was. */
async function expectRefused(code: string, field: string, args: string, path?: string): Promise<void> {
  const before = await everything();
  const answer = await change(field, args, '{ __typename }', server.ids.next());
  expect(answer.data ?? null).toBeNull();
  expect(answer.errors.map((error) => error.extensions)).toEqual([
    expect.objectContaining({ code, ...(path !== undefined && { path }) }),
  ]);
  expect(await everything()).toEqual(before);
}

describe('tickets', () => {
  test('an answer is written in the name of the acting agent and moves the ticket', async () => {
    const ticket = await rows.ticket(`T-${count}`, inside);
    const answer = await change(
      'replyToTicket',
      `ticketId: "${ticket.id}", body: "We are sorry.\\r\\nIt is on its way."`,
      '{ ticket { version updatedAt messages { totalCount } } message { author authorName internal body } internalNote { id } }',
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      replyToTicket: {
        ticket: { version: 2, updatedAt: expect.any(String), messages: { totalCount: 1 } },
        message: {
          author: 'AGENT',
          authorName: agent.name,
          internal: false,
          body: 'We are sorry.\nIt is on its way.',
        },
        internalNote: null,
      },
    });
    expect(answer.data).not.toMatchObject({ replyToTicket: { ticket: { updatedAt: ticket.updatedAt } } });
  });

  test('a note is internal, also on a closed ticket', async () => {
    const ticket = await rows.ticket(`T-${count}`, inside, { status: 'closed' });
    const answer = await change(
      'replyToTicket',
      `ticketId: "${ticket.id}", body: "Watch out.", internal: true`,
      '{ ticket { messages { totalCount } internalNotes { totalCount } } message { id } internalNote { body internal } }',
    );
    expect(answer.data).toEqual({
      replyToTicket: {
        ticket: { messages: { totalCount: 0 }, internalNotes: { totalCount: 1 } },
        message: null,
        internalNote: { body: 'Watch out.', internal: true },
      },
    });
  });

  test('a person who acts without an agent writes as staff', async () => {
    const person = await server.person({ scopes });
    const ticket = await rows.ticket(`T-${count}`, inside);
    const answer = await server.query(
      person.token,
      `mutation { replyToTicket(idempotencyKey: "k", ticketId: "${ticket.id}", body: "Hello") { message { author authorName } } }`,
    );
    expect(answer.data).toEqual({ replyToTicket: { message: { author: 'STAFF', authorName: person.name } } });
  });

  test('empty text, closed tickets and tickets outside the boundary are refused', async () => {
    const open = await rows.ticket(`T-${count}`, inside);
    const closed = await rows.ticket(`T-${count}-closed`, inside, { status: 'closed' });
    const foreign = await rows.ticket(`T-${count}-out`, outside);
    await expectRefused('BAD_USER_INPUT', 'replyToTicket', `ticketId: "${open.id}", body: " "`, 'body');
    await expectRefused('CONFLICT', 'replyToTicket', `ticketId: "${closed.id}", body: "x"`);
    await expectRefused('NOT_FOUND', 'replyToTicket', `ticketId: "${foreign.id}", body: "x"`);
    await expectRefused('NOT_FOUND', 'replyToTicket', 'ticketId: "no id", body: "x"');
  });

  test('a status changes at the expected version only, and a closed ticket only opens', async () => {
    const ticket = await rows.ticket(`T-${count}`, inside);
    const foreign = await rows.ticket(`T-${count}-out`, outside);
    const set = (status: string, version: number, id = ticket.id): string =>
      `ticketId: "${id}", status: ${status}, expectedVersion: ${version}`;
    const answer = await change('setTicketStatus', set('CLOSED', 1), '{ ticket { status version } }');
    expect(answer.data).toEqual({ setTicketStatus: { ticket: { status: 'CLOSED', version: 2 } } });
    await expectRefused('CONFLICT', 'setTicketStatus', set('PENDING', 2));
    await expectRefused('CONFLICT', 'setTicketStatus', set('OPEN', 1));
    await expectRefused('NOT_FOUND', 'setTicketStatus', set('OPEN', 1, foreign.id));
    count += 1;
    const opened = await change('setTicketStatus', set('OPEN', 2), '{ ticket { status version } }');
    expect(opened.data).toEqual({ setTicketStatus: { ticket: { status: 'OPEN', version: 3 } } });
  });
});

describe('orders', () => {
  const set = (id: string, status: string, version: number): string =>
    `orderId: "${id}", status: ${status}, expectedVersion: ${version}`;

  test('an order moves on step by step, and shipping tells when', async () => {
    const order = await rows.order(`O-${count}`, inside);
    for (const [at, status] of ['PACKED', 'SHIPPED', 'DELIVERED'].entries()) {
      const answer = await change(
        'setOrderStatus',
        set(order.id, status, at + 1),
        '{ order { status version shippedAt } }',
        `key-${count}-${status}`,
      );
      expect(answer.data).toEqual({
        setOrderStatus: {
          order: { status, version: at + 2, shippedAt: at === 0 ? null : expect.any(String) },
        },
      });
    }
  });

  test('other steps, other versions and orders outside the boundary are refused', async () => {
    const order = await rows.order(`O-${count}`, inside);
    const cancelled = await rows.order(`O-${count}-c`, inside, { status: 'cancelled' });
    const shipped = await rows.order(`O-${count}-s`, inside, { status: 'shipped' });
    const foreign = await rows.order(`O-${count}-out`, outside);
    await expectRefused('CONFLICT', 'setOrderStatus', set(order.id, 'DELIVERED', 1));
    await expectRefused('CONFLICT', 'setOrderStatus', set(order.id, 'PLACED', 1));
    await expectRefused('CONFLICT', 'setOrderStatus', set(cancelled.id, 'PACKED', 1));
    await expectRefused('CONFLICT', 'setOrderStatus', set(shipped.id, 'CANCELLED', 1));
    await expectRefused('CONFLICT', 'setOrderStatus', set(order.id, 'PACKED', 7));
    await expectRefused('NOT_FOUND', 'setOrderStatus', set(foreign.id, 'PACKED', 1));
  });
});

describe('stock', () => {
  test('an adjustment changes the number and leaves a movement', async () => {
    const product = await rows.product(`P-${count}`, { stock: 4 });
    const answer = await change(
      'adjustStock',
      `productId: "${product.id}", quantity: -4, reason: "Broken in the store."`,
      '{ product { stock version movements { totalCount } } movement { quantity stockAfter reason product { sku } } }',
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      adjustStock: {
        product: { stock: 0, version: 2, movements: { totalCount: 1 } },
        movement: {
          quantity: -4,
          stockAfter: 0,
          reason: 'Broken in the store.',
          product: { sku: product.sku },
        },
      },
    });
  });

  test('never below zero, never by zero, never without a reason', async () => {
    const product = await rows.product(`P-${count}`, { stock: 4 });
    const adjust = (quantity: number, reason: string): string =>
      `productId: "${product.id}", quantity: ${quantity}, reason: "${reason}"`;
    await expectRefused('CONFLICT', 'adjustStock', adjust(-5, 'x'));
    await expectRefused('BAD_USER_INPUT', 'adjustStock', adjust(0, 'x'), 'quantity');
    await expectRefused('BAD_USER_INPUT', 'adjustStock', adjust(2_147_483_647, 'x'), 'quantity');
    await expectRefused('BAD_USER_INPUT', 'adjustStock', adjust(1, ''), 'reason');
  });

  test('adjustments at once all count', async () => {
    const product = await rows.product(`P-${count}`, { stock: 3 });
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((at) =>
        change(
          'adjustStock',
          `productId: "${product.id}", quantity: -1, reason: "x"`,
          '{ __typename }',
          `key-${count}-${at}`,
        ),
      ),
    );
    expect(answers.flatMap((answer) => answer.errors.map((error) => error.extensions.code))).toEqual([
      'CONFLICT',
      'CONFLICT',
    ]);
    const left = (await rows.all(products)).find((row) => row.id === product.id);
    expect(left).toMatchObject({ stock: 0, version: 4 });
  });
});

describe('billing', () => {
  const due = 'dueAt: "2999-01-01T00:00:00.000Z"';
  const amount = (value: string, currency = 'EUR'): string =>
    `amount: { amount: "${value}", currency: "${currency}" }`;

  test('an invoice is over what is left of the order, void ones not counted', async () => {
    const order = await rows.order(`O-${count}`, inside, { totalMinor: 10_000 });
    await rows.invoice(`I-${count}-1`, order, { amountMinor: 2_500, status: 'paid' });
    await rows.invoice(`I-${count}-2`, order, { amountMinor: 9_000, status: 'void' });
    const answer = await change(
      'issueInvoice',
      `orderId: "${order.id}", ${due}`,
      '{ invoice { number status amount { amount currency } paid { amount } dueAt order { number } } }',
    );
    expect(answer.data).toEqual({
      issueInvoice: {
        invoice: {
          number: `INV-${order.number}-3`,
          status: 'OPEN',
          amount: { amount: '75.00', currency: 'EUR' },
          paid: { amount: '0.00' },
          dueAt: '2999-01-01T00:00:00.000Z',
          order: { number: order.number },
        },
      },
    });
    await expectRefused(
      'CONFLICT',
      'issueInvoice',
      `orderId: "${order.id}", dueAt: "2999-01-02T00:00:00.000Z"`,
    );
  });

  test('no invoice for a cancelled order, with a due time in the past, or outside the boundary', async () => {
    const order = await rows.order(`O-${count}`, inside);
    const cancelled = await rows.order(`O-${count}-c`, inside, { status: 'cancelled' });
    const foreign = await rows.order(`O-${count}-out`, outside);
    const past = 'dueAt: "2001-01-01T00:00:00.000Z"';
    await expectRefused('CONFLICT', 'issueInvoice', `orderId: "${cancelled.id}", ${due}`);
    await expectRefused('BAD_USER_INPUT', 'issueInvoice', `orderId: "${order.id}", ${past}`, 'dueAt');
    const exact = 'dueAt: "2999-01-01T00:00:00.000001Z"';
    await expectRefused('BAD_USER_INPUT', 'issueInvoice', `orderId: "${order.id}", ${exact}`, 'dueAt');
    await expectRefused('NOT_FOUND', 'issueInvoice', `orderId: "${foreign.id}", ${due}`);
  });

  test('two invoices at once bill an order once', async () => {
    const order = await rows.order(`O-${count}`, inside);
    const answers = await Promise.all(
      [1, 2].map((at) =>
        change('issueInvoice', `orderId: "${order.id}", ${due}`, '{ __typename }', `key-${count}-${at}`),
      ),
    );
    expect(answers.flatMap((answer) => answer.errors.map((error) => error.extensions.code))).toEqual([
      'CONFLICT',
    ]);
    expect((await rows.all(invoices)).filter((row) => row.orderId === order.id)).toHaveLength(1);
  });

  test('payments add up until the invoice is paid', async () => {
    const order = await rows.order(`O-${count}`, inside);
    const invoice = await rows.invoice(`I-${count}`, order, { amountMinor: 10_000 });
    const pay = (value: string): string =>
      `invoiceId: "${invoice.id}", ${amount(value)}, method: TRANSFER, reference: "R", receivedAt: "2026-03-03T00:00:00.000Z"`;
    const selection =
      '{ payment { amount { amount } method reference } invoice { status paid { amount } outstanding { amount } } }';
    const first = await change('recordPayment', pay('60'), selection);
    expect(first.data).toEqual({
      recordPayment: {
        payment: { amount: { amount: '60.00' }, method: 'TRANSFER', reference: 'R' },
        invoice: { status: 'OPEN', paid: { amount: '60.00' }, outstanding: { amount: '40.00' } },
      },
    });
    count += 1;
    await expectRefused('CONFLICT', 'recordPayment', pay('40.01'));
    const second = await change('recordPayment', pay('40.00'), selection);
    expect(second.data).toMatchObject({
      recordPayment: { invoice: { status: 'PAID', outstanding: { amount: '0.00' } } },
    });
    count += 1;
    await expectRefused('CONFLICT', 'recordPayment', pay('0.01'));
  });

  test('payments in another currency, of nothing, from the future or outside the boundary are refused', async () => {
    const invoice = await rows.invoice(`I-${count}`, await rows.order(`O-${count}`, inside));
    const foreign = await rows.invoice(`I-${count}-out`, await rows.order(`O-${count}-out`, outside));
    const pay = (money: string, more: { id?: string; at?: string } = {}): string =>
      `invoiceId: "${more.id ?? invoice.id}", ${money}, method: CASH, receivedAt: "${more.at ?? '2026-03-03T00:00:00.000Z'}"`;
    await expectRefused('BAD_USER_INPUT', 'recordPayment', pay(amount('1', 'USD')), 'amount.currency');
    await expectRefused('BAD_USER_INPUT', 'recordPayment', pay(amount('0')), 'amount.amount');
    await expectRefused('BAD_USER_INPUT', 'recordPayment', pay(amount('-1')), 'amount.amount');
    await expectRefused('BAD_USER_INPUT', 'recordPayment', pay(amount('1.001')), 'amount.amount');
    await expectRefused(
      'BAD_USER_INPUT',
      'recordPayment',
      pay(amount('1'), { at: '2999-01-01T00:00:00Z' }),
      'receivedAt',
    );
    await expectRefused('NOT_FOUND', 'recordPayment', pay(amount('1'), { id: foreign.id }));
  });

  test('refunds never pass what was paid, whether one after the other or at once', async () => {
    const invoice = await rows.invoice(`I-${count}`, await rows.order(`O-${count}`, inside));
    const payment = await rows.payment(invoice, { amountMinor: 5_000 });
    const refund = (value: string): string =>
      `paymentId: "${payment.id}", ${amount(value)}, reason: "Broken."`;
    const first = await change(
      'issueRefund',
      refund('20.00'),
      '{ refund { amount { amount currency } reason } payment { refunds { totalCount } } }',
    );
    expect(first.data).toEqual({
      issueRefund: {
        refund: { amount: { amount: '20.00', currency: 'EUR' }, reason: 'Broken.' },
        payment: { refunds: { totalCount: 1 } },
      },
    });
    count += 1;
    await expectRefused('CONFLICT', 'issueRefund', refund('30.01'));
    const answers = await Promise.all(
      [1, 2, 3].map((at) => change('issueRefund', refund('30.00'), '{ __typename }', `key-${count}-${at}`)),
    );
    expect(answers.flatMap((answer) => answer.errors.map((error) => error.extensions.code))).toEqual([
      'CONFLICT',
      'CONFLICT',
    ]);
    const refunded = (await rows.all(refunds)).filter((row) => row.paymentId === payment.id);
    expect(refunded.reduce((sum, row) => sum + row.amountMinor, 0)).toBe(5_000);
  });

  test('refunds in another currency, of nothing or outside the boundary are refused', async () => {
    const invoice = await rows.invoice(`I-${count}`, await rows.order(`O-${count}`, inside));
    const payment = await rows.payment(invoice);
    const foreign = await rows.payment(
      await rows.invoice(`I-${count}-out`, await rows.order(`O-${count}-out`, outside)),
    );
    const refund = (money: string, id = payment.id, reason = 'x'): string =>
      `paymentId: "${id}", ${money}, reason: "${reason}"`;
    await expectRefused('BAD_USER_INPUT', 'issueRefund', refund(amount('1', 'USD')), 'amount.currency');
    await expectRefused('BAD_USER_INPUT', 'issueRefund', refund(amount('0')), 'amount.amount');
    await expectRefused('BAD_USER_INPUT', 'issueRefund', refund(amount('1'), payment.id, ''), 'reason');
    await expectRefused('NOT_FOUND', 'issueRefund', refund(amount('1'), foreign.id));
  });
});

describe('once', () => {
  test('a key gives the first answer again, also for a note, and does not do it twice', async () => {
    const ticket = await rows.ticket(`T-${count}`, inside);
    const note = (body: string): Promise<Answer> =>
      change(
        'replyToTicket',
        `ticketId: "${ticket.id}", body: "${body}", internal: true`,
        '{ ticket { version } message { id } internalNote { id body } }',
      );
    const first = await note('One.');
    expect(first.errors).toEqual([]);
    expect((await note('One.')).data).toEqual(first.data);
    const other = await note('Two.');
    expect(other.errors.map((error) => error.extensions.code)).toEqual(['CONFLICT']);
    expect((await rows.all(ticketMessages)).filter((row) => row.ticketId === ticket.id)).toHaveLength(1);
  });

  test.each([
    ['replyToTicket', 'tickets:reply', 'ticketId: "x", body: "x"'],
    ['setTicketStatus', 'tickets:update_status', 'ticketId: "x", status: OPEN, expectedVersion: 1'],
    ['setOrderStatus', 'orders:update_status', 'orderId: "x", status: PACKED, expectedVersion: 1'],
    ['adjustStock', 'stock:adjust', 'productId: "x", quantity: 1, reason: "x"'],
    ['issueInvoice', 'invoices:issue', 'orderId: "x", dueAt: "2999-01-01T00:00:00.000Z"'],
    [
      'recordPayment',
      'payments:record',
      'invoiceId: "x", amount: { amount: "1", currency: "EUR" }, method: CASH, receivedAt: "2026-03-03T00:00:00.000Z"',
    ],
    ['issueRefund', 'refunds:issue', 'paymentId: "x", amount: { amount: "1", currency: "EUR" }, reason: "x"'],
  ])('%s needs %s', async (field, scope, args) => {
    const person = await server.person({ scopes });
    const weak = await server.agent(person, { scopes }, { scopes: scopes.filter((one) => one !== scope) });
    const answer = await server.query(
      weak.token,
      `mutation { ${field}(idempotencyKey: "k", ${args}) { __typename } }`,
    );
    expect(answer.errors.map((error) => error.extensions)).toEqual([
      expect.objectContaining({ code: 'FORBIDDEN', missingScopes: [scope], layer: 'delegation' }),
    ]);
  });
});

import { isoTime } from '../core/clock.js';
import type { InvoiceRow, PaymentRow } from '../domains/business/tables.js';
import type { Order } from './orders.js';
import type { Random } from './seeded-random.js';
import { byMoment, type Moment, type Scenario } from './scenario.js';

export interface Payment {
  readonly row: PaymentRow;
  readonly received: Moment;
}

export interface Invoice {
  readonly row: InvoiceRow;
  readonly order: Order;
  readonly issued: Moment;
  readonly payments: readonly Payment[];
}

interface Draft {
  readonly order: Order;
  readonly issued: Moment;
  readonly isVoid: boolean;
  readonly instalments: readonly { received: Moment; amountMinor: number }[];
}

const firstNumber = 29_001;
const dueAfterMs = 30 * 24 * 3_600_000;

function instalments(order: Order, issued: Moment): Draft['instalments'] {
  const total = order.row.totalMinor;
  const half = Math.ceil(total / 2);
  const first = issued + order.plan.payAfter;
  const planned = {
    full: [{ received: first, amountMinor: total }],
    instalments: [
      { received: first, amountMinor: half },
      { received: first + 15, amountMinor: total - half },
    ],
    partial: [{ received: first, amountMinor: half }],
    never: [],
  }[order.plan.settlement];
  return planned.filter((each) => each.received < 0);
}

/** Invoices follow shipping. Sometimes one is issued too early and voided when its order is cancelled. */
function draftInvoice(random: Random, order: Order): Draft[] {
  const early = random.chance(0.4);
  const delay = random.between(0.01, 0.15);
  if (order.shipped !== null) {
    const issued = order.shipped + delay;
    return issued < 0 ? [{ order, issued, isVoid: false, instalments: instalments(order, issued) }] : [];
  }
  const { cancelAfter } = order.plan;
  if (order.row.status !== 'cancelled' || cancelAfter === null || !early) return [];
  return [{ order, issued: order.placed + cancelAfter * 0.8, isVoid: true, instalments: [] }];
}

function paymentReference(random: Random, method: string, invoiceNumber: string): string | null {
  if (method === 'card') return `CARD-${String(random.int(100_000, 999_999))}`;
  if (method === 'direct_debit') return `DD-${invoiceNumber}`;
  return random.chance(0.9) ? invoiceNumber : null;
}

function makeInvoice(scenario: Scenario, random: Random, draft: Draft, index: number): Invoice {
  const { order, issued, isVoid } = draft;
  const id = scenario.id(issued);
  const number = `INV-${String(firstNumber + index)}`;
  const payments = draft.instalments.map(({ received, amountMinor }): Payment => {
    const method = random.pick(['transfer', 'transfer', 'transfer', 'card', 'card', 'direct_debit']);
    return {
      received,
      row: {
        id: scenario.id(received),
        invoiceId: id,
        customerId: order.customer.row.id,
        amountMinor,
        currency: 'EUR',
        method,
        reference: paymentReference(random, method, number),
        receivedAt: scenario.iso(received),
      },
    };
  });
  const paidMinor = payments.reduce((sum, payment) => sum + payment.row.amountMinor, 0);
  const settled = paidMinor === order.row.totalMinor ? 'paid' : 'open';
  return {
    order,
    issued,
    payments,
    row: {
      id,
      number,
      orderId: order.row.id,
      customerId: order.customer.row.id,
      status: isVoid ? 'void' : settled,
      issuedAt: scenario.iso(issued),
      dueAt: isoTime(scenario.ms(issued) + dueAfterMs),
      currency: 'EUR',
      amountMinor: order.row.totalMinor,
      paidMinor,
      version: 1 + payments.length + (isVoid ? 1 : 0),
    },
  };
}

export function makeInvoices(scenario: Scenario, orders: readonly Order[]): Invoice[] {
  const random = scenario.random('billing');
  return orders
    .flatMap((order) => draftInvoice(random, order))
    .sort(byMoment((each) => each.issued))
    .map((draft, index) => makeInvoice(scenario, random, draft, index));
}

import { isoTime } from '../../core/clock.js';
import { badInput, conflict } from '../../core/errors.js';
import { minorOf, moneyOf, type Money } from '../../core/money.js';
import { visibleLine } from '../../core/checked-text.js';
import type { Operation, Resolver } from '../../delegation/resolver-context.js';
import type { Rows } from '../../store/bounded/rows.js';
import type { Table } from '../../store/tables/table.js';
import { fromStored, toStored } from '../declared/enums.js';
import { idempotent, type Keyed } from '../idempotent.js';
import {
  invoices,
  orders,
  payments,
  refunds,
  type InvoiceRow,
  type PaymentRow,
  type RefundRow,
} from './tables.js';
import { outstandingMinor } from './type-resolvers.js';

/**
 * The sum of the rows that refer to another row, inside the boundary of a scope. The caller must have locked
 * that row.
 */
async function sumSoFar<Row>(
  rows: Rows,
  table: Table<Row>,
  where: { readonly text: string; readonly params: readonly unknown[] },
  scope: string,
): Promise<{ readonly count: number; readonly minor: number }> {
  const [row] = await rows.aggregate(table, {
    scope,
    select: { count: 'COUNT(*)', minor: 'CAST(COALESCE(SUM(t.`amount_minor`), 0) AS CHAR)' },
    where,
    groupBy: [],
    limit: 1,
  });
  return { count: Number(row?.count ?? 0), minor: Number(row?.minor ?? 0) };
}

/** A positive amount in the given currency, in minor units. */
function amountIn(currency: string, amount: Money): number {
  const minor = minorOf(amount, 'amount');
  if (amount.currency !== currency) throw badInput(`The currency must be ${currency}.`, 'amount.currency');
  if (minor <= 0) throw badInput('The amount must be more than zero.', 'amount.amount');
  return minor;
}

const amountText = (minor: number, currency: string): string =>
  `${moneyOf(minor, currency).amount} ${currency}`;

/** Times of ours are stored with milliseconds. */
function refuseMicroseconds(time: string, path: string): void {
  if (time.length > '2026-03-01T09:30:00.000Z'.length)
    throw badInput(`\`${path}\` has milliseconds at most.`, path);
}

interface InvoiceArgs extends Keyed {
  readonly orderId: string;
  readonly dueAt: string;
}

async function issueInvoice(args: InvoiceArgs, { rows, ids, clock }: Operation): Promise<object> {
  const scope = 'invoices:issue';
  const now = isoTime(clock.now());
  refuseMicroseconds(args.dueAt, 'dueAt');
  if (args.dueAt < now) throw badInput('`dueAt` must not be in the past.', 'dueAt');
  const order = await rows.inside(orders, args.orderId, scope, true);
  if (order.status === 'cancelled') throw conflict('The order is cancelled.');
  const ofOrder = { text: 't.`order_id` = ?', params: [order.id] };
  const all = await sumSoFar(rows, invoices, ofOrder, scope);
  const billed = await sumSoFar(
    rows,
    invoices,
    { text: `${ofOrder.text} AND t.\`status\` <> 'void'`, params: ofOrder.params },
    scope,
  );
  const amountMinor = order.totalMinor - billed.minor;
  if (amountMinor <= 0) throw conflict('There is nothing left to bill for this order.');
  const id = ids.next();
  const row: InvoiceRow = {
    id,
    number: invoiceNumber(order.number, all.count + 1, id),
    orderId: order.id,
    customerId: order.customerId,
    status: 'open',
    issuedAt: now,
    dueAt: args.dueAt,
    currency: order.currency,
    amountMinor,
    paidMinor: 0,
    version: 1,
  };
  return { invoice: await rows.insert(invoices, row, scope) };
}

/** `INV-`, the order's number and a count. Where that is too long for the column, the invoice's id. */
function invoiceNumber(orderNumber: string, count: number, id: string): string {
  const number = `INV-${orderNumber}-${String(count)}`;
  return number.length <= 40 ? number : `INV-${id}`;
}

interface PaymentArgs extends Keyed {
  readonly invoiceId: string;
  readonly amount: Money;
  readonly method: string;
  readonly reference?: string | null;
  readonly receivedAt: string;
}

async function recordPayment(args: PaymentArgs, { rows, ids, clock }: Operation): Promise<object> {
  const scope = 'payments:record';
  refuseMicroseconds(args.receivedAt, 'receivedAt');
  if (args.receivedAt > isoTime(clock.now())) {
    throw badInput('`receivedAt` must not be in the future.', 'receivedAt');
  }
  const before = await rows.inside(invoices, args.invoiceId, scope, true);
  if (before.status !== 'open') throw conflict(`The invoice is ${fromStored(before.status)}.`);
  const amountMinor = amountIn(before.currency, args.amount);
  const left = outstandingMinor(before);
  if (amountMinor > left) throw conflict(`Only ${amountText(left, before.currency)} are outstanding.`);
  const row: PaymentRow = {
    id: ids.next(),
    invoiceId: before.id,
    customerId: before.customerId,
    amountMinor,
    currency: before.currency,
    method: toStored(args.method),
    reference: oneLineOrNull(args.reference),
    receivedAt: args.receivedAt,
  };
  const payment = await rows.insert(payments, row, scope);
  const paidMinor = before.paidMinor + amountMinor;
  const status = amountMinor === left ? 'paid' : 'open';
  return { payment, invoice: await rows.update(invoices, before.id, { paidMinor, status }, scope) };
}

const oneLineOrNull = (reference: string | null | undefined): string | null =>
  reference === null || reference === undefined ? null : visibleLine(reference, 100, 'reference');

interface RefundArgs extends Keyed {
  readonly paymentId: string;
  readonly amount: Money;
  readonly reason: string;
}

async function issueRefund(args: RefundArgs, { rows, ids, clock }: Operation): Promise<object> {
  const scope = 'refunds:issue';
  const reason = visibleLine(args.reason, 500, 'reason');
  const payment = await rows.inside(payments, args.paymentId, scope, true);
  const amountMinor = amountIn(payment.currency, args.amount);
  const ofPayment = { text: 't.`payment_id` = ?', params: [payment.id] };
  const left = payment.amountMinor - (await sumSoFar(rows, refunds, ofPayment, scope)).minor;
  if (amountMinor > left) {
    throw conflict(
      rows.mayTell(payment, 'refunds:read')
        ? `Only ${amountText(left, payment.currency)} are left to pay back.`
        : 'This is more than is left to pay back.',
    );
  }
  const row: RefundRow = {
    id: ids.next(),
    paymentId: payment.id,
    customerId: payment.customerId,
    amountMinor,
    currency: payment.currency,
    reason,
    issuedAt: isoTime(clock.now()),
  };
  return { refund: await rows.insert(refunds, row, scope), payment };
}

export const billing: Readonly<Record<string, Resolver>> = {
  issueInvoice: idempotent('issueInvoice', { invoice: invoices }, issueInvoice),
  recordPayment: idempotent('recordPayment', { payment: payments, invoice: invoices }, recordPayment),
  issueRefund: idempotent('issueRefund', { refund: refunds, payment: payments }, issueRefund),
};

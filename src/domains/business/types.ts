import { moneyOf, type Money } from '../../core/money.js';
import type { Operation, Resolver, Resolvers } from '../../delegation/operation.js';
import { eq } from '../../store/condition.js';
import type { Table } from '../../store/table.js';
import { fromStored } from './enums.js';
import { listQuery, type ListArgs, type Listing, type PageArgs } from './lists.js';
import { invoiceListing, orderListing, paymentListing, refundListing, ticketListing } from './listings.js';
import {
  customers,
  invoices,
  orderLines,
  orders,
  payments,
  products,
  refunds,
  stockMovements,
  ticketMessages,
  tickets,
  type CustomerRow,
  type InvoiceRow,
  type OrderLineRow,
  type OrderRow,
  type PaymentRow,
  type ProductRow,
  type RefundRow,
  type TicketMessageRow,
  type TicketRow,
} from './tables.js';

/** Rows that name this one in `column`, filtered and sorted as in a list of their own. */
const children =
  <Row extends { id: string }, Filter extends object>(
    table: Table<Row>,
    column: keyof Row & string,
    listing: Listing<Row, Filter>,
  ): Resolver =>
  (row: { id: string }, args: ListArgs<Filter>, operation: Operation) =>
    operation.rows.children(table, column, row.id, listQuery(listing, args, operation));

const customer: Resolver = (row: { customerId: string }, _args: unknown, operation: Operation) =>
  operation.rows.get(customers, row.customerId);
const order: Resolver = (row: { orderId: string | null }, _args: unknown, operation: Operation) =>
  operation.rows.get(orders, row.orderId);
const product: Resolver = (row: { productId: string }, _args: unknown, operation: Operation) =>
  operation.rows.get(products, row.productId);

/** The two kinds of message never meet in one list, so that neither rows nor counts tell of the other. */
const messages =
  (internal: boolean, scope?: string): Resolver =>
  (row: TicketRow, args: PageArgs, operation: Operation) =>
    operation.rows.children(ticketMessages, 'ticketId', row.id, {
      ...args,
      where: eq<TicketMessageRow>('internal', internal),
      order: [{ column: 'createdAt', direction: 'asc' }],
      scopes: scope === undefined ? [] : [scope],
    });

/** A line's currency is its order's. */
const lineMoney = async (row: OrderLineRow, minor: number, operation: Operation): Promise<Money> =>
  moneyOf(minor, (await operation.rows.need(orders, row.orderId)).currency);

export const types: Resolvers = {
  Customer: {
    creditLimit: (row: CustomerRow) =>
      row.creditLimitMinor === null ? null : moneyOf(row.creditLimitMinor, row.currency),
    orders: children(orders, 'customerId', orderListing),
    invoices: children(invoices, 'customerId', invoiceListing),
    tickets: children(tickets, 'customerId', ticketListing),
  },
  Product: {
    price: (row: ProductRow) => moneyOf(row.priceMinor, row.currency),
    cost: (row: ProductRow) => (row.costMinor === null ? null : moneyOf(row.costMinor, row.currency)),
    movements: (row: ProductRow, args: PageArgs, operation: Operation) =>
      operation.rows.children(stockMovements, 'productId', row.id, {
        ...args,
        order: [{ column: 'createdAt', direction: 'desc' }],
      }),
  },
  StockMovement: { product },
  Order: {
    status: (row: OrderRow) => fromStored(row.status),
    total: (row: OrderRow) => moneyOf(row.totalMinor, row.currency),
    customer,
    lines: (row: OrderRow, args: PageArgs, operation: Operation) =>
      operation.rows.children(orderLines, 'orderId', row.id, {
        ...args,
        order: [{ column: 'position', direction: 'asc' }],
      }),
    invoices: children(invoices, 'orderId', invoiceListing),
  },
  OrderLine: {
    product,
    unitPrice: (row: OrderLineRow, _args: unknown, operation: Operation) =>
      lineMoney(row, row.unitPriceMinor, operation),
    total: (row: OrderLineRow, _args: unknown, operation: Operation) =>
      lineMoney(row, row.totalMinor, operation),
  },
  Invoice: {
    status: (row: InvoiceRow) => fromStored(row.status),
    amount: (row: InvoiceRow) => moneyOf(row.amountMinor, row.currency),
    paid: (row: InvoiceRow) => moneyOf(row.paidMinor, row.currency),
    outstanding: (row: InvoiceRow) => moneyOf(outstandingMinor(row), row.currency),
    order,
    customer,
    payments: children(payments, 'invoiceId', paymentListing),
  },
  Payment: {
    amount: (row: PaymentRow) => moneyOf(row.amountMinor, row.currency),
    method: (row: PaymentRow) => fromStored(row.method),
    invoice: (row: PaymentRow, _args: unknown, operation: Operation) =>
      operation.rows.get(invoices, row.invoiceId),
    refunds: children(refunds, 'paymentId', refundListing),
  },
  Refund: {
    amount: (row: RefundRow) => moneyOf(row.amountMinor, row.currency),
    payment: (row: RefundRow, _args: unknown, operation: Operation) =>
      operation.rows.get(payments, row.paymentId),
  },
  Ticket: {
    category: (row: TicketRow) => fromStored(row.category),
    status: (row: TicketRow) => fromStored(row.status),
    priority: (row: TicketRow) => fromStored(row.priority),
    customer,
    order,
    messages: messages(false),
    internalNotes: messages(true, 'tickets:read_internal'),
  },
  TicketMessage: { author: (row: TicketMessageRow) => fromStored(row.author) },
};

/** What an invoice still asks for; nothing when it is void. */
export const outstandingMinor = (row: InvoiceRow): number =>
  row.status === 'void' ? 0 : Math.max(0, row.amountMinor - row.paidMinor);

import { moneyOf } from '../../core/money.js';
import { reads, type Resolver, type Resolvers } from '../../delegation/resolver-context.js';
import { only } from '../../store/bounded/column-selection.js';
import { eq } from '../../store/sql/condition.js';
import type { ListQuery } from '../../store/bounded/page.js';
import type { Table } from '../../store/tables/table.js';
import { fromStored } from './enums.js';
import { listQuery, type ListArgs, type Listing, type PageArgs } from './list-query.js';
import {
  invoiceListing,
  orderListing,
  paymentListing,
  refundListing,
  ticketListing,
} from './list-filters.js';
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
  type InvoiceRow,
  type OrderLineRow,
  type PaymentRow,
  type RefundRow,
  type TicketMessageRow,
  type TicketRow,
} from './tables.js';

/** Rows that refer to this one by `column`, filtered and sorted as in their own list. */
const children = <Row extends { id: string }, Filter extends object>(
  table: Table<Row>,
  column: keyof Row & string,
  listing: Listing<Row, Filter>,
): Resolver =>
  reads<{ id: string }>(['id'], (row, args: ListArgs<Filter>, operation, selection) =>
    operation.rows.children(table, column, row.id, listQuery(listing, args, operation), selection),
  );

/** Rows that are part of this one, in a fixed order. */
const parts = <Row extends { id: string }>(
  table: Table<Row>,
  column: keyof Row & string,
  order: ListQuery<Row>['order'],
): Resolver =>
  reads<{ id: string }>(['id'], (row, { first, after }: PageArgs, operation, selection) =>
    operation.rows.children(table, column, row.id, { order, first, after }, selection),
  );

const customer = reads<{ customerId: string }>(['customerId'], (row, _args, operation, selection) =>
  operation.rows.get(customers, row.customerId, selection),
);
const order = reads<{ orderId: string | null }>(['orderId'], (row, _args, operation, selection) =>
  operation.rows.get(orders, row.orderId, selection),
);
const product = reads<{ productId: string }>(['productId'], (row, _args, operation, selection) =>
  operation.rows.get(products, row.productId, selection),
);

/** An amount in one column, in the row's currency. */
const money = (column: string): Resolver =>
  reads<{ currency: string } & Record<string, unknown>>([column, 'currency'], (row) => {
    const minor = row[column];
    return typeof minor === 'number' ? moneyOf(minor, row.currency) : null;
  });

/** An enum value in one column. */
const enumIn = (column: string): Resolver =>
  reads<Record<string, string>>([column], (row) => fromStored(row[column] ?? ''));

/**
 * Customer messages and internal notes are never in one list, so that neither rows nor counts of one reveal
 * the other.
 */
const messages = (internal: boolean, scope?: string): Resolver =>
  reads<TicketRow>(['id'], (row, { first, after }: PageArgs, operation, selection) =>
    operation.rows.children(
      ticketMessages,
      'ticketId',
      row.id,
      {
        where: eq<TicketMessageRow>('internal', internal),
        order: [{ column: 'createdAt', direction: 'asc' }],
        scopes: scope === undefined ? [] : [scope],
        first,
        after,
      },
      selection,
    ),
  );

/** An amount of an order line, in the currency of its order. */
const lineMoney = (column: 'unitPriceMinor' | 'totalMinor'): Resolver =>
  reads<OrderLineRow>(['orderId', column], async (row, _args, operation) =>
    moneyOf(row[column], (await operation.rows.need(orders, row.orderId, currency)).currency),
  );
const currency = only('currency');

export const types: Resolvers = {
  Customer: {
    creditLimit: money('creditLimitMinor'),
    orders: children(orders, 'customerId', orderListing),
    invoices: children(invoices, 'customerId', invoiceListing),
    tickets: children(tickets, 'customerId', ticketListing),
  },
  Product: {
    price: money('priceMinor'),
    cost: money('costMinor'),
    movements: parts(stockMovements, 'productId', [{ column: 'createdAt', direction: 'desc' }]),
  },
  StockMovement: { product },
  Order: {
    status: enumIn('status'),
    total: money('totalMinor'),
    customer,
    lines: parts(orderLines, 'orderId', [{ column: 'position', direction: 'asc' }]),
    invoices: children(invoices, 'orderId', invoiceListing),
  },
  OrderLine: { product, unitPrice: lineMoney('unitPriceMinor'), total: lineMoney('totalMinor') },
  Invoice: {
    status: enumIn('status'),
    amount: money('amountMinor'),
    paid: money('paidMinor'),
    outstanding: reads<InvoiceRow>(['status', 'amountMinor', 'paidMinor', 'currency'], (row) =>
      moneyOf(outstandingMinor(row), row.currency),
    ),
    order,
    customer,
    payments: children(payments, 'invoiceId', paymentListing),
  },
  Payment: {
    amount: money('amountMinor'),
    method: enumIn('method'),
    invoice: reads<PaymentRow>(['invoiceId'], (row, _args, operation, selection) =>
      operation.rows.get(invoices, row.invoiceId, selection),
    ),
    refunds: children(refunds, 'paymentId', refundListing),
  },
  Refund: {
    amount: money('amountMinor'),
    payment: reads<RefundRow>(['paymentId'], (row, _args, operation, selection) =>
      operation.rows.get(payments, row.paymentId, selection),
    ),
  },
  Ticket: {
    category: enumIn('category'),
    status: enumIn('status'),
    priority: enumIn('priority'),
    customer,
    order,
    messages: messages(false),
    internalNotes: messages(true, 'tickets:read_internal'),
  },
  TicketMessage: { author: enumIn('author') },
};

/** The unpaid part of an invoice; 0 where it is void. */
export const outstandingMinor = (row: InvoiceRow): number =>
  row.status === 'void' ? 0 : Math.max(0, row.amountMinor - row.paidMinor);

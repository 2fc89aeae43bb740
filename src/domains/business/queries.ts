import { oneLine } from '../../core/checked-text.js';
import type { Operation, Resolver } from '../../delegation/resolver-context.js';
import type { ColumnSelection } from '../../store/bounded/column-selection.js';
import { eq } from '../../store/sql/condition.js';
import type { Table } from '../../store/tables/table.js';
import { listQuery, type ListArgs, type Listing } from './list-query.js';
import {
  customerListing,
  invoiceListing,
  orderListing,
  paymentListing,
  productListing,
  refundListing,
  ticketListing,
} from './list-filters.js';
import { customers, invoices, orders, payments, products, refunds, tickets } from './tables.js';

const byId =
  <Row extends { id: string }>(table: Table<Row>) =>
  (_root: unknown, args: { id: string }, operation: Operation, selection: ColumnSelection) =>
    operation.rows.get(table, args.id, selection);

const byNumber =
  <Row extends { id: string; number: string }>(table: Table<Row>) =>
  (_root: unknown, args: { number: string }, operation: Operation, selection: ColumnSelection) =>
    operation.rows.find(table, eq<Row>('number', oneLine(args.number, 40, 'number')), selection);

const list =
  <Row extends { id: string }, Filter extends object>(table: Table<Row>, listing: Listing<Row, Filter>) =>
  (_root: unknown, args: ListArgs<Filter>, operation: Operation, selection: ColumnSelection) =>
    operation.rows.list(table, listQuery(listing, args, operation), selection);

export const queries: Readonly<Record<string, Resolver>> = {
  customer: byId(customers),
  customerByNumber: byNumber(customers),
  customers: list(customers, customerListing),
  product: byId(products),
  productBySku: (_root: unknown, args: { sku: string }, operation: Operation, selection: ColumnSelection) =>
    operation.rows.find(products, eq('sku', oneLine(args.sku, 60, 'sku')), selection),
  products: list(products, productListing),
  order: byId(orders),
  orderByNumber: byNumber(orders),
  orders: list(orders, orderListing),
  invoice: byId(invoices),
  invoiceByNumber: byNumber(invoices),
  invoices: list(invoices, invoiceListing),
  payment: byId(payments),
  payments: list(payments, paymentListing),
  refund: byId(refunds),
  refunds: list(refunds, refundListing),
  ticket: byId(tickets),
  ticketByNumber: byNumber(tickets),
  tickets: list(tickets, ticketListing),
};

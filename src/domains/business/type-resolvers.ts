import { moneyOf } from '../../core/money.js';
import { reads, type Resolver, type Resolvers } from '../../delegation/resolver-context.js';
import { only } from '../../store/bounded/column-selection.js';
import { eq } from '../../store/sql/condition.js';
import type { ListArgs } from '../declared/list-query.js';
import {
  orders,
  ticketMessages,
  type InvoiceRow,
  type OrderLineRow,
  type TicketMessageRow,
  type TicketRow,
} from './tables.js';

/**
 * Customer messages and internal notes are never in one list, so that neither rows nor counts of one reveal
 * the other.
 */
const messages = (internal: boolean, scope?: string): Resolver =>
  reads<TicketRow>(['id'], (row, { first, after }: ListArgs, operation, selection) =>
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

/** The fields whose values come from code. All others are declared in the schema. */
export const types: Resolvers = {
  OrderLine: { unitPrice: lineMoney('unitPriceMinor'), total: lineMoney('totalMinor') },
  Invoice: {
    outstanding: reads<InvoiceRow>(['status', 'amountMinor', 'paidMinor', 'currency'], (row) =>
      moneyOf(outstandingMinor(row), row.currency),
    ),
  },
  Ticket: { messages: messages(false), internalNotes: messages(true, 'tickets:read_internal') },
};

/** The unpaid part of an invoice; 0 where it is void. */
export const outstandingMinor = (row: InvoiceRow): number =>
  row.status === 'void' ? 0 : Math.max(0, row.amountMinor - row.paidMinor);

import { isoTime } from '../../core/clock.js';
import { badInput, conflict } from '../../core/errors.js';
import { paragraphs, visibleLine } from '../../core/checked-text.js';
import type { Operation, Resolver } from '../../delegation/resolver-context.js';
import { fromStored, toStored } from '../declared/enums.js';
import { idempotent, type Keyed } from '../idempotent.js';
import {
  orders,
  products,
  stockMovements,
  ticketMessages,
  tickets,
  type OrderRow,
  type StockMovementRow,
  type TicketMessageRow,
} from './tables.js';

interface ReplyArgs extends Keyed {
  readonly ticketId: string;
  readonly body: string;
  readonly internal?: boolean | null;
}

async function replyToTicket(args: ReplyArgs, operation: Operation): Promise<object> {
  const { rows, authority, ids, clock } = operation;
  const scope = 'tickets:reply';
  const internal = args.internal ?? false;
  const before = await rows.inside(tickets, args.ticketId, scope, true);
  if (before.status === 'closed' && !internal) {
    throw conflict('The ticket is closed. Open it again before you answer.');
  }
  const now = isoTime(clock.now());
  const agent = authority.chain.agents.at(-1);
  const row: TicketMessageRow = {
    id: ids.next(),
    ticketId: before.id,
    customerId: before.customerId,
    author: agent === undefined ? 'staff' : 'agent',
    authorName: (agent ?? authority.chain.person).displayName,
    internal,
    body: paragraphs(args.body, 20_000, 'body'),
    createdAt: now,
  };
  const message = await rows.insert(ticketMessages, row, scope);
  const ticket = await rows.update(tickets, before.id, { updatedAt: now }, scope);
  return internal ? { ticket, internalNote: message } : { ticket, message };
}

interface StatusArgs extends Keyed {
  readonly status: string;
  readonly expectedVersion: number;
}

async function setTicketStatus(
  args: StatusArgs & { readonly ticketId: string },
  { rows, clock }: Operation,
): Promise<object> {
  const scope = 'tickets:update_status';
  const status = toStored(args.status);
  const before = await rows.inside(tickets, args.ticketId, scope, true);
  if (before.status === 'closed' && status !== 'open') {
    throw conflict('The ticket is closed. It can only be opened again.');
  }
  const changes = { status, updatedAt: isoTime(clock.now()) };
  return { ticket: await rows.update(tickets, before.id, changes, scope, args.expectedVersion) };
}

const nextStatuses: Readonly<Record<string, readonly string[]>> = {
  placed: ['packed', 'cancelled'],
  packed: ['shipped', 'cancelled'],
  shipped: ['delivered'],
};

async function setOrderStatus(
  args: StatusArgs & { readonly orderId: string },
  { rows, clock }: Operation,
): Promise<object> {
  const scope = 'orders:update_status';
  const status = toStored(args.status);
  const before = await rows.inside(orders, args.orderId, scope, true);
  const next = nextStatuses[before.status] ?? [];
  if (!next.includes(status)) {
    const can = next.length === 0 ? 'stays so' : `can become ${next.map(fromStored).join(' or ')}`;
    throw conflict(`An order that is ${fromStored(before.status)} ${can}.`);
  }
  const changes: Partial<OrderRow> =
    status === 'shipped' ? { status, shippedAt: isoTime(clock.now()) } : { status };
  return { order: await rows.update(orders, before.id, changes, scope, args.expectedVersion) };
}

interface StockArgs extends Keyed {
  readonly productId: string;
  readonly quantity: number;
  readonly reason: string;
}

const stockMax = 2_147_483_647;

async function adjustStock(args: StockArgs, { rows, ids, clock }: Operation): Promise<object> {
  const scope = 'stock:adjust';
  if (args.quantity === 0) throw badInput('`quantity` must not be zero.', 'quantity');
  const reason = visibleLine(args.reason, 500, 'reason');
  const before = await rows.inside(products, args.productId, scope, true);
  const stock = before.stock + args.quantity;
  if (stock < 0) throw conflict(`There are only ${String(before.stock)} in stock.`);
  if (stock > stockMax) throw badInput('`quantity` is too large.', 'quantity');
  const product = await rows.update(products, before.id, { stock }, scope);
  const row: StockMovementRow = {
    id: ids.next(),
    productId: before.id,
    quantity: args.quantity,
    reason,
    stockAfter: stock,
    createdAt: isoTime(clock.now()),
  };
  return { product, movement: await rows.insert(stockMovements, row, scope) };
}

export const mutations: Readonly<Record<string, Resolver>> = {
  replyToTicket: idempotent(
    'replyToTicket',
    { ticket: tickets, message: ticketMessages, internalNote: ticketMessages },
    replyToTicket,
  ),
  setTicketStatus: idempotent('setTicketStatus', { ticket: tickets }, setTicketStatus),
  setOrderStatus: idempotent('setOrderStatus', { order: orders }, setOrderStatus),
  adjustStock: idempotent('adjustStock', { product: products, movement: stockMovements }, adjustStock),
};

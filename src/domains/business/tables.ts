import {
  flag,
  id,
  int,
  longtext,
  minor,
  nullable,
  table,
  text,
  time,
  unique,
  type RowOf,
} from '../../store/tables/table.js';

export const customers = table(
  'Customer',
  'customers',
  {
    id: id(),
    number: unique(text(40)),
    name: text(200),
    /** The dimension `region`. */
    region: text(64),
    country: text(100),
    city: nullable(text(100)),
    contactName: nullable(text(200)),
    email: nullable(text(254)),
    phone: nullable(text(60)),
    address: nullable(text(500)),
    creditLimitMinor: nullable(minor()),
    currency: text(3),
    createdAt: time(),
  },
  ['id'],
  { indexes: [['createdAt', 'id'], ['email'], ['name', 'id'], ['region', 'id']] },
);

export const products = table(
  'Product',
  'products',
  {
    id: id(),
    sku: unique(text(60)),
    name: text(200),
    category: text(100),
    description: text(2000),
    priceMinor: minor(),
    /** The purchase price. */
    costMinor: nullable(minor()),
    currency: text(3),
    stock: int(),
    discontinued: flag(),
    version: int(),
    createdAt: time(),
  },
  ['id'],
  {
    indexes: [
      ['category', 'id'],
      ['name', 'id'],
    ],
  },
);

export const stockMovements = table(
  'StockMovement',
  'stock_movements',
  {
    id: id(),
    productId: id('products'),
    /** Positive for incoming goods, negative for outgoing goods. */
    quantity: int(),
    reason: text(500),
    stockAfter: int(),
    createdAt: time(),
  },
  ['id'],
  { indexes: [['productId', 'id']] },
);

export const orders = table(
  'Order',
  'orders',
  {
    id: id(),
    number: unique(text(40)),
    customerId: id('customers'),
    /** placed, packed, shipped, delivered, cancelled */
    status: text(20),
    placedAt: time(),
    shippedAt: nullable(time()),
    currency: text(3),
    totalMinor: minor(),
    version: int(),
  },
  ['id'],
  {
    indexes: [
      ['customerId', 'placedAt', 'id'],
      ['placedAt', 'id'],
      ['status', 'id'],
    ],
  },
);

export const orderLines = table(
  'OrderLine',
  'order_lines',
  {
    id: id(),
    orderId: id('orders'),
    customerId: id('customers'),
    productId: id('products'),
    position: int(),
    quantity: int(),
    unitPriceMinor: minor(),
    /** Hundredths of a percent: 1500 is 15 %. */
    discountBasisPoints: int(),
    totalMinor: minor(),
  },
  ['id'],
  { indexes: [['customerId'], ['orderId', 'position'], ['productId']] },
);

export const invoices = table(
  'Invoice',
  'invoices',
  {
    id: id(),
    number: unique(text(40)),
    orderId: id('orders'),
    customerId: id('customers'),
    /** open, paid, void */
    status: text(20),
    issuedAt: time(),
    dueAt: time(),
    currency: text(3),
    amountMinor: minor(),
    paidMinor: minor(),
    version: int(),
  },
  ['id'],
  { indexes: [['customerId', 'issuedAt', 'id'], ['issuedAt', 'id'], ['orderId']] },
);

export const payments = table(
  'Payment',
  'payments',
  {
    id: id(),
    invoiceId: id('invoices'),
    customerId: id('customers'),
    amountMinor: minor(),
    currency: text(3),
    /** card, transfer, direct_debit, cash */
    method: text(20),
    reference: nullable(text(100)),
    receivedAt: time(),
  },
  ['id'],
  { indexes: [['customerId'], ['invoiceId'], ['receivedAt', 'id']] },
);

export const refunds = table(
  'Refund',
  'refunds',
  {
    id: id(),
    paymentId: id('payments'),
    customerId: id('customers'),
    amountMinor: minor(),
    currency: text(3),
    reason: text(500),
    issuedAt: time(),
  },
  ['id'],
  { indexes: [['customerId'], ['issuedAt', 'id'], ['paymentId']] },
);

export const tickets = table(
  'Ticket',
  'tickets',
  {
    id: id(),
    number: unique(text(40)),
    customerId: id('customers'),
    orderId: nullable(id('orders')),
    subject: text(300),
    /** question, delivery, billing, returns, fault */
    category: text(20),
    /** open, pending, resolved, closed */
    status: text(20),
    /** low, normal, high, urgent */
    priority: text(20),
    createdAt: time(),
    updatedAt: time(),
    version: int(),
  },
  ['id'],
  {
    indexes: [
      ['createdAt', 'id'],
      ['customerId', 'id'],
      ['status', 'id'],
      ['updatedAt', 'id'],
    ],
  },
);

export const ticketMessages = table(
  'TicketMessage',
  'ticket_messages',
  {
    id: id(),
    ticketId: id('tickets'),
    customerId: id('customers'),
    /** customer, staff, agent */
    author: text(20),
    authorName: text(200),
    /** A note between colleagues that the customer does not see. */
    internal: flag(),
    body: longtext(),
    createdAt: time(),
  },
  ['id'],
  { indexes: [['ticketId', 'id']] },
);

export type CustomerRow = RowOf<typeof customers>;
export type ProductRow = RowOf<typeof products>;
export type StockMovementRow = RowOf<typeof stockMovements>;
export type OrderRow = RowOf<typeof orders>;
export type OrderLineRow = RowOf<typeof orderLines>;
export type InvoiceRow = RowOf<typeof invoices>;
export type PaymentRow = RowOf<typeof payments>;
export type RefundRow = RowOf<typeof refunds>;
export type TicketRow = RowOf<typeof tickets>;
export type TicketMessageRow = RowOf<typeof ticketMessages>;

import type { AppParts } from '../../src/app.js';
import { makeBusiness } from '../../src/domains/business/index.js';
import {
  customers,
  invoices,
  orderLines,
  orders,
  payments,
  products,
  refunds,
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
} from '../../src/domains/business/tables.js';
import { readSchemaParts } from '../../src/graphql/schema/sdl.js';
import type { Connection } from '../../src/store/sql/connection.js';
import type { Table } from '../../src/store/tables/table.js';
import { TestServer } from './server.js';

/** A server with the business domain alone; statistics show cells of 3 customers or more. */
export function startBusiness(
  parts: Pick<AppParts, 'clock'> = {},
  env: Record<string, string> = {},
  changed: (sdl: string) => string = (sdl) => sdl,
): Promise<TestServer> {
  const { sdl, types } = readSchemaParts('business');
  return TestServer.start(
    { ...parts, sdl: changed(sdl), types, domains: [makeBusiness({ smallestCell: 3 })] },
    env,
  );
}

const day = '2026-03-02T10:00:00.000Z';

/** Inserts rows straight into the database; omitted values get defaults. */
export class BusinessRows {
  constructor(private readonly server: TestServer) {}

  customer(number: string, region: string, more: Partial<CustomerRow> = {}): Promise<CustomerRow> {
    return this.add(customers, {
      id: this.server.ids.next(),
      number,
      name: `Name of ${number}`,
      region,
      country: 'Austria',
      city: null,
      contactName: 'Ada',
      email: `${number.toLowerCase()}@example.com`,
      phone: '123',
      address: 'Street 1',
      creditLimitMinor: 500_000,
      currency: 'EUR',
      createdAt: day,
      ...more,
    });
  }

  product(sku: string, more: Partial<ProductRow> = {}): Promise<ProductRow> {
    return this.add(products, {
      id: this.server.ids.next(),
      sku,
      name: `Name of ${sku}`,
      category: 'machines',
      description: 'What it is.',
      priceMinor: 12_345,
      costMinor: 6_000,
      currency: 'EUR',
      stock: 10,
      discontinued: false,
      version: 1,
      createdAt: day,
      ...more,
    });
  }

  order(number: string, { id: customerId }: { id: string }, more: Partial<OrderRow> = {}): Promise<OrderRow> {
    return this.add(orders, {
      id: this.server.ids.next(),
      number,
      customerId,
      status: 'placed',
      placedAt: day,
      shippedAt: null,
      currency: 'EUR',
      totalMinor: 10_000,
      version: 1,
      ...more,
    });
  }

  line(order: OrderRow, product: ProductRow, more: Partial<OrderLineRow> = {}): Promise<OrderLineRow> {
    return this.add(orderLines, {
      id: this.server.ids.next(),
      orderId: order.id,
      customerId: order.customerId,
      productId: product.id,
      position: 1,
      quantity: 1,
      unitPriceMinor: order.totalMinor,
      discountBasisPoints: 0,
      totalMinor: order.totalMinor,
      ...more,
    });
  }

  invoice(number: string, order: OrderRow, more: Partial<InvoiceRow> = {}): Promise<InvoiceRow> {
    return this.add(invoices, {
      id: this.server.ids.next(),
      number,
      orderId: order.id,
      customerId: order.customerId,
      status: 'open',
      issuedAt: day,
      dueAt: '2026-04-01T00:00:00.000Z',
      currency: order.currency,
      amountMinor: order.totalMinor,
      paidMinor: 0,
      version: 1,
      ...more,
    });
  }

  payment(invoice: InvoiceRow, more: Partial<PaymentRow> = {}): Promise<PaymentRow> {
    return this.add(payments, {
      id: this.server.ids.next(),
      invoiceId: invoice.id,
      customerId: invoice.customerId,
      amountMinor: 5_000,
      currency: invoice.currency,
      method: 'direct_debit',
      reference: 'R-1',
      receivedAt: day,
      ...more,
    });
  }

  refund(payment: PaymentRow, more: Partial<RefundRow> = {}): Promise<RefundRow> {
    return this.add(refunds, {
      id: this.server.ids.next(),
      paymentId: payment.id,
      customerId: payment.customerId,
      amountMinor: 1_000,
      currency: payment.currency,
      reason: 'Broken.',
      issuedAt: day,
      ...more,
    });
  }

  ticket(
    number: string,
    { id: customerId }: { id: string },
    more: Partial<TicketRow> = {},
  ): Promise<TicketRow> {
    return this.add(tickets, {
      id: this.server.ids.next(),
      number,
      customerId,
      orderId: null,
      subject: `Subject of ${number}`,
      category: 'fault',
      status: 'open',
      priority: 'normal',
      createdAt: day,
      updatedAt: day,
      version: 1,
      ...more,
    });
  }

  message(ticket: TicketRow, body: string, internal: boolean): Promise<TicketMessageRow> {
    return this.add(ticketMessages, {
      id: this.server.ids.next(),
      ticketId: ticket.id,
      customerId: ticket.customerId,
      author: 'staff',
      authorName: 'Ada',
      internal,
      body,
      createdAt: day,
    });
  }

  /** All rows of a table. */
  all<Row>(table: Table<Row>): Promise<Row[]> {
    return this.server.database.transaction((tx: Connection) => tx.select(table, { kind: 'all', of: [] }));
  }

  private async add<Row>(table: Table<Row>, row: Row): Promise<Row> {
    await this.server.database.transaction((tx) => tx.insert(table, [row]));
    return row;
  }
}

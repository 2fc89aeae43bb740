import type {
  CustomerRow,
  InvoiceRow,
  OrderLineRow,
  OrderRow,
  PaymentRow,
  ProductRow,
  RefundRow,
  StockMovementRow,
  TicketMessageRow,
  TicketRow,
} from '../domains/business/tables.js';
import { makeInvoices } from './invoices.js';
import { makeCustomers } from './customers.js';
import { makeOrders } from './orders.js';
import { makeProducts } from './products.js';
import type { SeedIds } from './seeded-random.js';
import { makeStock } from './stock.js';
import { makeScenario } from './scenario.js';
import { makeHelpdesk } from './tickets.js';

export { demoTicketNumber } from './demo-case.js';
export { seededIds, type SeedIds } from './seeded-random.js';

export interface BusinessData {
  readonly customers: CustomerRow[];
  readonly products: ProductRow[];
  readonly stockMovements: StockMovementRow[];
  readonly orders: OrderRow[];
  readonly orderLines: OrderLineRow[];
  readonly invoices: InvoiceRow[];
  readonly payments: PaymentRow[];
  readonly refunds: RefundRow[];
  readonly tickets: TicketRow[];
  readonly ticketMessages: TicketMessageRow[];
}

export interface BusinessOptions {
  readonly seed: number;
  /** Milliseconds since the epoch. All rows are older; the last ones are recent. */
  readonly now: number;
  /** `seededIds(seed)`, so that ids are repeatable too. */
  readonly ids: SeedIds;
}

/**
 * The demo company's business data: 18 months of a maker of office coffee machines. The same seed gives the
 * same data; `now` only shifts its times.
 */
export function generateBusiness({ seed, now, ids }: BusinessOptions): BusinessData {
  const scenario = makeScenario(seed, now, ids);
  const customers = makeCustomers(scenario);
  const products = makeProducts(scenario);
  const orders = makeOrders(scenario, customers, products);
  const invoices = makeInvoices(scenario, orders);
  const helpdesk = makeHelpdesk(scenario, orders, invoices);
  const stockMovements = makeStock(scenario, products, orders, helpdesk.restocks);
  const stock = new Map(stockMovements.map((movement) => [movement.productId, movement.stockAfter]));

  return {
    customers: customers.map(({ row }) => row),
    products: products.map(({ row }) => ({ ...row, stock: stock.get(row.id) ?? 0 })),
    stockMovements,
    orders: orders.map(({ row }) => row),
    orderLines: orders.flatMap(({ lines }) => lines.map(({ row }) => row)),
    invoices: invoices.map(({ row }) => row),
    payments: invoices
      .flatMap(({ payments }) => payments)
      .sort((a, b) => a.received - b.received)
      .map(({ row }) => row),
    refunds: helpdesk.refunds,
    tickets: helpdesk.tickets,
    ticketMessages: helpdesk.messages,
  };
}

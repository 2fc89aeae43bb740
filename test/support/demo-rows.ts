import { generateBusiness, seededIds, type BusinessData } from '../../src/demo/generate-business.js';
import type { Ids } from '../../src/core/ids.js';
import * as business from '../../src/domains/business/tables.js';
import { upsertImportedDocument } from '../../src/domains/knowledge/document-writes.js';
import type { Database } from '../../src/store/sql/database.js';
import type { Table } from '../../src/store/tables/table.js';

const now = Date.parse('2026-06-30T12:00:00.000Z');

let made: BusinessData | undefined;
/** The same for the same seed, so it is made once for a worker. */
const wholeBusiness = (): BusinessData => (made ??= generateBusiness({ seed: 7, now, ids: seededIds(7) }));

/** A few customers of each region with their rows, and the products that they bought. */
export function smallBusiness(perRegion = 2): BusinessData {
  const data = wholeBusiness();
  const counts = new Map<string, number>();
  const kept = new Set<string>();
  // Customers with the most tickets first, so that every table has rows.
  const tickets = new Map<string, number>();
  for (const { customerId } of data.tickets) tickets.set(customerId, (tickets.get(customerId) ?? 0) + 1);
  const ticketsOf = ({ id }: { readonly id: string }): number => tickets.get(id) ?? 0;
  for (const customer of [...data.customers].sort((a, b) => ticketsOf(b) - ticketsOf(a))) {
    const count = counts.get(customer.region) ?? 0;
    if (count >= perRegion) continue;
    counts.set(customer.region, count + 1);
    kept.add(customer.id);
  }
  const mine = <R extends { customerId: string }>(rows: readonly R[]): R[] =>
    rows.filter((row) => kept.has(row.customerId));
  const lines = mine(data.orderLines);
  const sold = new Set(lines.map((row) => row.productId));
  return {
    customers: data.customers.filter((row) => kept.has(row.id)),
    products: data.products.filter((row) => sold.has(row.id)),
    stockMovements: data.stockMovements.filter((row) => sold.has(row.productId)).slice(0, 40),
    orders: mine(data.orders),
    orderLines: lines,
    invoices: mine(data.invoices),
    payments: mine(data.payments),
    refunds: mine(data.refunds),
    tickets: mine(data.tickets),
    ticketMessages: mine(data.ticketMessages),
  };
}

export async function loadBusiness(database: Database, data: BusinessData): Promise<void> {
  await database.transaction(async (tx) => {
    for (const [key, rows] of Object.entries(data) as [keyof BusinessData, never[]][]) {
      await tx.insert(business[key] as unknown as Table<never>, rows);
    }
  });
}

/** Two collections, each with a document of every classification; all mention coffee. */
export async function loadDocuments(database: Database, ids: Ids): Promise<void> {
  await database.transaction(async (tx) => {
    for (const collection of ['guides', 'hr']) {
      for (const classification of ['public', 'internal', 'confidential', 'restricted'] as const) {
        const body = `# Coffee\n\nHow the coffee is made, ${classification}, as HR and the café of ${collection} tell it.\n\n## More\n\nMilk and coffee.`;
        const at = '2026-06-01T00:00:00.000Z';
        const externalId = `${collection}/${classification}.md`;
        const title = `A ${classification} page of ${collection}`;
        const document = {
          source: 'test',
          externalId,
          collection,
          title,
          classification,
          body,
          at,
          by: 'test',
        };
        await upsertImportedDocument(tx, document, ids);
      }
    }
  });
}

/** Arguments by coordinate: ids and numbers of existing rows. */
export function idsOf(data: BusinessData): Record<string, string> {
  const one = <R>(rows: readonly R[]): R => {
    const [row] = rows;
    if (row === undefined) throw new Error('The demo company lacks rows of a kind.');
    return row;
  };
  return {
    'Query.customer(id:)': one(data.customers).id,
    'Query.customerByNumber(number:)': one(data.customers).number,
    'Query.product(id:)': one(data.products).id,
    'Query.productBySku(sku:)': one(data.products).sku,
    'Query.order(id:)': one(data.orders).id,
    'Query.orderByNumber(number:)': one(data.orders).number,
    'Query.invoice(id:)': one(data.invoices).id,
    'Query.invoiceByNumber(number:)': one(data.invoices).number,
    'Query.payment(id:)': one(data.payments).id,
    'Query.refund(id:)': one(data.refunds).id,
    'Query.ticket(id:)': one(data.tickets).id,
    'Query.ticketByNumber(number:)': one(data.tickets).number,
  };
}

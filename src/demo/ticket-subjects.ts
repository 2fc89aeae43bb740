import type { Invoice } from './invoices.js';
import type { Customer } from './customer-drafts.js';
import type { Line, Order } from './orders.js';
import type { Random } from './seeded-random.js';
import type { Script } from './ticket-script.js';
import { scenarioDays, type Moment, type Scenario } from './scenario.js';
import { spokenDate, spokenMoney } from './fill-template.js';

/** The subject of a ticket. */
export interface Matter {
  readonly customer: Customer;
  readonly order: Order | null;
  readonly line: Line | null;
  readonly invoice: Invoice | null;
  readonly start: Moment;
}

export interface Archive {
  readonly orders: readonly Order[];
  readonly invoiceOf: ReadonlyMap<Order, Invoice>;
}

function startOf(random: Random, { start }: Script, order: Order, invoice: Invoice | null): Moment | null {
  switch (start.after) {
    case 'nothing':
      return random.between(-scenarioDays, 0);
    case 'placing':
      return order.plan.cancelAfter === null
        ? order.placed + order.plan.shipAfter * random.between(0.1, 0.6)
        : null;
    case 'shipping':
      return order.shipped === null ? null : order.shipped + order.plan.transit * random.between(0.3, 0.9);
    case 'delivery':
      return order.delivered === null ? null : order.delivered + random.between(...start.days);
    case 'invoice':
      return invoice && invoice.row.status !== 'void' ? invoice.issued + random.between(...start.days) : null;
    case 'payment': {
      const [payment] = invoice?.row.status === 'paid' ? invoice.payments.slice(-1) : [];
      return payment ? payment.received + random.between(...start.days) : null;
    }
  }
}

function unpaidAt(invoice: Invoice | null, moment: Moment, amountMinor: number): boolean {
  if (!invoice || invoice.row.amountMinor < amountMinor) return false;
  return invoice.payments.every((payment) => payment.received > moment);
}

/** A subject for this script. Null where the drawn order does not fit. */
export function findMatter(random: Random, script: Script, archive: Archive): Matter | null {
  const order = random.pick(archive.orders);
  const { customer } = order;
  const invoice = archive.invoiceOf.get(order) ?? null;
  const start = startOf(random, script, order, invoice);
  const lines = order.lines.filter(
    ({ product }) => script.product?.test(`${product.category.name}: ${product.row.name}`) ?? true,
  );
  if (start === null || start >= -0.01 || start < customer.since || lines.length === 0) return null;
  if (script.regions && !script.regions.includes(customer.row.region)) return null;
  if (script.unpaidMinorMin !== undefined && !unpaidAt(invoice, start, script.unpaidMinorMin)) return null;
  if (script.start.after === 'nothing') return { customer, order: null, line: null, invoice: null, start };
  return { customer, order, line: random.pick(lines), invoice, start };
}

/** The values that the script's texts may name. Values that do not exist are missing. */
export function matterValues(scenario: Scenario, matter: Matter): Record<string, string> {
  const { customer, order, line, invoice } = matter;
  const date = (moment: Moment | null | undefined): string | undefined =>
    typeof moment === 'number' ? spokenDate(scenario.ms(moment)) : undefined;
  const all = {
    city: customer.row.city ?? customer.row.country,
    order: order?.row.number,
    product: line?.product.row.name.split(', ')[0],
    quantity: line?.row.quantity.toString(),
    invoice: invoice?.row.number,
    amount: invoice ? spokenMoney(invoice.row.amountMinor) : undefined,
    placed: date(order?.placed),
    shipped: date(order?.shipped),
    delivered: date(order?.delivered),
    paid: date(invoice?.payments.at(-1)?.received),
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

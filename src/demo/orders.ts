import type { OrderLineRow, OrderRow } from '../domains/business/tables.js';
import { catalogue } from './catalogue.js';
import { demoCustomer, demoOrders } from './demo-case.js';
import type { Customer, Plan } from './customer-drafts.js';
import type { Product } from './products.js';
import type { Random } from './seeded-random.js';
import { byMoment, scenarioDays, type Moment, type Scenario } from './scenario.js';

export interface Line {
  readonly row: OrderLineRow;
  readonly product: Product;
}

export interface Order {
  readonly row: OrderRow;
  readonly lines: readonly Line[];
  readonly customer: Customer;
  readonly plan: Plan;
  readonly placed: Moment;
  /** Null where it has not happened yet. */
  readonly shipped: Moment | null;
  readonly delivered: Moment | null;
}

interface Item {
  readonly product: Product;
  readonly quantity: number;
}

interface Draft {
  readonly customer: Customer;
  readonly placed: Moment;
  readonly items: readonly Item[];
  readonly plan: Plan;
}

const orderCount = 1500;
const firstNumber = 19_001;

/** Working days in transit, as in the shipping policy. */
const transitDays: Readonly<Record<string, readonly [number, number]>> = {
  europe: [2, 4],
  'north-america': [5, 8],
  'asia-pacific': [7, 10],
  'latin-america': [9, 14],
};

const settlements = [
  { settlement: 'full', recent: 84, old: 952 },
  { settlement: 'instalments', recent: 4, old: 42 },
  { settlement: 'partial', recent: 5, old: 2 },
  { settlement: 'never', recent: 7, old: 4 },
] as const;

function makePlan(random: Random, customer: Customer, placed: Moment): Plan {
  const packAfter = random.between(0.05, 0.9);
  const [fastest, slowest] = transitDays[customer.row.region] ?? [2, 4];
  return {
    packAfter,
    shipAfter: packAfter + random.between(0.1, 1.6),
    transit: random.between(fastest, slowest),
    cancelAfter: random.chance(0.04) ? random.between(0.05, packAfter) : null,
    settlement: random.weighted(settlements, (each) => (placed > -70 ? each.recent : each.old)).settlement,
    payAfter: random.between(1, random.chance(0.85) ? 20 : 34),
  };
}

function makeItems(random: Random, products: readonly Product[], placed: Moment): Item[] {
  const lineCount = random.weighted([1, 2, 3, 4, 5], (lines) => [24, 30, 23, 14, 9][lines - 1] ?? 0);
  const rest = products.filter((each) => each.from < placed && placed < each.until);
  return Array.from({ length: lineCount }, () => {
    const category = random.weighted(catalogue, (each) => each.demand);
    const product = random.pick(rest.filter((each) => each.category === category));
    rest.splice(rest.indexOf(product), 1);
    return { product, quantity: random.pick(category.quantities) };
  });
}

function discount(customer: Customer, quantity: number): number {
  if (customer.framework) return 1500;
  if (quantity >= 24) return 1000;
  return quantity >= 12 ? 500 : 0;
}

export const lineTotal = (quantity: number, unitPriceMinor: number, discountBasisPoints: number): number =>
  Math.round((quantity * unitPriceMinor * (10_000 - discountBasisPoints)) / 10_000);

function status(draft: Draft): Pick<OrderRow, 'status' | 'version'> {
  const { packAfter, shipAfter, transit, cancelAfter } = draft.plan;
  const passed = (days: number): boolean => draft.placed + days < 0;
  if (cancelAfter !== null && passed(cancelAfter)) return { status: 'cancelled', version: 2 };
  if (passed(shipAfter + transit)) return { status: 'delivered', version: 4 };
  if (passed(shipAfter)) return { status: 'shipped', version: 3 };
  return passed(packAfter) ? { status: 'packed', version: 2 } : { status: 'placed', version: 1 };
}

function makeLine(scenario: Scenario, draft: Draft, orderId: string, item: Item, index: number): Line {
  const { quantity, product } = item;
  const unitPriceMinor = product.row.priceMinor;
  const discountBasisPoints = discount(draft.customer, quantity);
  return {
    product,
    row: {
      id: scenario.id(draft.placed),
      orderId,
      customerId: draft.customer.row.id,
      productId: product.row.id,
      position: index + 1,
      quantity,
      unitPriceMinor,
      discountBasisPoints,
      totalMinor: lineTotal(quantity, unitPriceMinor, discountBasisPoints),
    },
  };
}

function makeOrder(scenario: Scenario, draft: Draft, index: number): Order {
  const id = scenario.id(draft.placed);
  const lines = draft.items.map((item, at) => makeLine(scenario, draft, id, item, at));
  const state = status(draft);
  const hasShipped = state.status === 'shipped' || state.status === 'delivered';
  const shipped = hasShipped ? draft.placed + draft.plan.shipAfter : null;
  return {
    lines,
    customer: draft.customer,
    plan: draft.plan,
    placed: draft.placed,
    shipped,
    delivered: shipped !== null && state.status === 'delivered' ? shipped + draft.plan.transit : null,
    row: {
      ...state,
      id,
      number: `SO-${String(firstNumber + index)}`,
      customerId: draft.customer.row.id,
      placedAt: scenario.iso(draft.placed),
      shippedAt: shipped === null ? null : scenario.iso(shipped),
      currency: 'EUR',
      totalMinor: lines.reduce((sum, line) => sum + line.row.totalMinor, 0),
    },
  };
}

function demoDrafts(customers: readonly Customer[], products: readonly Product[]): Draft[] {
  return demoOrders.flatMap(({ placed, items, plan }) =>
    customers
      .filter((each) => each.row.name === demoCustomer.facts.name)
      .map((customer) => ({
        customer,
        placed,
        plan,
        items: items.flatMap(([sku, quantity]) =>
          products.filter((each) => each.row.sku === sku).map((product) => ({ product, quantity })),
        ),
      })),
  );
}

export function makeOrders(
  scenario: Scenario,
  customers: readonly Customer[],
  products: readonly Product[],
): Order[] {
  const random = scenario.random('orders');
  const others = customers.filter((each) => each.row.name !== demoCustomer.facts.name);
  const drafts = Array.from({ length: orderCount - demoOrders.length }, (): Draft => {
    // The exponent makes the business grow: more orders in recent months.
    const placed = -0.05 - (scenarioDays - 1) * random.next() ** 1.25;
    const customer = random.weighted(
      others.filter((each) => each.since < placed),
      (each) => each.weight,
    );
    return {
      customer,
      placed,
      items: makeItems(random, products, placed),
      plan: makePlan(random, customer, placed),
    };
  });
  return [...drafts, ...demoDrafts(customers, products)]
    .sort(byMoment((each) => each.placed))
    .map((draft, index) => makeOrder(scenario, draft, index));
}

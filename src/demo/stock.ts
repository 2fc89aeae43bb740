import type { StockMovementRow } from '../domains/business/tables.js';
import type { Order } from './orders.js';
import type { Product } from './products.js';
import type { Random } from './seeded-random.js';
import { byMoment, scenarioDays, type Moment, type Scenario } from './scenario.js';

/** Goods that return to stock. */
export interface Restock {
  readonly product: Product;
  readonly quantity: number;
  readonly moment: Moment;
  readonly ticketNumber: string;
}

interface Change {
  readonly moment: Moment;
  readonly quantity: number;
  /** Null for goods from a supplier, because purchase orders are numbered over all products. */
  readonly reason: string | null;
}

interface Movement extends Change {
  readonly product: Product;
  readonly stockAfter: number;
}

const openingReason = 'Opening balance';

function corrections(random: Random, product: Product): Change[] {
  const begin = Math.max(product.from, -scenarioDays);
  if (product.row.discontinued) return [];
  return Array.from({ length: random.int(0, 3) }, () => ({
    moment: Math.floor(random.between(begin, 0)) + 0.99,
    ...random.pick([
      { quantity: -1, reason: 'Damaged in the warehouse' },
      { quantity: -2, reason: 'Stock count correction' },
      { quantity: 1, reason: 'Stock count correction' },
    ]),
  }));
}

/** Adds deliveries, at the opening of each day whose demand would leave too little stock. */
function supply(product: Product, changes: readonly Change[]): Movement[] {
  const { reorderLevel, reorderSize } = product.category;
  const least = product.row.discontinued ? 0 : Math.ceil(reorderLevel / 3);
  const opening = Math.max(product.from, -scenarioDays);
  const days = new Map<number, Change[]>();
  for (const change of changes) {
    const day = Math.floor(change.moment);
    days.set(day, [...(days.get(day) ?? []), change]);
  }
  const movements: Movement[] = [];
  let stock = 0;
  const move = (change: Change): void => {
    stock += change.quantity;
    movements.push({ ...change, product, stockAfter: stock });
  };
  move({ moment: opening, quantity: reorderSize + reorderLevel, reason: openingReason });
  for (const [day, ofDay] of [...days].sort(([a], [b]) => a - b)) {
    const out = ofDay.reduce((sum, change) => sum - Math.min(change.quantity, 0), 0);
    const missing = least + out - stock;
    if (missing > 0) {
      const quantity = Math.ceil(missing / reorderSize) * reorderSize;
      move({ moment: Math.max(day, opening), quantity, reason: null });
    }
    [...ofDay].sort(byMoment((each) => each.moment)).forEach(move);
  }
  return movements;
}

/** All stock movements. */
export function makeStock(
  scenario: Scenario,
  products: readonly Product[],
  orders: readonly Order[],
  restocks: readonly Restock[],
): StockMovementRow[] {
  const random = scenario.random('stock');
  const changes = new Map(products.map((product) => [product, corrections(random, product)]));
  for (const { lines, shipped, row } of orders) {
    if (shipped === null) continue;
    for (const line of lines) {
      changes
        .get(line.product)
        ?.push({ moment: shipped, quantity: -line.row.quantity, reason: `Shipped with ${row.number}` });
    }
  }
  for (const { product, moment, quantity, ticketNumber } of restocks) {
    changes.get(product)?.push({ moment, quantity, reason: `Returned with ${ticketNumber}` });
  }

  const movements = [...changes].flatMap(([product, own]) => supply(product, own));
  let purchaseOrder = 5100;
  return movements
    .sort(byMoment((each) => each.moment))
    .map(({ product, moment, quantity, reason, stockAfter }) => {
      purchaseOrder += reason === null ? 1 : 0;
      return {
        id: scenario.id(moment),
        productId: product.row.id,
        quantity,
        reason: reason ?? `Goods received, PO-${String(purchaseOrder)}`,
        stockAfter,
        createdAt: scenario.iso(moment),
      };
    });
}

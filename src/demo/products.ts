import type { ProductRow } from '../domains/business/tables.js';
import { catalogue, type Category } from './catalogue.js';
import type { Moment, Scenario } from './scenario.js';

export interface Product {
  readonly row: ProductRow;
  readonly category: Category;
  /** The period in which it could be ordered. */
  readonly from: Moment;
  readonly until: Moment;
}

interface Entry {
  readonly category: Category;
  readonly sku: string;
  readonly name: string;
  readonly priceMinor: number;
  readonly when: string;
  readonly description: string;
}

const entries: readonly Entry[] = catalogue.flatMap((category) =>
  category.products
    .trim()
    .split('\n')
    .map((line) => {
      const [sku = '', name = '', price = '', when = '', description = ''] = line.split(' | ');
      return { category, sku, name, priceMinor: Number(price), when, description };
    }),
);

/** Products with a stock of 0. `makeStock` computes the stock from the movements. */
export function makeProducts(scenario: Scenario): Product[] {
  const random = scenario.random('products');
  return entries.map(({ category, when, ...facts }) => {
    const [kind, days] = when.split(' ');
    const from = kind === 'new' ? -Number(days) : random.between(-760, -420);
    const costMinor = Math.round(facts.priceMinor * category.costShare * random.between(0.97, 1.03));
    return {
      category,
      from,
      until: kind === 'ended' ? -Number(days) : 0,
      row: {
        ...facts,
        id: scenario.id(from),
        category: category.name,
        costMinor,
        currency: 'EUR',
        stock: 0,
        discontinued: kind === 'ended',
        version: 1,
        createdAt: scenario.iso(from),
      },
    };
  });
}

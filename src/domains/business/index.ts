import type { Domain } from '../../delegation/resolver-context.js';
import { analytics } from './analytics.js';
import { billing } from './billing.js';
import { mutations } from './mutations.js';
import * as tables from './tables.js';
import { types } from './type-resolvers.js';

interface BusinessSettings {
  /** The smallest number of distinct customers in a shown figure; at least 2. */
  readonly smallestCell: number;
}

/** Customers, products and stock, orders, billing, tickets, and statistics about them. */
export function makeBusiness({ smallestCell }: BusinessSettings): Domain {
  if (!Number.isInteger(smallestCell) || smallestCell < 2) {
    throw new RangeError('`smallestCell` must be an integer of 2 or more.');
  }
  return {
    name: 'business',
    tables: Object.values(tables),
    resolvers: {
      ...types,
      Query: analytics(smallestCell),
      Mutation: { ...mutations, ...billing },
    },
  };
}

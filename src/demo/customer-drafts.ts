import type { CustomerRow } from '../domains/business/tables.js';
import type { Moment } from './scenario.js';

export interface Customer {
  readonly row: CustomerRow;
  readonly since: Moment;
  /** Whether it has a framework agreement: 15 % on every line. */
  readonly framework: boolean;
  /** How often it orders, relative to others. */
  readonly weight: number;
}

/** A customer before it has a number and an id. */
export interface CustomerDraft extends Omit<Customer, 'row'> {
  readonly facts: Omit<CustomerRow, 'id' | 'number' | 'createdAt' | 'currency'>;
}

/** The events of an order, in working days, as far as the scenario lasts. */
export interface Plan {
  readonly packAfter: number;
  readonly shipAfter: number;
  readonly transit: number;
  /** Counted from the order's placing. Null: not cancelled. A cancelled order never ships. */
  readonly cancelAfter: number | null;
  readonly settlement: 'full' | 'instalments' | 'partial' | 'never';
  /** Counted from the invoice to the first payment. */
  readonly payAfter: number;
}

import type { CustomerRow } from '../domains/business/tables.js';
import type { Moment } from './scenario.js';

export interface Customer {
  readonly row: CustomerRow;
  readonly since: Moment;
  /** Has a framework agreement: 15 % on every line. */
  readonly framework: boolean;
  /** How often it orders, compared with others. */
  readonly weight: number;
}

/** A customer before it has a number and an id. */
export interface CustomerDraft extends Omit<Customer, 'row'> {
  readonly facts: Omit<CustomerRow, 'id' | 'number' | 'createdAt' | 'currency'>;
}

/** What will become of an order if the story lasts long enough; in working days. */
export interface Plan {
  readonly packAfter: number;
  readonly shipAfter: number;
  readonly transit: number;
  /** From placing; the order never ships. */
  readonly cancelAfter: number | null;
  readonly settlement: 'full' | 'instalments' | 'partial' | 'never';
  /** From the invoice to the first payment. */
  readonly payAfter: number;
}

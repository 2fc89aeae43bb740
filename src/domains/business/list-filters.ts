import type { Money } from '../../core/money.js';
import { oneLine } from '../../core/checked-text.js';
import { compare, eq } from '../../store/sql/condition.js';
import { amountBound, atOrAfter, before, isEnumOf, isOneOf, startsWith, type Listing } from './list-query.js';
import type {
  CustomerRow,
  InvoiceRow,
  OrderRow,
  PaymentRow,
  ProductRow,
  RefundRow,
  TicketRow,
} from './tables.js';

type Filter<Texts extends string, Lists extends string, Amounts extends string = never> = {
  readonly [K in Texts]?: string | null;
} & { readonly [K in Lists]?: readonly string[] | null } & { readonly [K in Amounts]?: Money | null };

export type CustomerFilter = Filter<
  'nameStartsWith' | 'createdAfter' | 'createdBefore' | 'email',
  'numbers' | 'regions' | 'countries'
>;
export type ProductFilter = Filter<'nameStartsWith', 'skus' | 'categories'> & {
  readonly discontinued?: boolean | null;
  readonly stockAtMost?: number | null;
};
export type OrderFilter = Filter<
  'placedAfter' | 'placedBefore',
  'numbers' | 'status',
  'totalAtLeast' | 'totalAtMost'
>;
export type InvoiceFilter = Filter<
  'issuedAfter' | 'issuedBefore' | 'dueAfter' | 'dueBefore',
  'numbers' | 'status',
  'amountAtLeast' | 'amountAtMost'
>;
export type PaymentFilter = Filter<
  'receivedAfter' | 'receivedBefore',
  'methods' | 'references',
  'amountAtLeast' | 'amountAtMost'
>;
export type RefundFilter = Filter<'issuedAfter' | 'issuedBefore', never, 'amountAtLeast' | 'amountAtMost'>;
export type TicketFilter = Filter<
  'createdAfter' | 'createdBefore' | 'updatedAfter' | 'updatedBefore',
  'numbers' | 'status' | 'categories' | 'priorities'
>;

export const customerListing: Listing<CustomerRow, CustomerFilter> = {
  filterType: 'CustomerFilter',
  filters: {
    numbers: isOneOf('number', 40, 'filter.numbers'),
    nameStartsWith: startsWith('name', 200, 'filter.nameStartsWith'),
    regions: isOneOf('region', 64, 'filter.regions'),
    countries: isOneOf('country', 100, 'filter.countries'),
    createdAfter: atOrAfter('createdAt'),
    createdBefore: before('createdAt'),
    email: (email) => eq('email', oneLine(email, 254, 'filter.email')),
  },
  orderType: 'CustomerOrder',
  columns: { number: 'number', name: 'name', region: 'region', country: 'country', createdAt: 'createdAt' },
  fallback: { column: 'number', direction: 'asc' },
};

export const productListing: Listing<ProductRow, ProductFilter> = {
  filterType: 'ProductFilter',
  filters: {
    skus: isOneOf('sku', 60, 'filter.skus'),
    nameStartsWith: startsWith('name', 200, 'filter.nameStartsWith'),
    categories: isOneOf('category', 100, 'filter.categories'),
    discontinued: (wanted) => eq('discontinued', wanted),
    stockAtMost: (stock) => compare('stock', '<=', stock),
  },
  orderType: 'ProductOrder',
  columns: { sku: 'sku', name: 'name', category: 'category', stock: 'stock', createdAt: 'createdAt' },
  fallback: { column: 'sku', direction: 'asc' },
};

export const orderListing: Listing<OrderRow, OrderFilter> = {
  filterType: 'OrderFilter',
  filters: {
    numbers: isOneOf('number', 40, 'filter.numbers'),
    status: isEnumOf('status', 'filter.status'),
    placedAfter: atOrAfter('placedAt'),
    placedBefore: before('placedAt'),
    totalAtLeast: amountBound('totalMinor', '>=', 'filter.totalAtLeast'),
    totalAtMost: amountBound('totalMinor', '<=', 'filter.totalAtMost'),
  },
  orderType: 'OrderOrder',
  columns: { number: 'number', placedAt: 'placedAt', total: 'totalMinor' },
  fallback: { column: 'placedAt', direction: 'desc' },
};

export const invoiceListing: Listing<InvoiceRow, InvoiceFilter> = {
  filterType: 'InvoiceFilter',
  filters: {
    numbers: isOneOf('number', 40, 'filter.numbers'),
    status: isEnumOf('status', 'filter.status'),
    issuedAfter: atOrAfter('issuedAt'),
    issuedBefore: before('issuedAt'),
    dueAfter: atOrAfter('dueAt'),
    dueBefore: before('dueAt'),
    amountAtLeast: amountBound('amountMinor', '>=', 'filter.amountAtLeast'),
    amountAtMost: amountBound('amountMinor', '<=', 'filter.amountAtMost'),
  },
  orderType: 'InvoiceOrder',
  columns: { number: 'number', issuedAt: 'issuedAt', dueAt: 'dueAt', amount: 'amountMinor' },
  fallback: { column: 'issuedAt', direction: 'desc' },
};

export const paymentListing: Listing<PaymentRow, PaymentFilter> = {
  filterType: 'PaymentFilter',
  filters: {
    methods: isEnumOf('method', 'filter.methods'),
    references: isOneOf('reference', 100, 'filter.references'),
    receivedAfter: atOrAfter('receivedAt'),
    receivedBefore: before('receivedAt'),
    amountAtLeast: amountBound('amountMinor', '>=', 'filter.amountAtLeast'),
    amountAtMost: amountBound('amountMinor', '<=', 'filter.amountAtMost'),
  },
  orderType: 'PaymentOrder',
  columns: { receivedAt: 'receivedAt', amount: 'amountMinor' },
  fallback: { column: 'receivedAt', direction: 'desc' },
};

export const refundListing: Listing<RefundRow, RefundFilter> = {
  filterType: 'RefundFilter',
  filters: {
    issuedAfter: atOrAfter('issuedAt'),
    issuedBefore: before('issuedAt'),
    amountAtLeast: amountBound('amountMinor', '>=', 'filter.amountAtLeast'),
    amountAtMost: amountBound('amountMinor', '<=', 'filter.amountAtMost'),
  },
  orderType: 'RefundOrder',
  columns: { issuedAt: 'issuedAt', amount: 'amountMinor' },
  fallback: { column: 'issuedAt', direction: 'desc' },
};

export const ticketListing: Listing<TicketRow, TicketFilter> = {
  filterType: 'TicketFilter',
  filters: {
    numbers: isOneOf('number', 40, 'filter.numbers'),
    status: isEnumOf('status', 'filter.status'),
    categories: isEnumOf('category', 'filter.categories'),
    priorities: isEnumOf('priority', 'filter.priorities'),
    createdAfter: atOrAfter('createdAt'),
    createdBefore: before('createdAt'),
    updatedAfter: atOrAfter('updatedAt'),
    updatedBefore: before('updatedAt'),
  },
  orderType: 'TicketOrder',
  columns: { number: 'number', createdAt: 'createdAt', updatedAt: 'updatedAt' },
  fallback: { column: 'createdAt', direction: 'desc' },
};

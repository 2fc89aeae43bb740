import { moneyOf } from '../../core/money.js';
import type { Operation, Resolver } from '../../delegation/resolver-context.js';
import type { ColumnSelection } from '../../store/bounded/column-selection.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { Bucket, TimeRange } from './time-buckets.js';
import { fromStored } from '../declared/enums.js';
import { figures, type ShownFigure, type Statistic } from './statistics.js';
import {
  customers,
  orderLines,
  orders,
  products,
  tickets,
  type OrderLineRow,
  type OrderRow,
  type TicketRow,
} from './tables.js';

const joined = (name: string, table: AnyTable, on: string) => ({ name, table, on });

const sales: Statistic<OrderRow> = {
  name: 'sales',
  scope: 'analytics:sales',
  table: orders,
  where: "t.`status` <> 'cancelled'",
  time: 't.`placed_at`',
  measures: { amount: 'SUM(t.`total_minor`)', orders: 'COUNT(*)' },
  currency: 't.`currency`',
};

const salesByRegion: Statistic<OrderRow> = {
  ...sales,
  name: 'sales by region',
  joins: [joined('c', customers, 'c.`id` = t.`customer_id`')],
  group: 'c.`region`',
};

const salesByCategory: Statistic<OrderLineRow> = {
  name: 'sales by category',
  scope: 'analytics:sales',
  table: orderLines,
  joins: [joined('o', orders, 'o.`id` = t.`order_id`'), joined('p', products, 'p.`id` = t.`product_id`')],
  where: "o.`status` <> 'cancelled'",
  time: 'o.`placed_at`',
  measures: { amount: 'SUM(t.`total_minor`)', quantity: 'SUM(t.`quantity`)' },
  currency: 'o.`currency`',
  group: 'p.`category`',
};

const ticketVolumes: Statistic<TicketRow> = {
  name: 'tickets',
  scope: 'analytics:tickets',
  table: tickets,
  time: 't.`created_at`',
  measures: { tickets: 'COUNT(*)' },
};

const ticketVolumesByCategory: Statistic<TicketRow> = {
  ...ticketVolumes,
  name: 'tickets by category',
  group: 't.`category`',
};

interface Args extends TimeRange {
  readonly bucket: Bucket;
}

/** The queries with fixed groupings. Cells of fewer than `smallestCell` distinct customers are suppressed. */
export function analytics(smallestCell: number): Readonly<Record<string, Resolver>> {
  const query =
    <Row>(statistic: Statistic<Row>, show: (figure: ShownFigure) => object): Resolver =>
    async (_root: unknown, args: Args, operation: Operation, selection: ColumnSelection) => {
      const found = await figures(operation.rows, statistic, args, args.bucket, smallestCell);
      // The number of figures was unknown before they were computed.
      operation.resolving(found.length * selection.fields);
      return found.map((figure) => ({
        period: figure.period,
        suppressed: figure.measures === null,
        ...show(figure),
      }));
    };
  return {
    salesByPeriod: query(sales, sold),
    salesByRegion: query(salesByRegion, (figure) => ({ ...sold(figure), region: figure.group })),
    salesByCategory: query(salesByCategory, (figure) => ({
      ...sold(figure),
      category: figure.group,
      quantity: count(figure, 'quantity'),
    })),
    ticketVolumes: query(ticketVolumes, (figure) => ({ tickets: count(figure, 'tickets') })),
    ticketVolumesByCategory: query(ticketVolumesByCategory, (figure) => ({
      category: fromStored(figure.group ?? ''),
      tickets: count(figure, 'tickets'),
    })),
  };
}

function sold(figure: ShownFigure): object {
  const amount = figure.measures?.amount;
  return {
    currency: figure.currency,
    amount: amount === undefined ? null : moneyOf(amount, figure.currency),
    orders: count(figure, 'orders'),
  };
}

const count = (figure: ShownFigure, measure: string): number | null => {
  const value = figure.measures?.[measure];
  return value === undefined ? null : Number(value);
};

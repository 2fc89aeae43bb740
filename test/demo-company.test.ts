import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  demoTicketNumber,
  generateBusiness,
  seededIds,
  type BusinessData,
} from '../src/demo/generate-business.js';
import { demoAgents, demoUsers } from '../src/demo/people.js';
import { isId } from '../src/core/ids.js';
import type { Column } from '../src/store/tables/column.js';
import type { Table } from '../src/store/tables/table.js';
import * as tables from '../src/domains/business/tables.js';
import * as identity from '../src/store/tables/identity.js';
import { collections, documents } from '../src/domains/knowledge/tables.js';

const dayMs = 24 * 3_600_000;
const now = Date.parse('2025-06-18T10:00:00.000Z');
const generate = (seed: number, at: number): BusinessData =>
  generateBusiness({ seed, now: at, ids: seededIds(seed) });
const data = generate(7, now);

type Value = string | number | boolean | null;
type Row = Record<string, Value>;
const kinds = Object.keys(data) as (keyof BusinessData)[];
const tableOf = (kind: keyof BusinessData): { columns: Record<string, Column<unknown>>; name: string } =>
  tables[kind] as Table<object> as { columns: Record<string, Column<unknown>>; name: string };
const rowsOf = (kind: keyof BusinessData): readonly Row[] => data[kind].map((row) => row as unknown as Row);

const byId = <T extends { id: string }>(rows: readonly T[]): ((id: string | null) => T) => {
  const found = new Map(rows.map((row) => [row.id, row]));
  return (id) => {
    const row = id === null ? undefined : found.get(id);
    if (row === undefined) throw new Error(`No row has the id ${String(id)}.`);
    return row;
  };
};
const customer = byId(data.customers);
const product = byId(data.products);
const order = byId(data.orders);
const invoice = byId(data.invoices);
const payment = byId(data.payments);

const sum = <T>(rows: readonly T[], value: (row: T) => number): number =>
  rows.reduce((total, row) => total + value(row), 0);
const groups = <T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> => {
  const found = new Map<string, T[]>();
  for (const row of rows) found.set(key(row), [...(found.get(key(row)) ?? []), row]);
  return found;
};
const bytes = (text: string): number => Buffer.byteLength(text);
const idTime = (id: string): number =>
  [...id.slice(0, 10)].reduce((ms, digit) => ms * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit), 0);
const ascending = (times: readonly (string | null)[]): boolean => {
  const known = times.filter((time) => time !== null);
  return known.every((time, index) => index === 0 || (known[index - 1] ?? '') <= time);
};

describe('the demo company’s business data', () => {
  test('repeats exactly for the same seed, and differs for another', () => {
    expect(generate(7, now)).toEqual(data);
    expect(generate(8, now).orders).not.toEqual(data.orders);
  });

  test('tells the same story on another day, moved in time', () => {
    const facts = (from: BusinessData): unknown => [
      from.orders.map(({ number, status, totalMinor }) => [number, status, totalMinor]),
      from.tickets.map(({ number, status, category }) => [number, status, category]),
      from.products.map(({ sku, stock }) => [sku, stock]),
    ];
    for (const days of [1, 3, 4, 5, 200]) expect(facts(generate(7, now + days * dayMs))).toEqual(facts(data));
  });

  test('has the size that was agreed', () => {
    expect(data.customers).toHaveLength(200);
    expect(data.products).toHaveLength(60);
    expect(data.orders).toHaveLength(1500);
    expect(data.tickets).toHaveLength(300);
    expect(data.refunds).toHaveLength(70);
    expect(new Set(data.customers.map((row) => row.region)).size).toBe(4);
    expect(new Set(data.products.map((row) => row.category)).size).toBe(8);
    expect(new Set(data.invoices.map((row) => row.status))).toEqual(new Set(['open', 'paid', 'void']));
    expect(new Set(data.tickets.map((row) => row.status)).size).toBe(4);
    for (const [, tickets] of groups(data.tickets, (row) => row.category)) {
      expect(tickets.length).toBeGreaterThan(20);
    }
    for (const [, lines] of groups(data.orderLines, (row) => row.orderId)) {
      expect(lines.length).toBeLessThanOrEqual(5);
    }
    const conversations = groups(data.ticketMessages, (row) => row.ticketId);
    expect(conversations.size).toBe(300);
    for (const [, messages] of conversations) expect(messages.length).toBeLessThanOrEqual(6);
    expect(data.ticketMessages.some((row) => row.internal)).toBe(true);
  });

  const fits = (column: Column<unknown>, value: Value | undefined): boolean => {
    if (value === null || value === undefined) return value === null && column.nullable;
    switch (column.kind) {
      case 'id':
        return isId(String(value));
      case 'time':
        return typeof value === 'string' && new Date(value).toISOString() === value;
      case 'int':
      case 'minor':
        return Number.isSafeInteger(value);
      case 'flag':
        return typeof value === 'boolean';
      default:
        return typeof value === 'string' && value.length <= (column.length ?? 10_000);
    }
  };

  test.each(kinds)('%s fit their table’s columns', (kind) => {
    const columns = Object.entries(tableOf(kind).columns);
    const misfits = rowsOf(kind).flatMap((row) => [
      ...columns.filter(([name, column]) => !fits(column, row[name])),
      ...Object.keys(row).filter((name) => !columns.some(([known]) => known === name)),
    ]);
    expect(misfits).toEqual([]);
  });

  test.each(kinds)('%s refer only to rows that exist', (kind) => {
    const ids = new Map(
      kinds.map((each) => [tableOf(each).name, new Set<unknown>(rowsOf(each).map((row) => row.id))]),
    );
    for (const [name, { references }] of Object.entries(tableOf(kind).columns)) {
      if (references === undefined) continue;
      const dangling = rowsOf(kind).filter(({ [name]: id }) => id !== null && !ids.get(references)?.has(id));
      expect(dangling).toEqual([]);
    }
  });

  test('the customer of a row is the customer of what the row belongs to', () => {
    for (const row of data.orderLines) expect(row.customerId).toBe(order(row.orderId).customerId);
    for (const row of data.invoices) expect(row.customerId).toBe(order(row.orderId).customerId);
    for (const row of data.payments) expect(row.customerId).toBe(invoice(row.invoiceId).customerId);
    for (const row of data.refunds) expect(row.customerId).toBe(payment(row.paymentId).customerId);
    for (const row of data.tickets.filter((each) => each.orderId !== null)) {
      expect(row.customerId).toBe(order(row.orderId).customerId);
    }
  });

  test('ids, numbers, SKUs and addresses are unique', () => {
    const unique = (values: readonly unknown[]): void => {
      expect(new Set(values).size).toBe(values.length);
    };
    unique(kinds.flatMap((kind) => rowsOf(kind).map((row) => row.id)));
    for (const kind of ['customers', 'orders', 'invoices', 'tickets'] as const) {
      unique(rowsOf(kind).map((row) => row.number));
    }
    unique(data.products.map((row) => row.sku));
    unique(data.customers.map((row) => row.name));
    unique(data.customers.map((row) => row.email));
  });

  test('contact data can reach nobody', () => {
    for (const row of data.customers) {
      expect(row.email).toMatch(/^[a-z.-]+@[a-z-]+\.example$/);
      expect(row.phone).toMatch(/^\+\d+ \d+ 555 01\d\d$/);
    }
  });
});

describe('the sums add up:', () => {
  test('lines and orders', () => {
    const lines = groups(data.orderLines, (row) => row.orderId);
    for (const { quantity, unitPriceMinor, discountBasisPoints, totalMinor } of data.orderLines) {
      expect(totalMinor).toBe(
        Math.round((quantity * unitPriceMinor * (10_000 - discountBasisPoints)) / 10_000),
      );
    }
    for (const row of data.orders)
      expect(sum(lines.get(row.id) ?? [], (line) => line.totalMinor)).toBe(row.totalMinor);
  });

  test('invoices, payments and refunds', () => {
    const payments = groups(data.payments, (row) => row.invoiceId);
    for (const row of data.invoices) {
      expect(row.amountMinor).toBe(order(row.orderId).totalMinor);
      expect(row.paidMinor).toBe(sum(payments.get(row.id) ?? [], (each) => each.amountMinor));
      if (row.status === 'void') expect(row.paidMinor).toBe(0);
      else expect(row.status).toBe(row.paidMinor === row.amountMinor ? 'paid' : 'open');
    }
    expect(data.invoices.some((row) => row.status === 'open' && row.paidMinor > 0)).toBe(true);
    for (const [id, refunds] of groups(data.refunds, (row) => row.paymentId)) {
      expect(sum(refunds, (row) => row.amountMinor)).toBeLessThanOrEqual(payment(id).amountMinor);
      for (const row of refunds) expect(row.amountMinor).toBeGreaterThan(0);
    }
  });

  test('stock', () => {
    const movements = groups(data.stockMovements, (row) => row.productId);
    for (const row of data.products) {
      let stock = 0;
      for (const movement of movements.get(row.id) ?? []) {
        stock += movement.quantity;
        expect(movement.stockAfter).toBe(stock);
        expect(stock).toBeGreaterThanOrEqual(0);
      }
      expect(row.stock).toBe(stock);
      expect(row.costMinor).toBeLessThan(row.priceMinor);
    }
    const out = sum(data.stockMovements, (row) => (row.reason.startsWith('Shipped') ? -row.quantity : 0));
    const shipped = data.orderLines.filter((line) => order(line.orderId).shippedAt !== null);
    expect(out).toBe(sum(shipped, (line) => line.quantity));
  });
});

describe('times', () => {
  test('lie before now, and the last ones shortly before', () => {
    const times = kinds.flatMap((kind) =>
      Object.entries(tableOf(kind).columns)
        .filter(([name, column]) => column.kind === 'time' && name !== 'dueAt')
        .flatMap(([name]) => rowsOf(kind).flatMap((row) => (row[name] === null ? [] : [String(row[name])]))),
    );
    const last = Math.max(...times.map((time) => Date.parse(time)));
    expect(last).toBeLessThan(now);
    expect(last).toBeGreaterThan(now - 2 * 3_600_000);
    const orders = data.orders.map((row) => Date.parse(row.placedAt));
    expect(now - Math.min(...orders)).toBeGreaterThan(500 * dayMs);
    expect(now - Math.max(...orders)).toBeLessThan(5 * dayMs);
  });

  test('are the time part of the ids', () => {
    const creation = ['createdAt', 'placedAt', 'issuedAt', 'receivedAt'];
    for (const kind of kinds) {
      for (const row of rowsOf(kind)) {
        const name = creation.find((each) => each in row);
        if (name) expect(idTime(String(row.id))).toBe(Date.parse(String(row[name])));
      }
    }
    for (const row of data.orderLines) expect(idTime(row.id)).toBe(Date.parse(order(row.orderId).placedAt));
  });

  test('follow one another', () => {
    for (const row of data.orders) {
      expect(ascending([customer(row.customerId).createdAt, row.placedAt, row.shippedAt])).toBe(true);
      expect(row.shippedAt !== null).toBe(['shipped', 'delivered'].includes(row.status));
    }
    for (const row of data.orderLines) {
      expect(ascending([product(row.productId).createdAt, order(row.orderId).placedAt])).toBe(true);
    }
    for (const row of data.invoices) {
      const { placedAt, shippedAt } = order(row.orderId);
      expect(ascending([placedAt, shippedAt, row.issuedAt, row.dueAt])).toBe(true);
    }
    for (const row of data.payments)
      expect(ascending([invoice(row.invoiceId).issuedAt, row.receivedAt])).toBe(true);
    for (const row of data.refunds)
      expect(ascending([payment(row.paymentId).receivedAt, row.issuedAt])).toBe(true);
    for (const [, rows] of groups(data.stockMovements, (row) => row.productId)) {
      expect(ascending(rows.map((row) => row.createdAt))).toBe(true);
    }
    const messages = groups(data.ticketMessages, (row) => row.ticketId);
    for (const row of data.tickets) {
      const placedAt = row.orderId === null ? null : order(row.orderId).placedAt;
      const said = (messages.get(row.id) ?? []).map((message) => message.createdAt);
      expect(ascending([placedAt, row.createdAt, ...said, row.updatedAt])).toBe(true);
      expect([row.createdAt, row.updatedAt]).toEqual([said[0], said.at(-1)]);
    }
    for (const kind of ['orders', 'invoices', 'tickets', 'customers'] as const) {
      const ids = rowsOf(kind).map((row) => String(row.id).slice(0, 10));
      expect(ascending(ids)).toBe(true);
    }
  });
});

test('the demo ticket is urgent, in Europe, and has a history to look into', () => {
  const ticket = data.tickets.find((row) => row.number === demoTicketNumber);
  expect(ticket).toMatchObject({ status: 'open', priority: 'urgent', category: 'billing' });
  const customerId = ticket?.customerId ?? '';
  expect(customer(customerId).region).toBe('europe');
  expect(data.orders.filter((row) => row.customerId === customerId).length).toBeGreaterThanOrEqual(3);
  const invoices = data.invoices.filter((row) => row.customerId === customerId);
  expect(invoices.length).toBeGreaterThanOrEqual(2);
  const [message] = data.ticketMessages.filter((row) => row.ticketId === ticket?.id);
  const concerned = invoices.find((row) => row.orderId === ticket?.orderId);
  expect(message?.body).toContain(order(ticket?.orderId ?? null).number);
  expect(message?.body).toContain(concerned?.number ?? 'an invoice');
  expect(concerned?.status).toBe('paid');
  expect(message?.body).toContain('refund window');
});

describe('the demo company’s knowledge base', () => {
  const root = new URL('../examples/company/', import.meta.url);
  const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
  const listed = parse(read('collections.yaml')) as { key: string; name: string; description: string }[];
  const pages = listed.flatMap(({ key }) =>
    readdirSync(new URL(`documents/${key}/`, root)).map((file) => {
      const [, front = '', body = ''] = read(`documents/${key}/${file}`).split(/^---$/m);
      const matter = parse(front) as { title: string; classification: string; owner?: string };
      return { path: `${key}/${file}`, body, ...matter };
    }),
  );

  test('lists each collection once', () => {
    expect(listed.map(({ key }) => key).sort()).toEqual(readdirSync(new URL('documents/', root)).sort());
    for (const { key, name, description } of listed) {
      expect(key.length).toBeLessThanOrEqual(collections.columns.key.length ?? 0);
      expect(name.length).toBeLessThanOrEqual(collections.columns.name.length ?? 0);
      expect(description.length).toBeLessThanOrEqual(collections.columns.description.length ?? 0);
    }
  });

  test.each(pages.map((page) => [page.path, page] as const))('%s is a complete document', (_, page) => {
    expect(page.title.length).toBeLessThanOrEqual(documents.columns.title.length ?? 0);
    expect(['public', 'internal', 'confidential', 'restricted']).toContain(page.classification);
    if (page.owner !== undefined) expect(demoUsers.map((user) => user.name)).toContain(page.owner);
    expect(page.body.match(/^## /gm)?.length ?? 0).toBeGreaterThanOrEqual(3);
    const words = page.body.split(/\s+/).length;
    expect(words).toBeGreaterThanOrEqual(150);
    expect(words).toBeLessThanOrEqual(450);
  });

  test('has every classification, titles of its own, and stays small', () => {
    expect(pages.length).toBeGreaterThanOrEqual(42);
    expect(new Set(pages.map((page) => page.title)).size).toBe(pages.length);
    const levels = groups(pages, (page) => page.classification);
    for (const [, level] of levels) expect(level.length).toBeGreaterThanOrEqual(4);
    expect(levels.size).toBe(4);
    expect(sum(pages, (page) => bytes(page.body))).toBeLessThan(250_000);
  });
});

test('the people and agents of the demo company fit their tables, and every agent has an owner', () => {
  const names = demoUsers.map((user) => user.name);
  expect(new Set([...names, ...demoAgents.map((agent) => agent.name)]).size).toBe(
    names.length + demoAgents.length,
  );
  for (const agent of demoAgents) {
    expect(names).toContain(agent.owner);
    expect(agent.name.length).toBeLessThanOrEqual(identity.agents.columns.name.length ?? 0);
    expect(agent.businessTask.length).toBeLessThanOrEqual(identity.agents.columns.businessTask.length ?? 0);
  }
});

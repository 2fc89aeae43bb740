// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { createApp } from '../../src/app.js';
import { readConfig, type Config } from '../../src/config.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { Database } from '../../src/store/sql/database.js';
import { freshDatabaseUrl, targetOf } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { freePort } from '../support/free-port.js';

let fresh: FreshDatabase;
let config: Config;

beforeAll(async () => {
  fresh = await freshDatabaseUrl();
  const target = targetOf(fresh.url);
  const database = await Database.open(target, migrations);
  await database.migrate();
  await database.close();
  config = readConfig({
    DATABASE_URL: fresh.url,
    PORT: String(await freePort()),
    BEHALF_LOG_LEVEL: 'silent',
  });
});
afterAll(() => fresh.drop());

const sdl = readSdl();

function altered(from: string, to: string): string {
  if (!sdl.includes(from)) throw new Error(`The SDL does not have: ${from}`);
  return sdl.replace(from, to);
}

/** What is wrong with the SDL, what is altered to make it so, and the coordinate with what is said of it. */
const faults: readonly (readonly [what: string, from: string, to: string, told: string])[] = [
  [
    'a field without a scope',
    'country: String! @scope(name: "customers:read")',
    'country: String!',
    'Customer.country has no @scope',
  ],
  [
    'a query without a scope',
    'product("The product\'s id." id: ID! @plain): Product @scope(name: "products:read")',
    'product("The product\'s id." id: ID! @plain): Product',
    'Query.product has no @scope',
  ],
  [
    'a mutation without a scope',
    '): ReplyToTicketPayload! @scope(name: "tickets:reply")',
    '): ReplyToTicketPayload!',
    'Mutation.replyToTicket has no @scope',
  ],
  [
    'an argument without a scope',
    'sku: String! @scope(name: "products:read", of: "Product.sku")',
    'sku: String!',
    'Query.productBySku(sku:) has no @scope',
  ],
  [
    'a value to be written that is not said to be plain',
    'reason: String! @plain',
    'reason: String!',
    'Mutation.adjustStock(reason:) has no @scope',
  ],
  [
    'a filter without a scope',
    'email: String @scope(name: "customers:read_contact", of: "Customer.email") @personal',
    'email: String',
    'CustomerFilter.email has no @scope',
  ],
  [
    'a sorting without a scope',
    'total: Direction @scope(name: "orders:read", of: "Order.total")',
    'total: Direction',
    'OrderOrder.total has no @scope',
  ],
  [
    'a scope that is defined nowhere',
    'creditLimit: Money @scope(name: "customers:read_credit")',
    'creditLimit: Money @scope(name: "customers:read_debts")',
    'Customer.creditLimit names an undefined scope: customers:read_debts',
  ],
  [
    'a scope that is not written as one',
    '@defineScope(name: "stock:read"',
    '@defineScope(name: "stock"',
    'scope stock is not written resource:action',
  ],
  [
    'a scope that is defined twice',
    '@defineScope(name: "stock:read"',
    '@defineScope(name: "stock:adjust", description: "") @defineScope(name: "stock:read"',
    'scope stock:adjust is defined twice',
  ],
  [
    'a filter with another scope than the field that it looks at',
    'email: String @scope(name: "customers:read_contact", of: "Customer.email")',
    'email: String @scope(name: "customers:read", of: "Customer.email")',
    'CustomerFilter.email looks at Customer.email, which has another scope',
  ],
  [
    'a filter that looks at no field',
    'email: String @scope(name: "customers:read_contact", of: "Customer.email")',
    'email: String @scope(name: "customers:read_contact", of: "Customer.mail")',
    'CustomerFilter.email looks at Customer.mail, which does not exist',
  ],
  [
    'a filter that does not say which field it looks at',
    'email: String @scope(name: "customers:read_contact", of: "Customer.email")',
    'email: String @scope(name: "customers:read_contact")',
    'CustomerFilter.email does not say which field it is of',
  ],
  [
    'a filter that is used without being asked for',
    'email: String @scope(name: "customers:read_contact", of: "Customer.email")',
    'email: String = "a@b.c" @scope(name: "customers:read_contact", of: "Customer.email")',
    'CustomerFilter.email has a default and a @scope',
  ],
  [
    'an input with a scope that is said to be plain',
    'sku: String! @scope(name: "products:read", of: "Product.sku")',
    'sku: String! @plain @scope(name: "products:read", of: "Product.sku")',
    'Query.productBySku(sku:) is both @scope and @plain',
  ],
  [
    'a row type that leaves a dimension out',
    '@rows(scope: "stock:read", unbounded: ["customer", "region", "collection", "classification", "person"])',
    '@rows(scope: "stock:read", unbounded: ["customer", "region", "collection", "classification"])',
    'StockMovement must either bound or name as unbounded: person',
  ],
  [
    'a row type with a dimension that is not there',
    '@rows(scope: "stock:read", unbounded: ["customer",',
    '@rows(scope: "stock:read", unbounded: ["team", "customer",',
    'StockMovement names an unknown dimension: team',
  ],
  [
    'a new dimension that no row type knows',
    '@defineDimension(name: "region"',
    '@defineDimension(name: "team", description: "A team.") @defineDimension(name: "region"',
    'Customer must either bound or name as unbounded: team',
  ],
  [
    'a boundary whose path leads to no column',
    '{ dimension: "region", path: "region" }',
    '{ dimension: "region", path: "area" }',
    'Customer has no column area',
  ],
  [
    'a field that could be refused and may not be null',
    'creditLimit: Money @scope',
    'creditLimit: Money! @scope',
    'Customer.creditLimit must be nullable',
  ],
  [
    'a query that could be refused and may not be null',
    'search(\n',
    'searchAll: [SearchHit!]! @scope(name: "documents:read")\n  search(\n',
    'Query.searchAll must be nullable',
  ],
];

test.each(faults)('the server refuses to start over %s, and names it', async (_what, from, to, told) => {
  await expect(createApp(config, { sdl: altered(from, to) })).rejects.toThrow(told);
});

test('every uncovered coordinate is told at once', async () => {
  const bare = sdl.replaceAll('@scope(name: "payments:read")', '');
  const error: unknown = await createApp(config, { sdl: bare }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  const told = error instanceof Error ? error.message.split('\n- ').slice(1) : [];
  expect(told).toContain('Payment.amount has no @scope');
  expect(told).toContain('Query.payments has no @scope');
  expect(told).toContain('PaymentEdge.node has no @scope');
  expect(told).toContain('PaymentFilter.methods looks at Payment.method, which does not exist');
});

test('with the SDL as it ships the server starts', async () => {
  const app = await createApp(config, { sdl });
  await app.close();
});

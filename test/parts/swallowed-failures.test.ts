// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Operation, Resolver } from '../../src/delegation/resolver-context.js';
import { customers, orders, type CustomerRow, type OrderRow } from '../../src/domains/business/tables.js';
import { BusinessRows } from '../support/business.js';
import { installedDomains } from '../support/installed.js';
import { recordOf } from '../support/records.js';
import { everywhere, TestServer, type PersonFixture } from '../support/server.js';

/** What the resolver does with the order that it may change. */
let work: (operation: Operation, order: OrderRow) => Promise<unknown>;
const scope = 'orders:update_status';
const faulty: Resolver = async (_root: never, { orderId }: { orderId: string }, operation) => {
  const order = await operation.rows.inside(orders, orderId, scope, true);
  await work(operation, order);
  return { order };
};

let server: TestServer;
let person: PersonFixture;
let order: OrderRow;
let other: CustomerRow;
beforeAll(async () => {
  server = await TestServer.start({
    domains: installedDomains().map((domain) => {
      const { Mutation: mutations } = domain.resolvers;
      return mutations?.setOrderStatus === undefined
        ? domain
        : {
            ...domain,
            resolvers: { ...domain.resolvers, Mutation: { ...mutations, setOrderStatus: faulty } },
          };
    }),
  });
  const rows = new BusinessRows(server);
  order = await rows.order('O-1', await rows.customer('C-1', 'europe'));
  other = await rows.customer('C-2', 'asia');
  person = await server.person({
    scopes: ['orders:read', scope],
    boundary: { ...everywhere, region: ['europe'] },
  });
});
afterAll(() => server.stop());

const content = async (): Promise<string> =>
  JSON.stringify([
    await server.database.read.select(orders, { kind: 'all', of: [] }),
    await server.database.read.select(customers, { kind: 'all', of: [] }),
  ]);

test.each<[string, typeof work]>([
  [
    'a row that leaves the boundary',
    ({ rows }, { id }) => rows.update(orders, id, { customerId: other.id }, scope).catch(() => undefined),
  ],
  [
    'a row that is added outside of the boundary',
    ({ rows, ids }, row) =>
      rows
        .insert(orders, { ...row, id: ids.next(), number: 'O-2', customerId: other.id }, scope)
        .catch(() => undefined),
  ],
  [
    'a row that nobody waits for',
    ({ rows }, { id }) => {
      void rows.update(orders, id, { customerId: other.id }, scope).catch(() => undefined);
      return Promise.resolve();
    },
  ],
  [
    'a row that another one excludes',
    ({ rows, ids }, row) => rows.insert(orders, { ...row, id: ids.next() }, scope).catch(() => undefined),
  ],
])('%s undoes its operation, although the resolver caught the failure', async (_what, faultyWork) => {
  work = faultyWork;
  const before = await content();
  const answer = await server.query(
    person.token,
    `mutation { setOrderStatus(orderId: "${order.id}", status: PACKED, expectedVersion: 1, idempotencyKey: "k") { order { id } } }`,
  );
  expect(answer.errors[0]?.extensions.code).toMatch(/^(?:NOT_FOUND|CONFLICT)$/);
  expect(answer.data ?? null).toBeNull();
  expect(await content()).toBe(before);
  expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'failed' });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/epoch.js';
import { readSdl } from '../../src/graphql/sdl.js';
import { all, eq } from '../../src/store/condition.js';
import type { Connection } from '../../src/store/connection.js';
import {
  agentRoles,
  delegations,
  roles,
  userRoles,
  type StoredBoundary,
} from '../../src/store/tables/identity.js';
import { BusinessRows } from '../support/business.js';
import {
  everywhere,
  TestServer,
  type AgentFixture,
  type Answer,
  type PersonFixture,
} from '../support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
  await addCustomers(server);
});
afterAll(() => server.stop());

const regions = ['africa', 'america', 'asia', 'europe'];

/** A customer, an order, an invoice and a ticket in each region. */
async function addCustomers(to: TestServer): Promise<void> {
  const rows = new BusinessRows(to);
  for (const region of regions) {
    const customer = await rows.customer(`C-${region}`, region);
    const order = await rows.order(`O-${region}`, customer);
    await rows.invoice(`I-${region}`, order);
    await rows.ticket(`T-${region}`, customer);
  }
}

const inRegions = (...region: string[]): StoredBoundary => ({ ...everywhere, region });

async function change(work: (tx: Connection) => Promise<unknown>): Promise<void> {
  await server.database.transaction(async (tx) => {
    await work(tx);
    await bumpEpoch(tx);
  });
}

const some = ['customers:read', 'customers:read_contact'];

interface Chain {
  readonly person: PersonFixture;
  readonly agent: AgentFixture;
}

/** Every layer holds all of `some`; the agent has a second role that is not the delegation's. */
async function wholeChain(): Promise<Chain> {
  const person = await server.person({ scopes: some });
  const agent = await server.agent(person, { scopes: some });
  const roleId = await server.role('agent', { scopes: some });
  const grantedAt = '2026-01-01T00:00:00.000Z';
  await change((tx) => tx.insert(agentRoles, [{ agentId: agent.id, roleId, grantedBy: null, grantedAt }]));
  return { person, agent };
}

const onlyCustomers = { scopes: ['customers:read'] };

/** What is taken from one layer, and what the next operation is told. */
const lost: readonly {
  readonly what: string;
  readonly take: (chain: Chain) => Promise<string | undefined>;
  readonly layer: string;
  readonly scope: string;
  readonly hint: RegExp;
}[] = [
  {
    what: "the person's role loses the scope",
    take: async ({ person }) => {
      const held = await server.database.read.one(userRoles, eq('userId', person.id));
      await change((tx) => tx.update(roles, eq('id', held?.roleId), onlyCustomers));
      return undefined;
    },
    ...{ layer: 'person', scope: 'customers:read_contact', hint: /^An administrator can assign a role/ },
  },
  {
    what: 'the person loses the role',
    take: async ({ person }) => {
      await change((tx) => tx.delete(userRoles, eq('userId', person.id)));
      return undefined;
    },
    ...{ layer: 'person', scope: 'customers:read', hint: /to the person\.$/ },
  },
  {
    what: "the agent's role loses the scope that another of its roles has",
    take: async ({ agent }) => {
      await change((tx) => tx.update(roles, eq('id', agent.roleId), onlyCustomers));
      return undefined;
    },
    ...{ layer: 'agent', scope: 'customers:read_contact', hint: /to the agent; then ask for a delegation/ },
  },
  {
    what: 'the agent loses the role of the delegation',
    take: async ({ agent }) => {
      await change((tx) => tx.delete(agentRoles, all(eq('agentId', agent.id), eq('roleId', agent.roleId))));
      return undefined;
    },
    ...{ layer: 'agent', scope: 'customers:read', hint: /to the agent; then ask for a delegation/ },
  },
  {
    what: 'the delegation loses the scope',
    take: async ({ agent }) => {
      await change((tx) => tx.update(delegations, eq('id', agent.delegationId), onlyCustomers));
      return undefined;
    },
    ...{ layer: 'delegation', scope: 'customers:read_contact' },
    hint: /^Ask person-\w+ for a delegation that includes customers:read_contact\.$/,
  },
  {
    what: 'the next token has less',
    take: ({ person, agent }) => server.token(person.id, agent.delegationId, onlyCustomers.scopes),
    ...{ layer: 'token', scope: 'customers:read_contact' },
    hint: /^Ask for an access token with the scope customers:read_contact\.$/,
  },
];

const ask = (token: string, to = server): Promise<Answer> =>
  to.query(token, '{ customers(filter: { numbers: ["C-asia"] }) { nodes { name email } } }');

test.each(lost)(
  'when $what, the next operation is refused by $layer',
  async ({ take, layer, scope, hint }) => {
    const chain = await wholeChain();
    const before = await ask(chain.agent.token);
    expect(before.errors).toEqual([]);
    expect(before.data.customers.nodes).toEqual([{ name: 'Name of C-asia', email: 'c-asia@example.com' }]);

    const token = (await take(chain)) ?? chain.agent.token;
    const after = await ask(token);
    expect(after.status).toBe(200);
    expect(after.errors).toHaveLength(1);
    expect(after.errors[0]?.extensions).toEqual({
      ...{ code: 'FORBIDDEN', missingScopes: [scope], layer, hint: expect.stringMatching(hint) },
      operationId: after.headers.get('behalf-operation-id'),
    });
    expect(after.errors[0]?.message).toContain(scope);
    expect(after.data).toEqual(
      scope === 'customers:read'
        ? { customers: null }
        : { customers: { nodes: [{ name: 'Name of C-asia', email: null }] } },
    );
  },
);

test('what the agent can do is more than the person could only where the person could too', async () => {
  const person = await server.person({ scopes: ['customers:read'] });
  const agent = await server.agent(person, { scopes: [...some, 'orders:read'] });
  const { data, errors } = await server.query(
    agent.token,
    '{ orders { totalCount } customers { totalCount } }',
  );
  expect(data).toEqual({ orders: null, customers: { totalCount: 4 } });
  expect(errors.map((error) => error.extensions.layer)).toEqual(['person']);
});

interface Policy {
  readonly what: string;
  readonly person: readonly (readonly [scopes: string, boundary: StoredBoundary])[];
  readonly agent: StoredBoundary;
  readonly delegation: StoredBoundary;
  /** Regions in which each list has its row. */
  readonly customers: readonly string[];
  readonly orders: readonly string[];
  readonly invoices: readonly string[];
}

const policies: readonly Policy[] = [
  {
    what: 'everything everywhere is everything',
    person: [['customers:read orders:read invoices:read', everywhere]],
    ...{ agent: everywhere, delegation: everywhere },
    ...{ customers: regions, orders: regions, invoices: regions },
  },
  {
    what: 'each scope of a person keeps the boundaries of the roles that have it',
    person: [
      ['customers:read orders:read', inRegions('europe')],
      ['customers:read invoices:read', inRegions('america')],
    ],
    ...{ agent: everywhere, delegation: everywhere },
    ...{ customers: ['america', 'europe'], orders: ['europe'], invoices: ['america'] },
  },
  {
    what: 'roles that say the same scope twice are the union of both',
    person: [
      ['customers:read orders:read invoices:read', inRegions('europe', 'asia')],
      ['orders:read', inRegions('africa')],
    ],
    ...{ agent: everywhere, delegation: everywhere },
    ...{ customers: ['asia', 'europe'], orders: ['africa', 'asia', 'europe'], invoices: ['asia', 'europe'] },
  },
  {
    what: 'the agent and the delegation cut the boundary of every scope',
    person: [
      ['customers:read orders:read', inRegions('europe', 'asia')],
      ['customers:read invoices:read', inRegions('america', 'asia')],
    ],
    agent: inRegions('europe', 'america', 'asia'),
    delegation: inRegions('asia', 'america', 'africa'),
    ...{ customers: ['america', 'asia'], orders: ['asia'], invoices: ['america', 'asia'] },
  },
  {
    what: 'boundaries that share nothing leave nothing',
    person: [['customers:read orders:read invoices:read', inRegions('europe')]],
    ...{ agent: inRegions('asia'), delegation: everywhere },
    ...{ customers: [], orders: [], invoices: [] },
  },
  {
    what: 'a dimension that a layer does not name allows nothing',
    person: [['customers:read orders:read invoices:read', { region: 'all' }]],
    ...{ agent: everywhere, delegation: everywhere },
    ...{ customers: [], orders: [], invoices: [] },
  },
];

test.each(policies)('$what', async ({ person: held, agent: role, delegation, ...expected }) => {
  const [first, ...others] = held.map(([scopes, boundary]) => ({ scopes: scopes.split(' '), boundary }));
  const person = await server.person(first ?? { scopes: [] });
  for (const other of others) await server.giveRole(person.id, other);
  const scopes = ['customers:read', 'orders:read', 'invoices:read'];
  const agent = await server.agent(person, { scopes, boundary: role }, { scopes, boundary: delegation });
  const { data, errors } = await server.query(
    agent.token,
    `{ customers { totalCount nodes { region } }
       orders(orderBy: { number: ASC }) { totalCount nodes { number } }
       invoices(orderBy: { number: ASC }) { totalCount nodes { number } } }`,
  );
  expect(errors).toEqual([]);
  expect(data).toEqual({
    customers: {
      totalCount: expected.customers.length,
      nodes: expected.customers.map((region) => ({ region })),
    },
    orders: {
      totalCount: expected.orders.length,
      nodes: expected.orders.map((one) => ({ number: `O-${one}` })),
    },
    invoices: {
      totalCount: expected.invoices.length,
      nodes: expected.invoices.map((one) => ({ number: `I-${one}` })),
    },
  });
});

describe('a field whose scope has a narrower boundary', () => {
  let person: PersonFixture;
  beforeAll(async () => {
    person = await server.person({ scopes: ['customers:read', 'tickets:read'] });
    await server.giveRole(person.id, {
      scopes: ['customers:read_contact'],
      boundary: inRegions('europe', 'asia'),
    });
  });

  test('is null with FORBIDDEN on rows outside it, on every path', async () => {
    const { data, errors } = await server.query(
      person.token,
      '{ customers { nodes { region email } } tickets(orderBy: { number: ASC }) { nodes { customer { email } } } }',
    );
    const emails = [null, null, 'c-asia@example.com', 'c-europe@example.com'];
    expect(data.customers.nodes).toEqual(regions.map((region, at) => ({ region, email: emails[at] })));
    expect(data.tickets.nodes).toEqual(emails.map((email) => ({ customer: { email } })));
    expect(errors.map((error) => error.path?.join('.')).sort()).toEqual([
      'customers.nodes.0.email',
      'customers.nodes.1.email',
      'tickets.nodes.0.customer.email',
      'tickets.nodes.1.customer.email',
    ]);
    for (const { message, extensions } of errors) {
      expect(message).toBe('customers:read_contact does not reach this record.');
      expect(extensions).toMatchObject({
        code: 'FORBIDDEN',
        missingScopes: ['customers:read_contact'],
        layer: 'person',
      });
    }
  });

  test('leaves rows outside it out where it filters, and does not count them', async () => {
    const email = (region: string): string =>
      `${region}: customers(filter: { email: "c-${region}@example.com" }) { totalCount nodes { region } }`;
    const { data, errors } = await server.query(person.token, `{ ${regions.map(email).join(' ')} }`);
    expect(errors).toEqual([]);
    const none = { totalCount: 0, nodes: [] };
    expect(data).toEqual({
      ...{ africa: none, america: none },
      asia: { totalCount: 1, nodes: [{ region: 'asia' }] },
      europe: { totalCount: 1, nodes: [{ region: 'europe' }] },
    });
  });

  test('leaves rows outside it out where it sorts', async () => {
    // No sorting that ships has another scope than its type, so here the country gets one.
    const sdl = readSdl()
      .replace(
        'country: String! @scope(name: "customers:read")',
        'country: String @scope(name: "customers:read_contact")',
      )
      .replaceAll(
        '@scope(name: "customers:read", of: "Customer.country")',
        '@scope(name: "customers:read_contact", of: "Customer.country")',
      );
    const other = await TestServer.start({ sdl });
    await addCustomers(other);
    const reader = await other.person({ scopes: ['customers:read'] });
    await other.giveRole(reader.id, {
      scopes: ['customers:read_contact'],
      boundary: inRegions('europe', 'asia'),
    });
    const { data, errors } = await other.query(
      reader.token,
      `{ sorted: customers(orderBy: { country: ASC }) { totalCount nodes { region } }
         customers(orderBy: { region: DESC }) { totalCount nodes { region } } }`,
    );
    await other.stop();
    expect(errors).toEqual([]);
    expect(data.sorted).toEqual({ totalCount: 2, nodes: [{ region: 'asia' }, { region: 'europe' }] });
    expect(data.customers.totalCount).toBe(4);
  });
});

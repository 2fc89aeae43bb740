// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { all, eq } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import {
  agentRoles,
  delegations,
  roles,
  userRoles,
  type StoredBoundary,
} from '../../src/store/tables/identity.js';
import { addRegions, inRegions, regions } from '../support/regions.js';
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
  await addRegions(server);
});
afterAll(() => server.stop());

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

const ask = (token: string): Promise<Answer> =>
  server.query(token, '{ customers(filter: { numbers: ["C-asia"] }) { nodes { name email } } }');

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

// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { all, eq } from '../../src/store/sql/condition.js';
import {
  agentRoles,
  delegations,
  roles,
  userRoles,
  type StoredBoundary,
} from '../../src/store/tables/identity.js';
import { orders } from '../../src/domains/business/tables.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { BusinessRows } from '../support/business.js';
import { loadBusiness, smallBusiness } from '../support/demo-rows.js';
import { naming, statementsOf } from '../support/statements.js';
import { metric } from '../support/metrics.js';
import { raw, type Raw } from '../support/no-oracle.js';
import { everywhere, TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

const scopes = ['customers:read', 'customers:read_contact', 'orders:read'];
const changing = ['customers:read', 'orders:read', 'orders:update_status'];
const query = '{ customers(first: 100) { nodes { region email orders(first: 1) { nodes { number } } } } }';

let server: TestServer;
/** The same rows behind a server that decides field by field each time. */
let shielded: TestServer;
let person: PersonFixture;
let agent: AgentFixture;

beforeAll(async () => {
  server = await TestServer.start();
  shielded = await server.replica({ execution: 'shielded' });
  await loadBusiness(server.database, smallBusiness());
});
afterAll(async () => {
  await shielded.stop();
  await server.stop();
});

/** A caller whose document is compiled by now: it came often, and went the short way. */
beforeEach(async () => {
  person = await server.person({ scopes });
  agent = await server.agent(person, { scopes });
  for (let time = 1; time <= 4; time += 1) expect(codesOf(await next())).toEqual([]);
  expect(await isShort()).toBe(true);
});

/** What the next operation gives, which is what it gives where nothing is remembered. */
async function next(): Promise<Raw> {
  const answer = await raw(server, agent.token, query);
  expect(answer).toEqual(await raw(shielded, agent.token, query));
  return answer;
}

const hits = (): Promise<number> =>
  metric(server.url, 'behalf_cache_requests_total{cache="compiled_documents",result="hit"}');

async function isShort(): Promise<boolean> {
  const before = await hits();
  await raw(server, agent.token, query);
  return (await hits()) > before;
}

interface Body {
  readonly data?: { readonly customers: { readonly nodes: readonly Node[] } | null };
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}
interface Node {
  readonly region: string;
  readonly email: string | null;
  readonly orders: object | null;
}
const bodyOf = ({ text }: Raw): Body => JSON.parse(text) as Body;
const codesOf = (answer: Raw): string[] => [
  ...new Set((bodyOf(answer).errors ?? []).map((error) => error.extensions.code)),
];
const nodesOf = (answer: Raw): readonly Node[] => bodyOf(answer).data?.customers?.nodes ?? [];
const regionsOf = (answer: Raw): string[] => [...new Set(nodesOf(answer).map((node) => node.region))].sort();

type Tx = Parameters<Parameters<TestServer['database']['transaction']>[0]>[0];

const change = (work: (tx: Tx) => Promise<unknown>): Promise<void> =>
  server.database.transaction(async (tx) => {
    await work(tx);
    await bumpEpoch(tx);
  });

const delegate = (changes: { scopes?: string[]; boundary?: StoredBoundary }): Promise<void> =>
  change((tx) => tx.update(delegations, eq('id', agent.delegationId), changes));

const inEurope: StoredBoundary = { ...everywhere, region: ['europe'] };
const without = (scope: string): string[] => scopes.filter((one) => one !== scope);

describe('a document that is compiled follows a changed right at once', () => {
  test('a scope that is taken refuses its field alone, and is back when it is given back', async () => {
    const before = await next();
    await delegate({ scopes: without('customers:read_contact') });
    const refused = await next();
    expect(codesOf(refused)).toEqual(['FORBIDDEN']);
    expect(nodesOf(refused).map((node) => node.email)).toEqual(nodesOf(before).map(() => null));
    expect(nodesOf(refused).map((node) => node.orders)).toEqual(nodesOf(before).map((node) => node.orders));
    await delegate({ scopes: without('orders:read') });
    const other = await next();
    expect(nodesOf(other).map((node) => node.orders)).toEqual(nodesOf(before).map(() => null));
    expect(nodesOf(other).map((node) => node.email)).toEqual(nodesOf(before).map((node) => node.email));
    await delegate({ scopes });
    expect(await next()).toEqual(before);
  });

  test('a boundary that is narrowed leaves rows out, and a wider one brings them back', async () => {
    const before = await next();
    expect(regionsOf(before).length).toBeGreaterThan(1);
    await delegate({ boundary: inEurope });
    expect(regionsOf(await next())).toEqual(['europe']);
    await delegate({ boundary: { ...everywhere, region: [] } });
    expect(nodesOf(await next())).toEqual([]);
    await delegate({ boundary: everywhere });
    expect(await next()).toEqual(before);
  });

  test('a field whose boundary becomes narrower than its rows’ is refused on the rows outside', async () => {
    const before = await next();
    const [held] = await server.database.read.select(userRoles, eq('userId', person.id));
    await change((tx) =>
      tx.update(roles, eq('id', held?.roleId ?? ''), { scopes: without('customers:read_contact') }),
    );
    await server.giveRole(person.id, {
      scopes: ['customers:read', 'customers:read_contact'],
      boundary: inEurope,
    });
    const after = await next();
    expect(codesOf(after)).toEqual(['FORBIDDEN']);
    expect(nodesOf(after).map((node) => node.email)).toEqual(
      nodesOf(before).map((node) => (node.region === 'europe' ? node.email : null)),
    );
    await change((tx) => tx.update(roles, eq('id', held?.roleId ?? ''), { scopes }));
    expect(await next()).toEqual(before);
  });

  test('a ceiling that is lowered hides the field, and one that is raised shows it again', async () => {
    const before = await next();
    await change((tx) =>
      tx.update(roles, eq('id', agent.roleId), { scopes: without('customers:read_contact') }),
    );
    const hidden = await next();
    expect(hidden.status).toBe(400);
    expect(hidden.text).toContain('Cannot query field \\"email\\" on type \\"Customer\\".');
    await change((tx) => tx.update(roles, eq('id', agent.roleId), { scopes }));
    expect(await next()).toEqual(before);
  });

  test('a role, and a delegation, that has ended leaves nothing', async () => {
    await change((tx) => tx.delete(agentRoles, all(eq('agentId', agent.id), eq('roleId', agent.roleId))));
    const roleless = await next();
    expect(codesOf(roleless)).toEqual(['BAD_USER_INPUT']);
    expect(bodyOf(roleless).data ?? null).toBeNull();
    await server.endDelegation(agent.delegationId);
    const ended = await raw(server, agent.token, query);
    expect(ended.status).toBe(401);
    expect(codesOf(ended)).toEqual(['UNAUTHENTICATED']);
  });
});

describe('an operation that began by the rights that its token last had', () => {
  const records = () =>
    server.database.read.select(auditRecords, eq('delegationId', agent.delegationId), {
      order: [{ column: 'id', direction: 'asc' }],
    });
  const used = async () => (await server.database.read.byId(delegations, agent.delegationId))?.operationsUsed;
  const epochReads = async (): Promise<number> =>
    naming(await statementsOf(() => raw(server, agent.token, query)), 'authority_epoch').length;

  test('has them looked at once, with its record', async () => {
    expect(await epochReads()).toBe(1);
  });

  test('begins anew where anybody’s changed, and is recorded and charged once', async () => {
    const [before, count, spent = 0] = [await next(), (await records()).length, await used()];
    await change(() => Promise.resolve());
    // The record's look finds the other version; then it is read, and looked at again with the next record.
    expect(await epochReads()).toBeGreaterThan(1);
    expect(await records()).toHaveLength(count + 1);
    expect(await used()).toBe(spent + 1);
    expect(await epochReads()).toBe(1);
    expect(await next()).toEqual(before);
  });

  test('is a stranger’s where the token is gone, and leaves no record as if it had been let in', async () => {
    const before = await records();
    await server.endDelegation(agent.delegationId);
    const answer = await raw(server, agent.token, query);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    const added = (await records()).slice(before.length);
    expect(added.map(({ kind, outcome }) => [kind, outcome])).toEqual([['rejected', 'refused']]);
  });
});

describe('a change that began by the rights that its token last had', () => {
  const reply = `mutation ($id: ID!, $key: String!) {
    setOrderStatus(orderId: $id, status: CANCELLED, expectedVersion: 1, idempotencyKey: $key) { order { id status version } } }`;

  test('is made once where anybody’s changed, and not at all where its own are gone', async () => {
    const worker = await server.agent(await server.person({ scopes: changing }), { scopes: changing });
    const rows = new BusinessRows(server);
    const [customer] = smallBusiness().customers;
    const open: { id: string; status: string }[] = [];
    for (let at = 1; at <= 5; at += 1) open.push(await rows.order(`S-${String(at)}`, customer ?? { id: '' }));
    const cancel = (index: number) =>
      server.query(worker.token, reply, { id: open[index]?.id, key: `cancel-${String(index)}` });
    const stateOf = async (index: number) => {
      const order = await server.database.read.byId(orders, open[index]?.id ?? '');
      return [order?.status, order?.version];
    };
    for (const index of [0, 1, 2]) expect((await cancel(index)).errors).toEqual([]);
    await change(() => Promise.resolve());
    expect((await cancel(3)).errors).toEqual([]);
    expect(await stateOf(3)).toEqual(['cancelled', 2]);
    await change((tx) =>
      tx.update(delegations, eq('id', worker.delegationId), { scopes: ['orders:read', 'customers:read'] }),
    );
    const refused = await cancel(4);
    expect(refused.errors.map((error) => error.extensions.code)).toEqual(['FORBIDDEN']);
    expect(await stateOf(4)).toEqual([open[4]?.status, 1]);
  });
});

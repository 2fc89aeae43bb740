// databases: sqlite, mariadb
import { buildSchema, parse, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { RuleMap } from '../../src/graphql/rules/rule-map.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { loadBusiness, smallBusiness } from '../support/demo-rows.js';
import { raw } from '../support/no-oracle.js';
import { everywhere, TestServer } from '../support/server.js';

const schema = buildSchema(readSdl());
const reading = ['customers:read', 'orders:read'];

/** As it ships. */
let fitting: TestServer;
/** The same rows, with `BEHALF_EXECUTION=shielded`. */
let shielded: TestServer;
/** Who may do all of this everywhere. */
let person: string;
/** An agent whose role allows the same, and whose task only reads customers and orders. */
let agent: string;
/** Who reads the contact data of fewer customers than there are. */
let partly: string;

beforeAll(async () => {
  fitting = await TestServer.start();
  shielded = await TestServer.start({}, { BEHALF_EXECUTION: 'shielded' }, fitting);
  await loadBusiness(fitting.database, smallBusiness());
  const all = [...reading, 'customers:read_contact', 'tickets:read', 'tickets:update_status'];
  const rights = { scopes: all, boundary: everywhere };
  const rep = await fitting.person(rights);
  person = rep.token;
  agent = (await fitting.agent(rep, rights, { ...rights, scopes: reading })).token;
  const other = await fitting.person({ scopes: reading, boundary: everywhere });
  const boundary = { ...everywhere, region: ['europe'] };
  await fitting.giveRole(other.id, { scopes: ['customers:read', 'customers:read_contact'], boundary });
  partly = other.token;
});
afterAll(async () => {
  await shielded.stop();
  await fitting.stop();
});

/** The coordinates of which graphql-shield has asked the rule map, in both servers. */
let ruled: Set<string>;

beforeEach(() => {
  ruled = new Set();
  const field = Object.getOwnPropertyDescriptor(RuleMap.prototype, 'field')?.value as RuleMap['field'];
  vi.spyOn(RuleMap.prototype, 'field').mockImplementation(function (this: RuleMap, ...asked) {
    const [, typeName, fieldName] = asked;
    if (new Error().stack?.includes('node_modules/graphql-shield/') === true)
      ruled.add(`${typeName}.${fieldName}`);
    return field.apply(this, asked);
  });
});

/** What the rules of one operation were asked about. */
async function ruledBy(server: TestServer, token: string, query: string): Promise<string[]> {
  ruled.clear();
  await raw(server, token, query);
  return [...ruled].sort();
}

/** Every field that a document names, but for those of introspection, which have no rules. */
function coordinatesOf(query: string): string[] {
  const info = new TypeInfo(schema);
  const found = new Set<string>();
  const enter = (): void => {
    const [type, field] = [info.getParentType()?.name ?? '', info.getFieldDef()?.name ?? ''];
    if (!type.startsWith('__') && !field.startsWith('__')) found.add(`${type}.${field}`);
  };
  visit(parse(query), visitWithTypeInfo(info, { Field: { enter } }));
  return [...found].sort();
}

const plain = `query Plain {
  customers(first: 3, filter: { regions: ["europe"] }) {
    nodes { __typename id name ...Orders }
    pageInfo { hasNextPage }
    totalCount
  }
  viewer { person { name } scopes }
}
fragment Orders on Customer { orders(first: 2) { nodes { number total { amount currency } } totalCount } }`;

/** More often than it takes until a document is known, answered ahead of Apollo Server, and compiled. */
const times = [1, 2, 3, 4, 5];

test('`shielded` puts every field of a plain query behind graphql-shield, however often it comes, and gives the same bytes', async () => {
  expect(coordinatesOf(plain)).toHaveLength(18);
  for (const time of times) {
    expect(await ruledBy(fitting, person, plain), `${String(time)}: as it ships`).toEqual([]);
    expect(await ruledBy(shielded, person, plain), `${String(time)}: shielded`).toEqual(coordinatesOf(plain));
    expect(await raw(shielded, person, plain)).toEqual(await raw(fitting, person, plain));
  }
});

const contact = '{ customers(first: 20) { nodes { name phone } } }';

/** What the README says of it. */
test.each([
  ['a query whose every coordinate was allowed beforehand', () => person, contact, false],
  ['a query with a refused field, which is cut out beforehand', () => agent, contact, false],
  [
    'a query with a refused field and another that fails',
    () => agent,
    '{ customers(first: 2) { nodes { name phone } } more: customers(first: 5000) { nodes { name } } }',
    true,
  ],
  ['a query in which a rule looks at rows', () => partly, contact, true],
  [
    'a query with `__type` beside',
    () => person,
    '{ __type(name: "Order") { name } viewer { scopes } }',
    true,
  ],
  ['introspection alone', () => person, '{ __schema { queryType { fields { name } } } }', false],
])('%s: behind graphql-shield or not, and the same bytes either way', async (_, who, query, isShielded) => {
  for (const time of times) {
    const asked = await ruledBy(fitting, who(), query);
    expect(asked, String(time)).toEqual(isShielded ? coordinatesOf(query) : []);
    expect(await ruledBy(shielded, who(), query), String(time)).toEqual(coordinatesOf(query));
    expect(await raw(shielded, who(), query)).toEqual(await raw(fitting, who(), query));
  }
});

test('a mutation goes through graphql-shield field by field, its payload included, and does not begin where it is refused', async () => {
  const found = await fitting.query(
    person,
    '{ tickets(first: 1, filter: { status: [OPEN] }) { nodes { id version } } }',
  );
  const { id, version } = found.data.tickets.nodes[0] as { id: string; version: number };
  const stateNow = async (): Promise<unknown> =>
    (await fitting.query(person, `{ ticket(id: "${id}") { status version } }`)).data.ticket;
  const change = `mutation {
    setTicketStatus(ticketId: "${id}", status: CLOSED, expectedVersion: ${String(version)}, idempotencyKey: "k") {
      ticket { number status version }
    }
  }`;
  expect(await ruledBy(fitting, agent, change)).toEqual([]);
  expect(await stateNow()).toEqual({ status: 'OPEN', version });
  expect(await ruledBy(fitting, person, change)).toEqual(coordinatesOf(change));
  expect(await stateNow()).toEqual({ status: 'CLOSED', version: version + 1 });
});

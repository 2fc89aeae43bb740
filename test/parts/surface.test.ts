// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { all } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { BusinessRows } from '../support/business.js';
import { malformed } from '../support/malformed.js';
import { inventedId } from '../support/no-oracle.js';
import { TestServer, type AgentFixture } from '../support/server.js';
import { answerTo, Names, type WireRequest } from '../support/surface.js';

const scopes = ['customers:read', 'orders:read', 'orders:update_status', 'analytics:sales'];

let server: TestServer;
let agent: AgentFixture;
let customer: string;
let order: string;
let names: Names;

beforeAll(async () => {
  server = await TestServer.start({}, { BEHALF_OPERATION_COST_MAX: '20000' });
  const person = await server.person({ scopes }, 'ada');
  agent = await server.agent(person, { scopes }, { scopes, operationsMax: 10_000 });
  const rows = new BusinessRows(server);
  const row = await rows.customer('C-1', 'europe');
  customer = row.id;
  order = (await rows.order('O-1', row)).id;
  names = new Names(new Map([[agent.token, '<token>']]));
});
afterAll(() => server.stop());

const json = { 'content-type': 'application/json' };
const posted = (body: unknown): WireRequest => ({
  headers: { ...json, authorization: `Bearer ${agent.token}` },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const asked = (query: string, more: object = {}): WireRequest => posted({ query, ...more });
const got = (params: Record<string, string>, headers: Record<string, string> = {}): WireRequest => ({
  method: 'GET',
  path: `/graphql?${new URLSearchParams(params).toString()}`,
  headers: { authorization: `Bearer ${agent.token}`, ...headers },
});
const ask = async (sent: WireRequest): Promise<string> => names.in(await answerTo(server.url, sent));

const number = '{ customers(first: 2) { totalCount nodes { number name } } }';
const withheld = '{ customers(first: 1) { nodes { number email } } }';
const byId = 'query Find($id: ID!) { customer(id: $id) { number orders { nodes { number } } } }';
const change = (status: string): string =>
  `mutation Change($id: ID!) { setOrderStatus(orderId: $id, status: ${status}, expectedVersion: 1, idempotencyKey: "k-${status}") { order { number status version } } }`;

/** A fixed set of requests, in this order: what they get is what callers build on. */
const requests = (): readonly (readonly [what: string, sent: WireRequest])[] => [
  ['a query', asked(number)],
  ['the same once more', asked(number)],
  ['the same a third time', asked(number)],
  ['the same in the address', got({ query: number })],
  ['with variables', asked(byId, { variables: { id: customer }, operationName: 'Find' })],
  ['with variables, again', asked(byId, { variables: { id: customer }, operationName: 'Find' })],
  ['with variables, a third time', asked(byId, { variables: { id: customer } })],
  ['in the address with variables', got({ query: byId, variables: JSON.stringify({ id: customer }) })],
  ['of a row that is not there', asked(byId, { variables: { id: inventedId(customer) } })],
  ['of an id that is none', asked(byId, { variables: { id: '' } })],
  ['a field that the task lacks', asked(withheld)],
  ['a field that the task lacks, again', asked(withheld)],
  ['a field that the task lacks, a third time', asked(withheld)],
  ['a type that the roles hide', asked('{ tickets { totalCount } }')],
  ['a variable that is missing', asked(byId)],
  ['a variable of another type', asked(byId, { variables: { id: {} } })],
  ['a page that is too large', asked('{ customers(first: 100000) { totalCount } }')],
  ['a page of less than nothing', asked('{ customers(first: -1) { totalCount } }')],
  [
    'an operation that is too dear',
    asked('{ customers(first: 1000) { nodes { orders(first: 100) { nodes { id number } } } } }'),
  ],
  ['the viewer', asked('{ viewer { scopes } }')],
  ['the names of types', asked('{ __typename __schema { queryType { name } } }')],
  ['introspection beside rows', asked('{ __typename customers(first: 1) { nodes { __typename number } } }')],
  ['a mutation that goes', asked(change('PACKED'), { variables: { id: order } })],
  ['a mutation that goes, again', asked(change('PACKED'), { variables: { id: order } })],
  ['a mutation that does not go', asked(change('CANCELLED'), { variables: { id: order } })],
  ['a mutation of a row that is not there', asked(change('DELIVERED'), { variables: { id: customer } })],
  [
    'a mutation that is refused',
    asked('mutation { replyToTicket(ticketId: "x", body: "x", idempotencyKey: "k") { ticket { id } } }'),
  ],
  ['a mutation in the address', got({ query: change('SHIPPED'), variables: JSON.stringify({ id: order }) })],
  ['a subscription', asked('subscription { customers { totalCount } }')],
  [
    'several operations, one meant',
    asked('query A { viewer { scopes } } query B { __typename }', { operationName: 'B' }),
  ],
  [
    'a persisted query',
    posted({ extensions: { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } } }),
  ],
  ['a document by an id', posted({ documentId: 'b'.repeat(64) })],
  ['a document by an id that is none', posted({ documentId: 'x' })],
  ['an address without a query', got({})],
  ['an address with two queries', { ...got({}), path: '/graphql?query=a&query=b' }],
  ['an address with faulty variables', got({ query: number, variables: '{' })],
  ['variables that are a list', posted({ query: number, variables: [] })],
  ['extensions that are a text', posted({ query: number, extensions: 'x' })],
  ['a name that is a number', posted({ query: number, operationName: 1 })],
  ['a text for a body', posted('"x"')],
  ['nothing for a body', posted('null')],
  ['no body', { headers: { ...json, authorization: `Bearer ${agent.token}` } }],
  ['HTML is wanted', { ...asked(number), headers: { ...asked(number).headers, accept: 'text/html' } }],
  [
    'the media type of GraphQL is wanted',
    { ...asked(number), headers: { ...asked(number).headers, accept: 'application/graphql-response+json' } },
  ],
  [
    'the media type of GraphQL is wanted of a faulty document',
    { ...asked('{ x'), headers: { ...asked(number).headers, accept: 'application/graphql-response+json' } },
  ],
  ['another method', { ...asked(number), method: 'PUT' }],
  ['a method without a body', { ...got({ query: number }), method: 'DELETE' }],
  ...malformed.map(
    ([what, body, headers]) =>
      [what, { ...posted(body), headers: { ...posted(body).headers, ...headers } }] as const,
  ),
  ['the schema', { ...got({}), path: '/graphql/schema.graphql' }],
  ['the schema by another method', { ...asked(''), path: '/graphql/schema.graphql' }],
  ['nobody', { headers: json, body: '{}' }],
  ['an unknown token', { headers: { ...json, authorization: `Bearer ${'x'.repeat(43)}` }, body: '{}' }],
  ['another scheme', { headers: { ...json, authorization: 'Basic YTpi' }, body: '{}' }],
  ['a proof that is missing', { headers: { ...json, authorization: `DPoP ${agent.token}` }, body: '{}' }],
  ['an address that is not there', { method: 'GET', path: '/nothing' }],
  ['the metadata', { method: 'GET', path: '/.well-known/oauth-protected-resource' }],
  [
    'the metadata of the authorization server',
    { method: 'GET', path: '/.well-known/oauth-authorization-server' },
  ],
];

test('what callers get, and what records say of it, is what it was', async () => {
  const answers: string[] = [];
  for (const [what, sent] of requests()) answers.push(`### ${what}\n${await ask(sent)}`);
  await expect(`${answers.join('\n\n')}\n`).toMatchFileSnapshot('../surface/answers.txt');
  await server.endDelegation(agent.delegationId);
  const ended: string[] = [];
  for (const sent of [asked(number), asked(change('SHIPPED'), { variables: { id: order } })])
    ended.push(await ask(sent));
  await expect(`${ended.join('\n\n')}\n`).toMatchFileSnapshot('../surface/ended.txt');
  const rows = await server.database.read.select(auditRecords, all(), {
    order: [{ column: 'id', direction: 'asc' }],
  });
  const records = rows.map(({ body }) => names.in(body)).join('\n');
  await expect(`${records}\n`).toMatchFileSnapshot('../surface/records.txt');
});

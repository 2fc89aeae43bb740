// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerDocuments } from '../../src/admin/trusted-documents.js';
import { rules, type Company } from '../support/administration.js';
import { postMessage } from '../support/mcp.js';
import { companyWithRows } from '../support/mcp-company.js';
import { everywhere, type PersonFixture } from '../support/server.js';
import { volume } from '../support/volume.js';

type Input = Readonly<Record<string, unknown>>;
/** A document with inputs of which one succeeds wherever any does. */
interface Listed {
  readonly name: string;
  readonly source: string;
  readonly inputs: readonly (() => Input)[];
}

let company: Company;
let person: PersonFixture;
let ticketId: string;
const query = (name: string, rest: string, ...inputs: readonly Input[]): Listed => ({
  ...{ name, source: `query ${name}${rest}` },
  inputs: inputs.length === 0 ? [() => ({})] : inputs.map((input) => () => input),
});
const mutation = (name: string, rest: string, ...inputs: readonly Input[]): Listed => ({
  name,
  source: `mutation ${name}($t: ID!, $k: String!${rest.includes('$c') ? ', $c: Boolean = true' : ''}) { replyToTicket(ticketId: $t, body: "x", idempotencyKey: $k) ${rest} }`,
  inputs: inputs.map((input) => () => ({ t: ticketId, k: company.server.ids.next(), ...input })),
});
const documents: readonly Listed[] = [
  query('InCollection', '($c: String!) { documents(filter: {collection: $c}) { nodes { title } } }', {
    c: 'guides',
  }),
  query('MaybeIn', '($c: String) { documents(filter: {collection: $c}) { nodes { title } } }'),
  query('NullIn', '{ documents(filter: {collection: null}) { nodes { title } } }'),
  query('Filtered', '($f: DocumentFilter!) { documents(filter: $f) { nodes { title } } }', { f: {} }),
  query(
    'ByDefault',
    '($f: DocumentFilter = {collection: "guides"}) { documents(filter: $f) { nodes { title } } }',
    { f: {} },
    {},
  ),
  query('Ordered', '($o: DocumentOrder!) { documents(orderBy: $o) { nodes { title } } }', {
    o: { title: 'ASC' },
  }),
  query('Counts', '{ customers { nodes { invoices { totalCount } } } }'),
  query('Partly', '{ customers { nodes { name invoices { totalCount } } } }'),
  query('Either', '{ invoices { totalCount } customers { totalCount } }'),
  query('Typename', '{ __typename }'),
  query('Meta', '{ __type(name: "Query") { name } }'),
  query('Below', '{ customers { __typename nodes { email } } }'),
  query('Never', '{ customers @skip(if: true) { totalCount } }'),
  query(
    'Skipped',
    '($s: Boolean!) { customers { nodes { name @skip(if: $s) email @include(if: $s) } } }',
    { s: true },
    { s: false },
  ),
  query(
    'Unlike',
    '($s: Boolean!) { customers @skip(if: $s) { totalCount @include(if: $s) } }',
    {
      s: true,
    },
    { s: false },
  ),
  query(
    'Spread',
    '{ ...F } fragment F on Query { documents(filter: {collection: "x"}) { totalCount } customers { nodes { email } } }',
  ),
  query('Constructor', '($constructor: Int!) { customers(first: $constructor) { totalCount } }', {
    constructor: 2,
  }),
  mutation('Reply', '{ ticket { number } }', {}),
  mutation('ReplyAndName', '{ ticket { number customer { name } } }', {}),
  mutation('ReplyMaybeName', '{ ticket { number customer @include(if: $c) { name } } }', {}, { c: false }),
  { name: 'Nothing', source: 'mutation Nothing { __typename }', inputs: [() => ({})] },
];

beforeAll(async () => {
  ({ company, ticketId } = await companyWithRows());
  const { server } = company;
  person = await server.person({ scopes: [...server.app.scopes] });
});
afterAll(() => company.server.stop());

const scopes = [
  ...['customers:read', 'customers:read_contact', 'documents:read', 'collections:read'],
  ...['invoices:read', 'tickets:read', 'tickets:reply'],
];

interface Rights {
  readonly role: readonly string[];
  readonly task: readonly string[];
  readonly documents: 'any' | 'registered';
}
const rights: fc.Arbitrary<Rights> = fc.tuple(fc.subarray(scopes), fc.boolean()).chain(([some, isWide]) =>
  fc.record({
    role: fc.constant(isWide ? scopes : some),
    task: fc.subarray(isWide ? scopes : some),
    documents: fc.constantFrom('any' as const, 'registered' as const),
  }),
);

async function tokenOf({ role, task, documents: policy }: Rights): Promise<string> {
  const { server } = company;
  const boundary = everywhere;
  const limits = { operationsMax: 100_000, rowsMax: 10_000_000 };
  const { delegationId } = await server.agent(
    person,
    { scopes: role, documents: policy, boundary },
    { scopes: task, boundary, ...limits },
  );
  return server.token(person.id, delegationId, task, '/mcp');
}

async function toolsFor(token: string): Promise<readonly string[]> {
  const answer = await postMessage(company.server.url, token, 'tools/list', {});
  const { result } = (await answer.json()) as { result: { tools: { name: string }[] } };
  return result.tools.map(({ name }) => name);
}

/** Whether a call of a tool gives anything. */
async function gives(token: string, name: string, input: Input): Promise<boolean> {
  const params = { name, arguments: input };
  const answer = await postMessage(company.server.url, token, 'tools/call', params);
  const { result } = (await answer.json()) as { result?: { structuredContent: { data?: unknown } } };
  return hasLeaf(result?.structuredContent.data);
}

const hasLeaf = (value: unknown): boolean =>
  value !== null && value !== undefined && (typeof value !== 'object' || Object.values(value).some(hasLeaf));

async function register(some: readonly Listed[]): Promise<void> {
  const sources = some.map(({ name, source }) => ({ name, source }));
  await company.do((unit) => registerDocuments(unit, rules, company.root.id, sources));
}

test('a role that may send registered documents alone has `query` for one that needs no scope', async () => {
  const wanted: Rights = { role: ['customers:read'], task: [], documents: 'registered' };
  const token = await tokenOf(wanted);
  await register(documents.filter(({ name }) => name === 'Counts'));
  expect(await toolsFor(token)).not.toContain('query');
  await register(documents.filter(({ name }) => name === 'Typename'));
  expect(await toolsFor(token)).toEqual(expect.arrayContaining(['Typename', 'query']));
  expect(await gives(token, 'query', { documentId: 'Typename' })).toBe(true);
});

test(`for ${String(volume(60, 12))} random callers, a registered document is listed exactly if some call of it gives something`, async () => {
  await register(documents);
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(rights, async (wanted) => {
      const token = await tokenOf(wanted);
      const tools = await toolsFor(token);
      for (const { name, inputs } of documents) {
        const isListed = tools.includes(name);
        const given = [];
        for (const input of inputs) {
          const viaTool = isListed ? await gives(token, name, input()) : false;
          const tool = documents.find((one) => one.name === name)?.source.startsWith('mutation')
            ? 'mutate'
            : 'query';
          given.push(viaTool || (await gives(token, tool, { documentId: name, variables: input() })));
        }
        expect({ name, wanted, listed: isListed }).toEqual({ name, wanted, listed: given.includes(true) });
        seen.add(`${name} ${String(isListed)}`);
      }
    }),
    {
      numRuns: volume(60, 12),
      examples: [
        [{ role: scopes, task: scopes, documents: 'any' }],
        [{ role: scopes, task: [], documents: 'any' }],
      ],
    },
  );
  const always = ['Typename', 'Meta', 'Nothing'];
  const never = ['Never', 'Unlike'];
  for (const { name } of documents) {
    expect(seen.has(`${name} true`)).toBe(!never.includes(name));
    expect(seen.has(`${name} false`)).toBe(!always.includes(name));
  }
}, 120_000);

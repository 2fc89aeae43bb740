// databases: sqlite, mariadb
import type { Client } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerDocuments } from '../../src/admin/trusted-documents.js';
import type { AuditBody } from '../../src/audit/record.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import { roles } from '../../src/store/tables/identity.js';
import { rules, type Company } from '../support/administration.js';
import { mcpClient, postMessage } from '../support/mcp.js';
import { companyWithRows } from '../support/mcp-company.js';
import { recordsOf } from '../support/records.js';
import { everywhere, type TestServer, type PersonFixture } from '../support/server.js';
import { volume } from '../support/volume.js';

let company: Company;
let replica: TestServer;
let person: PersonFixture;
let ticketId: string;
const documents = [
  {
    name: 'CustomerNames',
    source:
      '# Who buys from us.\nquery CustomerNames($first: Int = 5) { customers(first: $first) { nodes { name } } }',
  },
  { name: 'Guides', source: 'query Guides { documents(first: 3) { nodes { title } } }' },
  {
    name: 'Reply',
    source:
      'mutation Reply($ticketId: ID!, $body: String!, $idempotencyKey: String!) { replyToTicket(ticketId: $ticketId, body: $body, idempotencyKey: $idempotencyKey) { __typename } }',
  },
  // Beyond the person.
  {
    name: 'Invoices',
    source: 'query Invoices { customers(first: 2) { nodes { name invoices { totalCount } } } }',
  },
  // Takes the place of no fixed tool.
  { name: 'query', source: 'query Query { orders(first: 1) { nodes { number } } }' },
];

beforeAll(async () => {
  ({ company, ticketId } = await companyWithRows());
  const { server } = company;
  person = await server.person({
    scopes: [...server.app.scopes].filter((scope) => scope !== 'invoices:read'),
  });
  await company.do((unit) => registerDocuments(unit, rules, company.root.id, documents));
  replica = await server.replica();
});
afterAll(async () => {
  await replica.stop();
  await company.server.stop();
});

const usable = [
  'customers:read',
  'tickets:read',
  'tickets:reply',
  'documents:read',
  'orders:read',
  'analytics:sales',
];

interface Rights {
  readonly role: readonly string[];
  readonly task: readonly string[];
  readonly token: readonly string[];
  readonly documents: 'any' | 'registered';
  readonly regions: 'all' | readonly string[];
}
/** A ticket that one may not read is not there to be answered, and the schema does not say so of an argument. */
const subset = (of: readonly string[]): fc.Arbitrary<string[]> =>
  fc
    .subarray([...of])
    .map((scopes) => scopes.filter((scope) => scope !== 'tickets:reply' || scopes.includes('tickets:read')));

const rights: fc.Arbitrary<Rights> = subset([...usable, 'invoices:read']).chain((role) =>
  subset(role).chain((task) =>
    fc.record({
      role: fc.constant(role),
      task: fc.constant(task),
      token: subset(task),
      documents: fc.constantFrom('any' as const, 'any' as const, 'registered' as const),
      regions: fc.constantFrom('all' as const, ['europe']),
    }),
  ),
);

/** A caller with these rights: a client of the protocol, and its delegation. */
async function caller(
  wanted: Rights,
): Promise<{ readonly token: string; readonly roleId: string; readonly client: Client }> {
  const { server } = company;
  const boundary = { ...everywhere, region: wanted.regions };
  const agent = await server.agent(
    person,
    { scopes: wanted.role, boundary, documents: wanted.documents },
    { scopes: wanted.task, boundary },
  );
  const token = await server.token(person.id, agent.delegationId, wanted.token, '/mcp');
  return { token, roleId: agent.roleId, client: await mcpClient(server.url, token) };
}

/** A call of a tool that its rights allow. */
const calls: Readonly<Record<string, (key: string) => Record<string, unknown>>> = {
  ask_for_access: () => ({ scopes: ['orders:read'], reason: 'The customer asks for it.' }),
  explain_refusal: () => ({ scopes: ['orders:read'] }),
  search_schema: () => ({ words: 'customers' }),
  search_knowledge: () => ({ words: 'coffee' }),
  whoami: () => ({}),
  CustomerNames: () => ({ first: 2 }),
  Guides: () => ({}),
  Reply: (key) => ({ ticketId, body: 'Good day', idempotencyKey: key }),
};

/** The scope that a document needs. */
const scopeOf: Readonly<Record<string, string>> = {
  CustomerNames: 'customers:read',
  Guides: 'documents:read',
  Reply: 'tickets:reply',
  query: 'orders:read',
};

/** As above, for tools that take a document: one that the role may send. */
function documentCall(
  tool: string,
  listed: readonly string[],
  { documents: policy, role }: Rights,
  key: string,
): Record<string, unknown> {
  if (tool === 'mutate' && listed.includes('Reply'))
    return { documentId: 'Reply', variables: { ticketId, body: 'Good day', idempotencyKey: key } };
  if (tool === 'mutate')
    return { document: `mutation { completeTask(idempotencyKey: "${key}") { __typename } }` };
  if (policy === 'any') return { document: '{ viewer { person { name } } }' };
  const reachable = documents.find(({ name }) => role.includes(scopeOf[name] ?? ''));
  if (tool === 'validate') return { documentId: reachable?.name };
  return { documentId: listed.find((name) => ['CustomerNames', 'Guides'].includes(name)) ?? 'query' };
}

/** Also an agent that may do nothing else may end its task, so `mutate` comes last. */
const mutateLast = (names: readonly string[]): readonly string[] =>
  [...names].sort((a, b) => Number(a === 'mutate') - Number(b === 'mutate'));

const allTools = [...Object.keys(calls), 'query', 'mutate', 'validate'];

test(`of ${String(volume(500))} random callers, each listed tool has a call that succeeds, and each other is refused as one that there is not`, async () => {
  let key = 0;
  await fc.assert(
    fc.asyncProperty(rights, async (wanted) => {
      const { client } = await caller(wanted);
      const { tools } = await client.listTools();
      const listed = tools.map(({ name }) => name);
      expect(listed).toEqual([...listed].sort());
      const refusal = async (name: string): Promise<string> => {
        const error: unknown = await client
          .callTool({ name, arguments: calls[name]?.('0') ?? {} })
          .catch((caught: unknown) => caught);
        expect({ name, isError: error instanceof Error }).toEqual({ name, isError: true });
        return JSON.stringify({ ...(error as object), message: (error as Error).message }).replaceAll(
          name,
          'NAME',
        );
      };
      const missing = await refusal('NoSuchTool');
      for (const name of allTools.filter((tool) => !listed.includes(tool)))
        expect(await refusal(name)).toBe(missing);
      for (const name of mutateLast(listed)) {
        key += 1;
        const input = calls[name]?.(String(key)) ?? documentCall(name, listed, wanted, String(key));
        const told = await client.callTool({ name, arguments: input });
        expect(told.structuredContent).toBeDefined();
        const refused = told.isError === true ? told.content : [];
        expect({ name, wanted, refused }).toEqual({ name, wanted, refused: [] });
      }
      await client.close();
    }),
    { numRuns: volume(500) },
  );
}, 600_000);

/** The answer to `tools/list`, as it came. */
const listFor = async (token: string): Promise<string> =>
  (await postMessage(company.server.url, token, 'tools/list', {})).text();

test('two callers with equal rights get equal lists, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(rights, async (wanted) => {
      const [one, other] = await Promise.all([caller(wanted), caller(wanted)]);
      const [mine, theirs] = await Promise.all([one, other].map(({ token }) => listFor(token)));
      expect(mine).toContain('"name":"whoami"');
      expect(theirs).toBe(mine);
      await Promise.all([one.client.close(), other.client.close()]);
    }),
    { numRuns: volume(100) },
  );
}, 300_000);

test('what was taken away is gone from the next list, on the other server too', async () => {
  const wanted: Rights = { role: usable, task: usable, token: usable, documents: 'any', regions: 'all' };
  const { token, roleId, client } = await caller(wanted);
  const there = await mcpClient(replica.url, token);
  const names = async (of: Client): Promise<string[]> => (await of.listTools()).tools.map(({ name }) => name);
  expect(await names(there)).toEqual(expect.arrayContaining(['search_knowledge', 'Guides', 'Reply']));
  await company.server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', roleId), { scopes: ['customers:read', 'tickets:read'] });
    await bumpEpoch(tx);
  });
  const left = [
    ...['CustomerNames', 'ask_for_access', 'explain_refusal', 'mutate', 'query'],
    ...['search_schema', 'validate', 'whoami'],
  ];
  expect(await names(there)).toEqual(left);
  expect(await names(client)).toEqual(left);
  await Promise.all([client.close(), there.close()]);
}, 60_000);

test('the tool of a document names an argument that it does not have, or that is missing, and changes nothing', async () => {
  const wanted: Rights = { role: usable, task: usable, token: usable, documents: 'any', regions: 'all' };
  const { client } = await caller(wanted);
  const refusal = async (input: Record<string, unknown>): Promise<unknown> => {
    const told = await client.callTool({ name: 'Reply', arguments: input });
    expect(told.isError).toBe(true);
    const { errors, operationId } = told.structuredContent as {
      errors: { message: string }[];
      operationId: string;
    };
    expect(await recordById(operationId)).toMatchObject({ outcome: 'failed', changes: [], rowCount: 0 });
    return errors[0]?.message;
  };
  expect(await refusal({ ticketId, body: 'x' })).toBe('`idempotencyKey` is missing: send it as a text.');
  expect(await refusal({ ticketId, body: 'x', idempotencyKey: 'k', to: 'y' })).toBe(
    '`Reply` takes `ticketId`, `body`, `idempotencyKey` and nothing else: leave `to` out.',
  );
  await client.close();
});

test('a null counts as left out where the document has a default', async () => {
  const wanted: Rights = { role: usable, task: usable, token: usable, documents: 'any', regions: 'all' };
  const { client } = await caller(wanted);
  const rowsFor = async (input: Record<string, unknown>): Promise<unknown> =>
    (await client.callTool({ name: 'CustomerNames', arguments: input })).structuredContent;
  const nodes = (told: unknown): number =>
    (told as { data: { customers: { nodes: unknown[] } } }).data.customers.nodes.length;
  expect(nodes(await rowsFor({ first: 6 }))).toBe(6);
  expect(nodes(await rowsFor({}))).toBe(5);
  expect(nodes(await rowsFor({ first: null }))).toBe(5);
  await client.close();
});

test('a document whose fragments spread each other too often is no more valid than it runs', async () => {
  const wanted: Rights = { role: usable, task: usable, token: usable, documents: 'any', regions: 'all' };
  const { client } = await caller(wanted);
  const spreading = (levels: number): string =>
    [
      'query { ...f0 }',
      ...Array.from({ length: levels }, (_, at) =>
        at + 1 === levels
          ? `fragment f${String(at)} on Query { viewer { scopes } }`
          : `fragment f${String(at)} on Query { ...f${String(at + 1)} ...f${String(at + 1)} }`,
      ),
    ].join('\n');
  for (const [levels, runs] of [
    [10, true],
    [30, false],
  ] as const) {
    const document = spreading(levels);
    const told = (await client.callTool({ name: 'validate', arguments: { document } })).structuredContent;
    const ran = await client.callTool({ name: 'query', arguments: { document } });
    expect({ levels, valid: (told as { valid: boolean }).valid, ran: ran.isError !== true }).toEqual({
      ...{ levels, valid: runs, ran: runs },
    });
  }
  await client.close();
});

test('an agent that may only send registered documents is told scopes of them, and nothing of the schema', async () => {
  const role = ['customers:read', 'invoices:read', 'orders:read'];
  const wanted: Rights = {
    ...{ role, task: ['customers:read'], token: ['customers:read'], documents: 'registered', regions: 'all' },
  };
  const { client } = await caller(wanted);
  const told = async (name: string, input: Record<string, unknown>) =>
    (await client.callTool({ name, arguments: input })).structuredContent as Record<string, unknown>;
  // One needs what the task lacks, the other what the person lacks.
  const [lacking, beyond] = ['query', 'Invoices'].map((documentId) => ({ documentId }));
  for (const tool of ['validate', 'explain_refusal']) {
    const { refusals } = await told(tool, lacking ?? {});
    expect(refusals).toMatchObject([{ layer: 'delegation', missingScopes: ['orders:read'] }]);
    expect(JSON.stringify(refusals)).not.toMatch(/coordinates|Query\.|Order/);
  }
  for (const tool of ['validate', 'explain_refusal']) {
    const of = await told(tool, beyond ?? {});
    expect(of).toMatchObject({ refusals: [{ layer: 'person' }] });
    expect(JSON.stringify(of)).not.toMatch(/coordinates|invoice/i);
  }
  const { operationId } = await told('query', lacking ?? {});
  const { refusals } = await told('explain_refusal', { operationId });
  expect(refusals).toMatchObject([{ layer: 'delegation', missingScopes: ['orders:read'] }]);
  expect(JSON.stringify(refusals)).not.toContain('coordinates');
  await client.close();
});

const rowsOf = `{
  customers(first: 50) { totalCount nodes { number name region email } }
  tickets(first: 50) { nodes { number subject customer { name } } }
  documents(first: 20) { nodes { title classification } }
  orders(first: 50) { nodes { number total { amount currency } } }
}`;

test(`under ${String(volume(300))} random boundaries a tool gives the rows that GraphQL gives, with a record that says the same`, async () => {
  const { server } = company;
  const boundaries = fc.record({
    scopes: fc.subarray([
      'customers:read',
      'customers:read_contact',
      'tickets:read',
      'documents:read',
      'orders:read',
    ]),
    region: fc.constantFrom('all' as const, ['europe'], ['europe', 'asia'], []),
    classification: fc.constantFrom('all' as const, ['public'], ['public', 'internal']),
    collection: fc.constantFrom('all' as const, ['guides']),
  });
  const all = ['customers:read', 'customers:read_contact', 'tickets:read', 'documents:read', 'orders:read'];
  await fc.assert(
    fc.asyncProperty(boundaries, async ({ scopes, ...narrowed }) => {
      const agent = await server.agent(
        person,
        { scopes: all },
        { scopes, boundary: { ...everywhere, ...narrowed } },
      );
      const client = await mcpClient(
        server.url,
        await server.token(person.id, agent.delegationId, scopes, '/mcp'),
      );
      const told = await client.callTool({ name: 'query', arguments: { document: rowsOf } });
      const answer = await server.query(agent.token, rowsOf);
      await client.close();
      const { data, operationId } = told.structuredContent as { data: unknown; operationId: string };
      expect(data).toEqual(withoutNulls(answer.data));
      const there = await recordById(operationId);
      const here = await recordById(answer.headers.get('behalf-operation-id') ?? '');
      expect(same(there)).toEqual(same(here));
    }),
    { numRuns: volume(300) },
  );
}, 300_000);

const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_name, member: unknown) =>
    member === null ? undefined : member,
  ) as unknown;

async function recordById(id: string): Promise<AuditBody> {
  const found = (await recordsOf(company.server.database)).find(({ operationId }) => operationId === id);
  if (found === undefined) throw new Error(`There is no record of ${id}.`);
  return found;
}

/** The parts of a record that say what was decided and touched, for whom. Reads of one moment end in any order. */
const same = ({
  chain,
  delegation,
  operation,
  decisions,
  resources,
  rowCount,
  errors,
  outcome,
}: AuditBody) => ({
  ...{ chain, delegation, operation, decisions, rowCount, errors, outcome },
  // The digest is that of the ids in their order.
  resources: resources
    .map(({ ids, digest: _digest, ...one }) => JSON.stringify({ ...one, ids: [...ids].sort() }))
    .sort(),
});

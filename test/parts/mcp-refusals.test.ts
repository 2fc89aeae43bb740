// databases: sqlite, mariadb
import type { Client } from '@modelcontextprotocol/client';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import { delegations, roles } from '../../src/store/tables/identity.js';
import { BusinessRows } from '../support/business.js';
import { mcpClient } from '../support/mcp.js';
import { recordsOf } from '../support/records.js';
import { everywhere, TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

const held = ['customers:read', 'tickets:read', 'tickets:reply'];
const role = [...held, 'customers:read_contact', 'invoices:read', 'refunds:read', 'orders:read'];
let server: TestServer;
let person: PersonFixture;
let agent: AgentFixture;
let client: Client;
let outside: string;
beforeAll(async () => {
  server = await TestServer.start();
  const rows = new BusinessRows(server);
  await rows.customer('C-1', 'europe');
  outside = (await rows.customer('C-2', 'asia')).id;
  person = await server.person({
    scopes: [...server.app.scopes].filter((scope) => scope !== 'invoices:read'),
  });
  agent = await server.agent(
    person,
    { scopes: role },
    { scopes: [...held, 'orders:read', 'refunds:read'], boundary: { ...everywhere, region: ['europe'] } },
  );
  await server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', agent.roleId), { approvalScopes: ['refunds:read'] });
    await bumpEpoch(tx);
  });
  client = await clientOf(agent, [...held, 'refunds:read']);
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

const clientOf = async ({ delegationId }: AgentFixture, scopes: readonly string[]): Promise<Client> =>
  mcpClient(server.url, await server.token(person.id, delegationId, scopes, '/mcp'));

type Told = Record<string, unknown> & { readonly operationId: string };
/** The result of a tool: its value, all of its text, and whether it failed. */
async function call(
  name: string,
  input: Record<string, unknown>,
  by = client,
): Promise<{ readonly told: Told; readonly text: string; readonly isError: boolean }> {
  const { isError = false, structuredContent, content } = await by.callTool({ name, arguments: input });
  return {
    ...{ told: structuredContent as Told, isError },
    text: JSON.stringify([structuredContent, content]),
  };
}

const run = async (document: string, tool = 'query'): Promise<Told> => (await call(tool, { document })).told;

describe('a refusal is explained by the id of its operation', () => {
  test('with the layer and the person to ask, where the task lacks a scope', async () => {
    const { operationId } = await run('{ customers { nodes { name email } } }');
    expect((await call('explain_refusal', { operationId })).told).toEqual({
      ...{ operationId, outcome: 'partial', person: person.name },
      refusals: [
        {
          layer: 'delegation',
          coordinates: ['Customer.email'],
          missingScopes: ['customers:read_contact'],
          message: 'This needs the scope customers:read_contact: the delegation does not include it.',
          next: `Ask ${person.name} for a delegation that includes customers:read_contact.`,
        },
      ],
    });
  });

  test('without a name for what the person lacks, in the answer and in the explanation', async () => {
    const { told, text } = await call('query', {
      document: '{ customers { nodes { name } } invoices { nodes { id } } }',
    });
    expect(told.errors).toMatchObject([{ code: 'FORBIDDEN', layer: 'person', path: 'invoices' }]);
    const explained = await call('explain_refusal', { operationId: told.operationId });
    expect(explained.told.refusals).toMatchObject([{ layer: 'person', coordinates: ['Query.invoices'] }]);
    expect(text + explained.text).not.toContain('invoices:read');
  });

  test('of an approval, which names the person too', async () => {
    const { told } = await call('query', { document: '{ refunds { nodes { id } } }' });
    expect(told.errors).toMatchObject([{ layer: 'agent', next: `Ask ${person.name} to do it.` }]);
    const { operationId } = told;
    expect((await call('explain_refusal', { operationId })).told.refusals).toMatchObject([
      { layer: 'approval', missingScopes: ['refunds:read'], next: `Ask ${person.name} to do it.` },
    ]);
  });

  test('of the token, though that operation was refused by a status of HTTP', async () => {
    await expect(call('query', { document: '{ orders { nodes { id } } }' })).rejects.toThrow();
    const [record] = (await recordsOf(server.database)).slice(-1);
    const { told } = await call('explain_refusal', { operationId: record?.operationId ?? '' });
    expect(told).toMatchObject({
      outcome: 'refused',
      refusals: [{ layer: 'token', missingScopes: ['orders:read'] }],
    });
  });

  test('with equal words for a row outside the boundary and one that does not exist', async () => {
    const explained = await Promise.all(
      [outside, '01JDW1TCY0DP7W6C0QX3XK9D78'].map(async (id) => {
        const reply = `mutation { replyToTicket(ticketId: "${id}", body: "x", idempotencyKey: "${id}") { __typename } }`;
        const { told } = await call('explain_refusal', {
          operationId: (await run(reply, 'mutate')).operationId,
        });
        return { ...told, operationId: '' };
      }),
    );
    expect(explained[0]).toEqual(explained[1]);
    expect(explained[0]).toMatchObject({
      outcome: 'failed',
      refusals: [{ layer: 'request', path: 'replyToTicket' }],
    });
  });

  test('of a budget, by the limit that the record keeps', async () => {
    const small = await server.agent(person, { scopes: held }, { scopes: held, rowsMax: 1 });
    const by = await clientOf(small, held);
    const { told } = await call(
      'query',
      { document: '{ customers { totalCount nodes { name } } tickets { totalCount nodes { id } } }' },
      by,
    );
    expect(told.errors).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
    const explained = await call('explain_refusal', { operationId: told.operationId }, by);
    expect(explained.told.refusals).toMatchObject([
      { layer: 'limits', message: expect.stringContaining('rows') as string },
    ]);
    await by.close();
  });

  test('by rights as they stand now', async () => {
    const fresh = await server.agent(person, { scopes: role }, { scopes: held });
    const by = await clientOf(fresh, role);
    const { told } = await call('query', { document: '{ customers { nodes { email } } }' }, by);
    const explained = async (): Promise<Told> =>
      (await call('explain_refusal', { operationId: told.operationId }, by)).told;
    const change = (work: (tx: Connection) => Promise<unknown>): Promise<void> =>
      server.database.transaction(async (tx) => {
        await work(tx);
        await bumpEpoch(tx);
      });
    await change((tx) => tx.update(delegations, eq('id', fresh.delegationId), { scopes: role }));
    expect((await explained()).refusals).toMatchObject([
      { layer: 'delegation', message: 'customers:read_contact was missing then, and is held now.' },
    ]);
    await change((tx) => tx.update(roles, eq('id', fresh.roleId), { scopes: held }));
    const beyond = await explained();
    expect(beyond.refusals).toMatchObject([{ layer: 'request' }]);
    expect(JSON.stringify(beyond)).not.toMatch(/contact|email/);
    await by.close();
  });

  test('as no refusal, where there was none', async () => {
    const { operationId } = await run('{ customers { nodes { name } } }');
    expect((await call('explain_refusal', { operationId })).told).toMatchObject({
      ...{ outcome: 'succeeded', refusals: [] },
    });
  });
});

test('what the person lacks is named by no tool, and what only the task lacks is', async () => {
  const introspection = getIntrospectionQuery();
  const fields = '{ __schema { queryType { fields { name description } } } }';
  const told = await Promise.all([
    call('whoami', {}),
    call('query', { document: fields }),
    call('query', { document: introspection }),
    call('query', { document: '{ __type(name: "Invoice") { description fields { description } } }' }),
    call('search_schema', { words: 'invoices refunds customers email' }),
    call('validate', { document: '{ invoices { nodes { id } } }' }),
    call('explain_refusal', { document: '{ invoices { nodes { id } } }' }),
    call('explain_refusal', { operationId: (await run('{ invoices { nodes { id } } }')).operationId }),
  ]);
  for (const { text } of told) expect(text).not.toContain('invoices:read');
  expect(told[0].told).toMatchObject({
    data: { viewer: { requestableScopes: ['customers:read_contact', 'orders:read', 'refunds:read'] } },
  });
  expect(told[1].text).toContain('Requestable: needs `orders:read`');
});

test("another task's operation is answered as one that does not exist", async () => {
  const other = await server.agent(person, { scopes: role }, { scopes: held });
  const by = await clientOf(other, held);
  const mine = await call('query', { document: '{ customers { nodes { email } } }' }, by);
  expect((await call('explain_refusal', { operationId: mine.told.operationId }, by)).isError).toBe(false);
  const answers = await Promise.all(
    [
      mine.told.operationId,
      mine.told.operationId.toLowerCase(),
      '01JDW1TCY0DP7W6C0QX3XK9D78',
      'x'.repeat(5_000),
    ].map(async (operationId) => {
      const { told, isError } = await call('explain_refusal', { operationId });
      return { ...told, operationId: '', isError };
    }),
  );
  for (const answer of answers) expect(answer).toEqual(answers[2]);
  expect(answers[2]).toMatchObject({ isError: true, errors: [{ code: 'NOT_FOUND' }] });
  await by.close();
});

type Refusals = readonly (Record<string, unknown> & { readonly layer: string })[];

test.each<[string, string, Record<string, unknown>, readonly string[]]>([
  ['the task lacks a scope', '{ customers { nodes { name email } } }', {}, ['delegation']],
  ['the token lacks a scope', '{ orders { nodes { id } } }', {}, ['token']],
  ['a scope needs an approval', '{ refunds { nodes { id } } }', {}, ['approval']],
  ['the person lacks a scope', '{ invoices { nodes { id } } }', {}, ['person']],
  [
    'two layers refuse',
    '{ customers { nodes { email } } invoices { totalCount } }',
    {},
    ['delegation', 'person'],
  ],
  ['a field does not exist', '{ nope }', {}, ['request']],
  ['its syntax is wrong', '{ customers', {}, ['request']],
  [
    'a variable is wrong',
    'query ($n: Int!) { customers(first: $n) { totalCount } }',
    { n: 'a' },
    ['request'],
  ],
  [
    'it costs too much',
    `{ ${Array.from({ length: 15 }, (_, at) => `a${String(at)}: customers(first: 100) { nodes { tickets(first: 100) { nodes { messages(first: 100) { nodes { body } } } } } }`).join(' ')} }`,
    {},
    ['request'],
  ],
  ['nothing refuses', '{ customers { totalCount } }', {}, []],
])(
  'where %s, each way of asking tells the same refusals, in the form that its tool promises',
  async (_case, document, variables, layers) => {
    const { tools } = await client.listTools();
    const before = await recordsOf(server.database);
    const refusals = async (tool: string): Promise<Refusals> => {
      const { told } = await call(tool, { document, variables });
      const properties = tools.find(({ name }) => name === tool)?.outputSchema?.properties ?? {};
      expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(told)));
      const { items } = (properties as Record<string, unknown>).refusals as {
        items: { properties: object; required: string[] };
      };
      for (const one of told.refusals as Refusals) {
        expect(Object.keys(items.properties)).toEqual(expect.arrayContaining(Object.keys(one)));
        expect(Object.keys(one)).toEqual(expect.arrayContaining(items.required));
      }
      return told.refusals as Refusals;
    };
    const [checked, explained] = [await refusals('validate'), await refusals('explain_refusal')];
    expect(checked.map(({ layer }) => layer)).toEqual(layers);
    expect(explained).toEqual(checked);
    expect(JSON.stringify(checked)).not.toContain('invoices:read');
    const after = (await recordsOf(server.database)).slice(before.length);
    expect(after.map(({ outcome, changes }) => ({ outcome, changes }))).toEqual(
      Array.from({ length: 2 }, () => ({ outcome: 'succeeded', changes: [] })),
    );
    if (layers.includes('request') || layers.includes('token')) return;
    const { operationId } = await run(document);
    const recorded = (await call('explain_refusal', { operationId })).told.refusals as Refusals;
    // Nothing below a refused field is asked for.
    expect(recorded).toEqual(checked.map((one, at) => ({ ...one, coordinates: recorded[at]?.coordinates })));
  },
);

test('a document is valid where it has no fault, whatever refuses it', async () => {
  const validity = async (document: string): Promise<unknown> =>
    (await call('validate', { document })).told.valid;
  expect(await validity('{ invoices { nodes { id } } }')).toBe(true);
  expect(await validity('{ invoices { nodes { nope } } }')).toBe(false);
  // Beyond every role of the agent, and nowhere.
  expect(await validity('{ auditRecords { id } }')).toBe(false);
  expect(await validity('{ xuditRecords { id } }')).toBe(false);
});

test('the fault of a document is told with its place, and with the advice that its run gives', async () => {
  for (const document of [
    '{\n  customers { nope }\n}',
    '{\n  customers { name',
    'query { customers { name } } query { a }',
  ]) {
    const [refusal] = (await call('validate', { document })).told.refusals as Refusals;
    const [error] = (await run(document)).errors as { message: string; next?: string }[];
    expect(refusal?.next).toBe(error?.next ?? 'Correct it, and send it again.');
  }
  expect((await call('validate', { document: '{\n  customers { nope }\n}' })).told).toMatchObject({
    valid: false,
    refusals: [
      { layer: 'request', line: 2, column: 15, next: expect.stringContaining('search_schema') as string },
    ],
  });
});

test('a document is explained before it runs, and changes nothing', async () => {
  const document =
    'query ($n: Int!) { customers(first: $n) { nodes { email } } refunds { totalCount } invoices { totalCount } }';
  const { told, text } = await call('explain_refusal', { document, variables: { n: 1 } });
  expect((told.refusals as { layer: string }[]).map(({ layer }) => layer)).toEqual([
    'delegation',
    'approval',
    'person',
  ]);
  expect(text).not.toContain('invoices:read');
  const faulty = async (field: string): Promise<string> =>
    JSON.stringify((await call('explain_refusal', { document: `{ ${field} { id } }` })).told).replaceAll(
      field,
      'FIELD',
    );
  // One is beyond every role of the agent, the other does not exist.
  expect(await faulty('auditRecords')).toBe(await faulty('xuditRecords'));
  expect(await faulty('auditRecords')).toContain('"layer":"request"');
  const wrong = await call('explain_refusal', { document, variables: { n: 'a' } });
  expect(wrong.told.refusals).toMatchObject([{ layer: 'request' }, {}, {}, {}]);
  const end = 'mutation { completeTask(idempotencyKey: "k") { __typename } }';
  expect((await call('explain_refusal', { document: end })).told.refusals).toEqual([]);
  expect((await run('{ viewer { task { task } } }')).data).toEqual({
    viewer: { task: { task: 'ticket:T-1' } },
  });
});

test('what is missing is asked for by a person’s name, and looked after', async () => {
  const ask = async (scopes: readonly string[]): Promise<Told> =>
    (await call('ask_for_access', { scopes, reason: 'They want a call.' })).told;
  expect(await ask(['customers:read_contact', 'tickets:read', 'invoices:read'])).toMatchObject({
    ...{ status: 'ask_in_person', person: person.name },
    message: 'For ticket:T-1 I need customers:read_contact: They want a call.',
    next: expect.stringContaining(
      `Requests cannot be made here yet: send \`message\` to ${person.name}`,
    ) as string,
  });
  expect(await ask(['refunds:read'])).toMatchObject({
    ...{ status: 'ask_in_person', person: person.name },
    scopes: [{ scope: 'refunds:read', layer: 'approval' }],
  });
  expect(await ask(['tickets:read'])).toMatchObject({ status: 'held' });
  const [lacked, nonexistent] = [await ask(['invoices:read']), await ask(['no:such'])];
  expect(lacked).toMatchObject({ status: 'impossible' });
  expect(JSON.stringify(lacked).replaceAll('invoices:read', 'no:such')).toBe(JSON.stringify(nonexistent));
});

test.each<[string, Record<string, unknown>, string]>([
  ['whoami', { id: 1 }, '`whoami` takes no arguments: leave `id` out.'],
  [
    'search_schema',
    { query: 'x' },
    '`search_schema` takes `words`, `from` and nothing else: leave `query` out.',
  ],
  ['search_schema', { words: 5 }, 'Send `words` as a text, not a number.'],
  ['search_schema', { words: 'a', from: '2' }, 'Send `from` as a whole number, not a text.'],
  ['query', {}, 'Send the text of an operation as `document`, or a registered name as `documentId`.'],
  ['query', { document: {} }, 'Send `document` as a text, not an object.'],
  ['query', { document: '{ a }', documentId: 'b' }, 'Send `document` or `documentId`, not both.'],
  ['mutate', { document: '{ a }', variables: '{}' }, 'Send `variables` as an object, not a text.'],
  ['explain_refusal', {}, 'Send one of `operationId`, `document` (or `documentId`) and `scopes`.'],
  ['explain_refusal', { scopes: 'a:b' }, 'Send `scopes` as a list of texts, not a text.'],
  ['ask_for_access', { scopes: ['a:b'] }, '`reason` is missing: send it as a text.'],
])('a wrong input of `%s` gets one sentence that names the argument', async (name, input, sentence) => {
  const before = await recordsOf(server.database);
  const { told, isError } = await call(name, input);
  expect({ isError, errors: told.errors }).toMatchObject({
    isError: true,
    errors: [{ code: 'BAD_USER_INPUT', message: sentence }],
  });
  const after = await recordsOf(server.database);
  expect(after.length).toBe(before.length + 1);
  expect(after.at(-1)).toMatchObject({
    ...{
      operationId: told.operationId,
      outcome: 'failed',
      errors: [{ code: 'BAD_USER_INPUT' }],
      changes: [],
    },
    mcp: { target: name },
  });
});

test.each([
  ['query', { document: '{ nope }' }, 'search_schema'],
  ['query', { document: '{ customers' }, 'syntax'],
  ['query', { document: 'query ($n: Int!) { customers(first: $n) { totalCount } }' }, '`variables`'],
  ['query', { document: 'mutation { completeTask(idempotencyKey: "k") { __typename } }' }, '`mutate`'],
  ['mutate', { document: '{ customers { totalCount } }' }, '`query`'],
  ['query', { documentId: 'NoSuch' }, '`documentId`'],
])('a faulty document of `%s` is told with what to do next', async (name, input, word) => {
  const { told, isError } = await call(name, input);
  expect(isError).toBe(true);
  const [error] = told.errors as { readonly next: string }[];
  expect(error?.next).toContain(word);
});

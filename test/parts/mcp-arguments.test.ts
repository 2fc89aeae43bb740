// databases: sqlite, mariadb
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerDocuments } from '../../src/admin/trusted-documents.js';
import { Company, rules } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { mcpClient } from '../support/mcp.js';
import { recordsOf } from '../support/records.js';

const documents = [
  {
    name: 'Find',
    source: `query Find($what: String = "x", $within: [String!], $filter: CustomerFilter, $count: Int, $other: Int) {
      ... on Query { found: search(query: $what) { nodes { snippet } } }
      customers(filter: {regions: $within}, first: 1) { nodes { name } }
      more: customers(filter: $filter, first: $count) { ...names }
      fixed: documents(first: -1) { nodes { title } }
      twice: documents(first: $other) { nodes { title } }
    }
    fragment names on CustomerConnection { nodes { name orders(first: $other) { totalCount } } }`,
  },
  {
    name: 'Reply',
    source:
      'mutation Reply($on: ID!, $text: String!, $key: String!) { replyToTicket(ticketId: $on, body: $text, idempotencyKey: $key) { __typename } }',
  },
];
const task = ['customers:read', 'orders:read', 'documents:read', 'tickets:read', 'tickets:reply'];

let company: Company;
let client: Client;
let ticketId: string;
beforeAll(async () => {
  company = await Company.start();
  const { server, root } = company;
  const person = await server.person({ scopes: [...server.app.scopes] });
  const rows = new BusinessRows(server);
  ticketId = (await rows.ticket('T-MCP', await rows.customer('C-MCP', 'europe'))).id;
  const { delegationId } = await server.agent(person, { scopes: task }, { scopes: task });
  client = await mcpClient(server.url, await server.token(person.id, delegationId, task, '/mcp'));
  await company.do((unit) => registerDocuments(unit, rules, root.id, documents));
});
afterAll(async () => {
  await client.close();
  await company.server.stop();
});

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly next?: string;
}

/** The faults of a call, whose record has no change. */
async function faultsOf(name: string, input: Record<string, unknown>): Promise<readonly Fault[]> {
  const { structuredContent } = await client.callTool({ name, arguments: input });
  const { errors, operationId } = structuredContent as { errors: Fault[]; operationId: string };
  const record = (await recordsOf(company.server.database)).find((one) => one.operationId === operationId);
  expect(record).toMatchObject({ changes: [], mcp: { target: name } });
  expect(record?.outcome).not.toBe('succeeded');
  expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'BAD_USER_INPUT'));
  return errors;
}
const messagesOf = async (name: string, input: Record<string, unknown>): Promise<readonly string[]> =>
  (await faultsOf(name, input)).map(({ message, next }) =>
    next === undefined ? message : `${message} ${next}`,
  );

const fixed = '`first` must be between 0 and 1000.';

test.each<[Record<string, unknown>, readonly string[]]>([
  [
    { within: 5 },
    [
      '`within` got invalid value 5; String cannot represent a non string value: 5 Send `within` as the input schema of this tool says.',
    ],
  ],
  [
    { within: ['x', {}] },
    [
      '`within` got invalid value {} at "within[1]"; String cannot represent a non string value: {} Send `within` as the input schema of this tool says.',
    ],
  ],
  [
    { count: 2 ** 31 },
    [
      '`count` got invalid value 2147483648; Int cannot represent non 32-bit signed integer value: 2147483648 Send `count` as the input schema of this tool says.',
    ],
  ],
  [{ what: 'x'.repeat(501) }, ['`what` is longer than 500 characters.', fixed]],
  [{ what: '?' }, ['`what`: The query has no word that could be looked for.', fixed]],
  [{ within: Array.from({ length: 101 }, () => 'x') }, ['`within` may have at most 100 values.', fixed]],
  [
    { filter: { nameStartsWith: 'x'.repeat(201) } },
    ['`filter.nameStartsWith` is longer than 200 characters.', fixed],
  ],
  [{ count: -1 }, ['`count` must be between 0 and 1000.', fixed]],
  [{ other: -1 }, [fixed, '`other` must be between 0 and 1000.', '`other` must be between 0 and 1000.']],
])(
  'the tool of a document is told of its own arguments, not of those of the fields: %#',
  async (input, told) => {
    expect((await messagesOf('Find', input)).toSorted()).toEqual(told.toSorted());
  },
);

test('the tool of a mutation is told of its own arguments, and changes nothing', async () => {
  const input = { on: ticketId, text: '', key: 'k' };
  expect(await messagesOf('Reply', input)).toEqual(['`text` must not be empty.']);
  expect(await messagesOf('Reply', { ...input, text: 'x', key: '' })).toEqual(['`key` must not be empty.']);
});

test.each([
  [{ words: '?' }, '`words`: The query has no word that could be looked for.'],
  [{ words: 'x'.repeat(501) }, '`words` is longer than 500 characters.'],
  [{ words: 'a', first: -1 }, fixed],
  [
    { words: 'a', first: 2 ** 31 },
    '`first` got invalid value 2147483648; Int cannot represent non 32-bit signed integer value: 2147483648 Send `first` as the input schema of this tool says.',
  ],
  [{ words: 'a', after: 'x' }, 'This cursor does not belong to this list. Start again without `after`.'],
  [{ words: 'a', collection: 'x' }, '`collection` cannot be used here: leave it out.'],
])('a search of documents is told of its own arguments: %#', async (input, told) => {
  expect(await messagesOf('search_knowledge', input)).toEqual([told]);
});

test('a tool that takes a document is told of its variables, and of the arguments that the document writes', async () => {
  const document =
    'query ($n: Int, $r: [String!]) { customers(first: $n, filter: {regions: $r}) { nodes { name } } documents(first: -1) { nodes { title } } }';
  expect(await messagesOf('query', { document, variables: { n: -1 } })).toEqual([
    '`variables.n` must be between 0 and 1000.',
    fixed,
  ]);
  expect(await messagesOf('query', { document, variables: { r: 5 } })).toEqual([
    'Variable "$r" got invalid value 5; String cannot represent a non string value: 5 Send `variables` with a fitting value for it.',
  ]);
  const reply = { documentId: 'Reply', variables: { on: ticketId, text: '', key: 'k' } };
  expect(await messagesOf('mutate', reply)).toEqual(['`variables.text` must not be empty.']);
  for (const tool of ['query', 'mutate', 'validate', 'explain_refusal'])
    expect(await messagesOf(tool, { document: '' })).toEqual([
      '`document` is empty: send the text of an operation.',
    ]);
});

test('the other tools name the argument that is too long', async () => {
  expect(await messagesOf('search_schema', { words: 'x'.repeat(301) })).toEqual([
    '`words` has more than 300 characters: send fewer.',
  ]);
  const scopes = Array.from({ length: 101 }, (_, at) => `a:b${String(at)}`);
  expect(await messagesOf('ask_for_access', { scopes, reason: 'x' })).toEqual([
    '`scopes` takes up to 50 scopes of 200 characters: send fewer or shorter ones.',
  ]);
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BusinessRows } from '../support/business.js';
import { loadBusiness, loadDocuments, smallBusiness } from '../support/demo-rows.js';
import { postMessage } from '../support/mcp.js';
import { recordsOf } from '../support/records.js';
import { everywhere, TestServer } from '../support/server.js';

const scopes = ['customers:read', 'tickets:read', 'tickets:reply', 'documents:read', 'invoices:read'];
let server: TestServer;
let token: string;
let ticketId: string;
beforeAll(async () => {
  server = await TestServer.start();
  await loadBusiness(server.database, smallBusiness());
  await loadDocuments(server.database, server.ids);
  const rows = new BusinessRows(server);
  ticketId = (await rows.ticket('T-PLAIN', await rows.customer('C-PLAIN', 'europe'))).id;
  const person = await server.person({ scopes: [...server.app.scopes] });
  const rights = { scopes: [...scopes, 'refunds:read'] };
  const task = { scopes, boundary: everywhere, operationsMax: 100_000 };
  const { delegationId } = await server.agent(person, rights, task);
  token = await server.token(person.id, delegationId, scopes.slice(0, 4), '/mcp');
});
afterAll(() => server.stop());

/** The same call in two forms: as clients send it, and with a member that makes the SDK read it. */
const forms = { plain: {}, bySdk: { unused: true } };

async function answersTo(name: string, input: (form: string) => unknown) {
  const [plain, bySdk] = await Promise.all(
    Object.entries(forms).map(async ([form, more]) => {
      const params = { name, arguments: input(form), ...more };
      const answer = await postMessage(server.url, token, 'tools/call', params);
      const text = await answer.text();
      const operationId = answer.headers.get('behalf-operation-id') ?? '';
      const record = (await recordsOf(server.database)).find((one) => one.operationId === operationId);
      const { operation, decisions, outcome, errors, mcp } = record ?? {};
      return {
        text,
        seen: {
          status: answer.status,
          type: answer.headers.get('content-type'),
          cache: answer.headers.get('cache-control'),
          challenge: answer.headers.get('www-authenticate'),
          body: JSON.parse(text.replaceAll(operationId, 'ID')) as unknown,
          record: { operation, decisions, outcome, errors, mcp },
        },
      };
    }),
  );
  if (plain === undefined || bySdk === undefined) throw new Error('There are two forms.');
  return { plain, bySdk };
}

test.each<[string, string, (form: string) => unknown]>([
  ['rows', 'query', () => ({ document: '{ customers(first: 3) { nodes { name email } } }' })],
  [
    'a list that is cut',
    'query',
    () => ({
      document: `{ customers(first: 50) { nodes { ${'abcdefghij'
        .split('')
        .map((name) => `${name}: name ${name}id: id`)
        .join(' ')} } } }`,
    }),
  ],
  ['a fault of the document', 'query', () => ({ document: '{ nope }' })],
  ['no document', 'query', () => ({})],
  ['a refusal of the token', 'query', () => ({ document: '{ invoices { nodes { id } } }' })],
  ['a refusal of the task', 'query', () => ({ document: '{ refunds { nodes { id } } }' })],
  [
    'a change',
    'mutate',
    (form) => ({
      document:
        'mutation ($id: ID!, $key: String!) { replyToTicket(ticketId: $id, body: "Good day", idempotencyKey: $key) { ticket { id } } }',
      variables: { id: ticketId, key: form },
    }),
  ],
  ['who I am', 'whoami', () => ({})],
  ['documents with links', 'search_knowledge', () => ({ words: 'coffee' })],
  ['fields', 'search_schema', () => ({ words: 'tickets' })],
  ['a check', 'validate', () => ({ document: '{ refunds { nodes { id } } }' })],
  ['a refused scope', 'explain_refusal', () => ({ scopes: ['refunds:read'] })],
  [
    'too many scopes',
    'explain_refusal',
    () => ({ scopes: Array.from({ length: 60 }, (_, at) => String(at)) }),
  ],
  ['no such tool', 'nothing', () => ({})],
])('%s: a call gets the same answer and record as one that the SDK reads', async (_name, tool, input) => {
  const { plain, bySdk } = await answersTo(tool, input);
  expect(plain.seen).toEqual(bySdk.seen);
  // They did come two ways.
  if (plain.text.includes('"structuredContent"')) {
    expect(plain.text).toMatch(/^\{"jsonrpc":"2\.0","id":\d+,"result":\{"structuredContent":/);
    expect(bySdk.text).not.toMatch(/^\{"jsonrpc"/);
  }
});

test.each([
  ['another tool in the head', { 'mcp-name': 'whoami' }],
  ['another method in the head', { 'mcp-method': 'tools/list' }],
  ['another revision in the head', { 'mcp-protocol-version': '2025-11-25' }],
])('a call whose body says something else than its head is refused: %s', async (_name, headers) => {
  const params = { name: 'query', arguments: { document: '{ customers { totalCount } }' } };
  const answer = await postMessage(server.url, token, 'tools/call', params, { headers });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: expect.any(Number) as number } });
});

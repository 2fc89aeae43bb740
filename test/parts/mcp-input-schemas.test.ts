// databases: sqlite, mariadb
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerDocuments } from '../../src/admin/trusted-documents.js';
import { Company, rules } from '../support/administration.js';
import { postMessage } from '../support/mcp.js';
import { recordOf } from '../support/records.js';
import { everywhere } from '../support/server.js';

const page = (of: string): string => `{ documents(${of}) { nodes { title } } }`;
const documents = [
  { name: 'Since', source: `query Since($value: DateTime!) ${page('filter: {updatedAfter: $value}')}` },
  { name: 'Ordered', source: `query Ordered($value: DocumentOrder!) ${page('orderBy: $value')}` },
  { name: 'Many', source: `query Many($value: Int!) ${page('first: $value')}` },
  {
    name: 'Pay',
    source:
      'mutation Pay($value: Decimal!) { issueRefund(paymentId: "none", amount: {amount: $value, currency: "EUR"}, reason: "x", idempotencyKey: "k") { __typename } }',
  },
  { name: 'Optional', source: `query Optional($__proto__: Int = 2) ${page('first: $__proto__')}` },
  {
    name: 'Inherited',
    source: `query Inherited($constructor: Int!, $toString: String) ${page('first: $constructor, after: $toString')}`,
  },
];

let company: Company;
let token: string;
let graphqlToken: string;
let schemas: ReadonlyMap<string, object>;
beforeAll(async () => {
  company = await Company.start();
  const { server } = company;
  const scopes = ['documents:read', 'payments:read', 'refunds:issue', 'refunds:read'];
  const person = await server.person({ scopes });
  await company.do((unit) => registerDocuments(unit, rules, company.root.id, documents));
  const { delegationId, token: other } = await server.agent(person, { scopes, boundary: everywhere });
  graphqlToken = other;
  token = await server.token(person.id, delegationId, scopes, '/mcp');
  const answer = await postMessage(server.url, token, 'tools/list', {});
  const { result } = (await answer.json()) as { result: { tools: { name: string; inputSchema: object }[] } };
  schemas = new Map(result.tools.map(({ name, inputSchema }) => [name, inputSchema]));
});
afterAll(() => company.server.stop());

interface Told {
  readonly codes: readonly string[];
  readonly message: string | undefined;
}
async function call(name: string, input: object): Promise<Told> {
  const params = { name, arguments: input };
  const answer = await postMessage(company.server.url, token, 'tools/call', params);
  const { result } = (await answer.json()) as {
    result: { structuredContent: { errors?: { code: string; message: string }[] } };
  };
  const { errors = [] } = result.structuredContent;
  const record = await recordOf(company.server.database, answer);
  if (errors.length > 0) expect(record).toMatchObject({ outcome: 'failed', changes: [] });
  return { codes: errors.map(({ code }) => code), message: errors[0]?.message };
}

const accepts = (name: string, input: object): boolean =>
  new AjvJsonSchemaValidator().getValidator(schemas.get(name) ?? {})(input).valid;

describe('the schema of a tool takes no value that the server always refuses', () => {
  test.each<[string, readonly unknown[], readonly unknown[]]>([
    [
      'Since',
      ['2026-03-01T09:30:00Z', '2026-03-01T09:30:00.123456Z', '2024-02-29T23:59:59+02:00'],
      [
        ...['2026-03-01t09:30:00z', '2026-03-01 09:30:00Z', '2026-03-01T09:30:00.1234567Z'],
        ...['2016-12-31T23:59:60Z', '0999-01-01T00:00:00Z', '2026-02-30T00:00:00Z', 'now', 5],
      ],
    ],
    [
      'Ordered',
      [{ title: 'ASC' }, { updatedAt: 'DESC' }],
      [{}, { title: 'ASC', createdAt: 'ASC' }, { title: 'UP' }, { nope: 'ASC' }, 'ASC'],
    ],
    ['Many', [1, 5], ['1', 1.5, 2 ** 31]],
    [
      'Pay',
      ['1', '-1.50', `${'9'.repeat(35)}.${'1'.repeat(30)}`],
      ['9'.repeat(36), `1.${'1'.repeat(31)}`, '1e3', '+1', '1.', 1],
    ],
  ])('%s', async (name, taken, refused) => {
    const isRefused = async (value: unknown): Promise<boolean> =>
      (await call(name, { value })).message?.startsWith('`value` got invalid value') === true;
    for (const value of taken)
      expect([value, accepts(name, { value }), await isRefused(value)]).toEqual([value, true, false]);
    for (const value of refused)
      expect([value, accepts(name, { value }), await isRefused(value)]).toEqual([value, false, true]);
  });
});

test('a variable may have a name that every object inherits', async () => {
  const input = { constructor: 1 };
  expect(await call('Inherited', input)).toEqual({ codes: [], message: undefined });
  expect(await call('Inherited', {})).toEqual({
    codes: ['BAD_USER_INPUT'],
    message: '`constructor` is missing: send it as a whole number.',
  });
});

test('an optional variable that no request can give is no part of the input', async () => {
  expect(schemas.get('Optional')).toMatchObject({ properties: {}, additionalProperties: false });
  expect(await call('Optional', {})).toEqual({ codes: [], message: undefined });
});

test('a required variable that no request can give is refused: in a document, and where it would be registered', async () => {
  const source = `query Proto($__proto__: Int!) ${page('first: $__proto__')}`;
  const message = 'No request can give a variable named `__proto__`: choose another name.';
  const registered = company.do((unit) =>
    registerDocuments(unit, rules, company.root.id, [{ name: 'Proto', source }]),
  );
  await expect(registered).rejects.toThrow(message);
  expect(await call('query', { document: source })).toEqual({ codes: ['BAD_USER_INPUT'], message });
  expect(await company.server.query(graphqlToken, source)).toMatchObject({
    errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }],
  });
});

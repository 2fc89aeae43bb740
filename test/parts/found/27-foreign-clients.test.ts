// databases: sqlite, mariadb
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Company, codes, key, type Employee } from '../../support/administration.js';
import { digestOf } from '../../support/faults.js';
import { type Answer } from '../../support/server.js';

let company: Company;
let person: Employee;

const query = '{ viewer { scopes } }';
const registered = 'query Mine { viewer { scopes } }';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const persisted = (hash: unknown, version: unknown = 1): object => ({
  persistedQuery: { version, sha256Hash: hash },
});

beforeAll(async () => {
  company = await Company.start();
  person = await company.employee('rosa', 'support-rep');
  const answer = await company.ask(
    company.root,
    'mutation ($input: [RegisterDocumentInput!]!, $key: String!) { registerDocuments(input: $input, idempotencyKey: $key) { created } }',
    { input: [{ name: 'Mine', source: registered }], key: key() },
  );
  expect(codes(answer)).toEqual([]);
});
afterAll(() => company.server.stop());

/** As Apollo Client and urql send it, by either method. */
async function send(method: 'GET' | 'POST', request: object, headers = {}): Promise<Answer> {
  const parameters = Object.entries(request).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const search = method === 'GET' ? `?${new URLSearchParams(parameters).toString()}` : '';
  const response = await fetch(`${company.server.url}/graphql${search}`, {
    method,
    headers: {
      authorization: `Bearer ${person.token}`,
      accept: 'application/graphql-response+json, application/json',
      ...(method === 'POST' && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(method === 'POST' && { body: JSON.stringify(request) }),
  });
  const json = (await response.json()) as { data?: unknown; errors?: Answer['errors'] };
  return { status: response.status, headers: response.headers, data: json.data, errors: json.errors ?? [] };
}

describe('27 clients of persisted queries send the text where the hash is not known', () => {
  test.each(['GET', 'POST'] as const)('an unknown hash by %s', async (method) => {
    const answer = await send(method, { extensions: persisted(sha256(query)) });
    expect(answer.status).toBe(200);
    expect(answer.errors).toMatchObject([
      { message: 'PersistedQueryNotFound', extensions: { code: 'NOT_FOUND' } },
    ]);
    expect(answer.errors[0]?.extensions.operationId).toBe(answer.headers.get('behalf-operation-id'));
    const text = await send(method, { query, extensions: persisted(sha256(query)) });
    expect([text.status, text.errors]).toEqual([200, []]);
  });

  test.each(['GET', 'POST'] as const)(
    'a registered one by %s is answered by its hash alone',
    async (method) => {
      const answer = await send(method, { extensions: persisted(sha256(registered)) });
      expect([answer.status, answer.errors]).toEqual([200, []]);
    },
  );

  test.each(['GET', 'POST'] as const)('another version of them by %s is not supported', async (method) => {
    for (const text of [{}, { query }]) {
      const answer = await send(method, { ...text, extensions: persisted(sha256(query), 2) });
      expect(answer.errors).toMatchObject([
        { message: 'PersistedQueryNotSupported', extensions: { code: 'BAD_USER_INPUT' } },
      ]);
    }
  });

  test('what is no hash, or another text’s, is a fault that no text mends', async () => {
    for (const [request, path] of [
      [{ extensions: persisted('ab') }, 'extensions.persistedQuery'],
      [{ query, extensions: persisted(sha256('x')) }, 'extensions.persistedQuery.sha256Hash'],
    ] as const) {
      const answer = await send('POST', request);
      expect([answer.status, codes(answer), answer.errors[0]?.extensions.path]).toEqual([
        400,
        ['BAD_USER_INPUT'],
        path,
      ]);
    }
  });
});

describe('27 a token in `authorization` proves that no foreign page sent the request', () => {
  test('a query by GET, without any other header', async () => {
    const answer = await send('GET', { query, variables: {} });
    expect([answer.status, answer.errors]).toEqual([200, []]);
  });

  test('without a token there is nothing to forge', async () => {
    const url = `${company.server.url}/graphql?query=${encodeURIComponent(query)}`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { cookie: `token=${person.token}` } })).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: 'Basic YTpi' } })).status).toBe(401);
  });

  test('a mutation by GET is refused, and nothing changes', async () => {
    const before = await digestOf(company.server.database);
    const mutation = `mutation { revokeTokens(id: "${person.id}", idempotencyKey: "${key()}") { user { id } } }`;
    const answer = await send('GET', { query: mutation }, { authorization: `Bearer ${company.root.token}` });
    expect([answer.status, codes(answer), answer.headers.get('allow')]).toEqual([
      405,
      ['BAD_USER_INPUT'],
      'POST',
    ]);
    expect(await digestOf(company.server.database)).toBe(before);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'a body as a form could send it stays refused: %s',
    async (type) => {
      const answer = await send('POST', { query }, { 'content-type': type });
      expect([answer.status, codes(answer)]).toEqual([415, ['BAD_USER_INPUT']]);
    },
  );
});

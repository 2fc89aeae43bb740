// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import MarkdownIt from 'markdown-it';
import { isoTime } from '../../../src/core/clock.js';
import { ResolverContexts } from '../../../src/delegation/resolver-contexts.js';
import { eq } from '../../../src/store/sql/condition.js';
import { passages } from '../../../src/domains/knowledge/tables.js';
import { ensureCollection } from '../../../src/domains/knowledge/document-writes.js';
import { everywhere, TestServer } from '../../support/server.js';

/** In which order texts are parsed, which making passages begins with, and transactions of mutations begin. */
const events: string[] = [];

type Parser = InstanceType<typeof MarkdownIt>;

let server: TestServer;
let token: string;
let key = 0;

beforeAll(async () => {
  server = await TestServer.start();
  const at = isoTime(server.clock.now());
  await server.database.transaction((tx) => ensureCollection(tx, { key: 'guides', at }, server.ids));
  const scopes = ['documents:read', 'documents:write', 'documents:classify', 'collections:read'];
  token = (await server.person({ scopes, boundary: everywhere })).token;
});
beforeEach(() => {
  events.length = 0;
  const parse = Object.getOwnPropertyDescriptor(MarkdownIt.prototype, 'parse')?.value as Parser['parse'];
  vi.spyOn(MarkdownIt.prototype, 'parse').mockImplementation(function (this: Parser, ...args) {
    // A long text is parsed in slices.
    if (events.at(-1) !== 'passages') events.push('passages');
    return parse.apply(this, args);
  });
  const writing = Object.getOwnPropertyDescriptor(ResolverContexts.prototype, 'writing')
    ?.value as ResolverContexts['writing'];
  vi.spyOn(ResolverContexts.prototype, 'writing').mockImplementation(function (
    this: ResolverContexts,
    ...args
  ) {
    events.push('transaction');
    return writing.apply(this, args);
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await server.stop();
});

const longText = (about: string): string =>
  Array.from(
    { length: 800 },
    (_, at) => `## ${about} ${String(at)}\n\nWhat it says about ${about} ${String(at * 7)}.\n`,
  ).join('\n');

async function change(mutation: string, args: string, variables: Record<string, unknown> = {}) {
  key += 1;
  const types = Object.keys(variables).map((name) => `$${name}: String!`);
  const declared = types.length === 0 ? '' : `(${types.join(', ')})`;
  const answer = await server.query(
    token,
    `mutation ${declared} { ${mutation}(${args}, idempotencyKey: "k${String(key)}") { document { id version } } }`,
    variables,
  );
  expect(answer.errors).toEqual([]);
  const { document } = (answer.data as Record<string, { document: { id: string; version: number } }>)[
    mutation
  ] as { document: { id: string; version: number } };
  return document;
}

const headings = async (id: string): Promise<string[]> => {
  const rows = await server.database.read.select(passages, eq('documentId', id));
  return rows.map(({ heading }) => heading);
};

describe('15 what a long document takes is done before its transaction, which holds up everybody on SQLite', () => {
  test('the passages of a new document', async () => {
    const input = 'collection: "guides", title: "Long", classification: PUBLIC, body: $body';
    const { id } = await change('createDocument', input, { body: longText('Leave') });
    expect(events.slice(0, 2)).toEqual(['passages', 'transaction']);
    expect(events.filter((event) => event === 'passages')).toHaveLength(1);
    expect(await headings(id)).toContain('Leave 799');
  });

  test('the passages of a changed one, whatever is given of it', async () => {
    const input = 'collection: "guides", title: "Long", classification: PUBLIC, body: $body';
    const { id } = await change('createDocument', input, { body: longText('Pay') });
    for (const [mutation, args, variables] of [
      ['updateDocument', `id: "${id}", expectedVersion: 1, body: $body`, { body: longText('Travel') }],
      ['updateDocument', `id: "${id}", expectedVersion: 2, title: "Longer"`, {}],
      ['setDocumentClassification', `id: "${id}", expectedVersion: 3, classification: INTERNAL`, {}],
    ] as const) {
      events.length = 0;
      await change(mutation, args, variables);
      expect(events.slice(0, 2)).toEqual(['passages', 'transaction']);
      expect(events.filter((event) => event === 'passages')).toHaveLength(1);
    }
    expect(await headings(id)).toContain('Travel 799');
    expect(await headings(id)).not.toContain('Pay 799');
  });

  test('what somebody else changed meanwhile is looked at again', async () => {
    const input = 'collection: "guides", title: "Long", classification: PUBLIC, body: $body';
    const { id } = await change('createDocument', input, { body: '# Before' });
    const both = await Promise.all([
      server.query(
        token,
        `mutation { updateDocument(id: "${id}", expectedVersion: 1, title: "One", idempotencyKey: "one") { document { title } } }`,
      ),
      server.query(
        token,
        `mutation { updateDocument(id: "${id}", expectedVersion: 1, body: "# After", idempotencyKey: "two") { document { title } } }`,
      ),
    ]);
    const codes = both.map(({ errors }) => errors[0]?.extensions.code);
    expect(codes.toSorted()).toEqual(['CONFLICT', undefined]);
    const isRenamed = codes[0] === undefined;
    expect(await headings(id)).toEqual([isRenamed ? 'Before' : 'After']);
  });

  test('a faulty one is refused as before, and changes nothing', async () => {
    const count = await server.database.read.count(passages);
    const answer = await server.query(
      token,
      'mutation { createDocument(collection: "guides", title: "a\\nb", classification: PUBLIC, body: "x", idempotencyKey: "f") { document { id } } }',
    );
    expect(answer.errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(await server.database.read.count(passages)).toBe(count);
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { documents, passages } from '../../src/domains/knowledge/tables.js';
import { editing, importPage, pages, reading, startKnowledge, within } from '../support/knowledge.js';
import type { Answer, PersonFixture, TestServer } from '../support/server.js';

let server: TestServer;
let editor: PersonFixture;

beforeAll(async () => {
  server = await startKnowledge();
  for (const page of pages) await importPage(server, page);
  editor = await server.person({ scopes: editing });
});
afterAll(() => server.stop());

let keys = 0;
const key = (): string => `key-${String((keys += 1))}`;
const codes = (answer: Answer): unknown[] => answer.errors.map((error) => error.extensions.code);

const fields = 'document { id title classification body version owner collection { key name } }';
const create = (token: string, input: object, idempotencyKey = key()) =>
  server.query(
    token,
    `mutation ($collection: String!, $title: String!, $classification: Classification!, $body: String!, $idempotencyKey: String!) {
      createDocument(collection: $collection, title: $title, classification: $classification, body: $body, idempotencyKey: $idempotencyKey) { ${fields} }
    }`,
    {
      collection: 'hr',
      title: 'A page',
      classification: 'INTERNAL',
      body: 'Text.',
      ...input,
      idempotencyKey,
    },
  );
const update = (token: string, input: object, idempotencyKey = key()) =>
  server.query(
    token,
    `mutation ($id: ID!, $title: String, $body: String, $expectedVersion: Int!, $idempotencyKey: String!) {
      updateDocument(id: $id, title: $title, body: $body, expectedVersion: $expectedVersion, idempotencyKey: $idempotencyKey) { ${fields} }
    }`,
    { expectedVersion: 1, ...input, idempotencyKey },
  );
const classify = (token: string, input: object, idempotencyKey = key()) =>
  server.query(
    token,
    `mutation ($id: ID!, $classification: Classification!, $expectedVersion: Int!, $idempotencyKey: String!) {
      setDocumentClassification(id: $id, classification: $classification, expectedVersion: $expectedVersion, idempotencyKey: $idempotencyKey) { ${fields} }
    }`,
    { expectedVersion: 1, ...input, idempotencyKey },
  );

async function created(input: object): Promise<string> {
  const answer = await create(editor.token, input);
  expect(answer.errors).toEqual([]);
  return (answer.data as { createDocument: { document: { id: string } } }).createDocument.document.id;
}

async function searched(query: string, token = editor.token): Promise<string[]> {
  const answer = await server.query(
    token,
    'query ($query: String!) { search(query: $query) { nodes { document { title } } } }',
    { query },
  );
  const { search } = answer.data as { search: { nodes: { document: { title: string } }[] } };
  return search.nodes.map((hit) => hit.document.title);
}

const versionsOf = (token: string, id: string) =>
  server.query(
    token,
    'query ($id: ID!) { document(id: $id) { title versions { totalCount nodes { version classification title changedBy } } } }',
    { id },
  );

const everything = () => server.database.read.count(documents);

describe('reading', () => {
  test('documents are filtered, sorted and paged inside the boundary', async () => {
    const reader = await server.person({ scopes: reading, boundary: within(['hr', 'policies'], 'all') });
    const list = `query ($filter: DocumentFilter, $orderBy: DocumentOrder, $first: Int, $after: String) {
      documents(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
        totalCount nodes { title collection { key } } pageInfo { hasNextPage endCursor }
      }
    }`;
    const titles = async (variables: object): Promise<unknown> =>
      ((await server.query(reader.token, list, { ...variables })).data as { documents: unknown }).documents;
    const first = await titles({ orderBy: { title: 'DESC' }, first: 2 });
    expect(first).toMatchObject({
      totalCount: 3,
      nodes: [{ title: 'Salary bands' }, { title: 'Returns and refunds' }],
      pageInfo: { hasNextPage: true },
    });
    const { endCursor } = (first as { pageInfo: { endCursor: string } }).pageInfo;
    expect(await titles({ orderBy: { title: 'DESC' }, first: 2, after: endCursor })).toMatchObject({
      nodes: [{ title: 'Leave and absence', collection: { key: 'hr' } }],
      pageInfo: { hasNextPage: false },
    });
    expect(await titles({ filter: { collection: 'finance' } })).toMatchObject({ totalCount: 0, nodes: [] });
    expect(
      await titles({ filter: { titleStartsWith: 'Sal', classification: 'CONFIDENTIAL' } }),
    ).toMatchObject({
      nodes: [{ title: 'Salary bands' }],
    });
    expect(await titles({ filter: { titleStartsWith: 'sal' } })).toMatchObject({ nodes: [] });
    expect(await titles({ filter: { updatedAfter: '2999-01-01T00:00:00Z' } })).toMatchObject({ nodes: [] });
  });

  test('collections outside the boundary are not there', async () => {
    const reader = await server.person({ scopes: reading, boundary: within(['hr'], ['public']) });
    const answer = await server.query(
      reader.token,
      '{ collections { totalCount nodes { key name } } hr: collection(key: "hr") { name } finance: collection(key: "finance") { name } none: collection(key: "hr ") { name } }',
    );
    expect(answer.data).toEqual({
      collections: { totalCount: 1, nodes: [{ key: 'hr', name: 'Hr' }] },
      hr: { name: 'Hr' },
      finance: null,
      none: null,
    });
  });

  test('passages carry the text in order', async () => {
    const answer = await server.query(
      editor.token,
      '{ documents(filter: { collection: "policies" }) { nodes { passages { nodes { position heading text version document { title } } } } } }',
    );
    const document = { title: 'Returns and refunds' };
    const nodes = [
      { position: 1, heading: '', text: 'Anything may come back within thirty days.', version: 1, document },
      { position: 2, heading: 'Refunds' },
      { position: 3, heading: 'Damaged goods' },
    ];
    expect(answer.data).toMatchObject({ documents: { nodes: [{ passages: { nodes } }] } });
  });
});

describe('createDocument', () => {
  test('adds a document that is found at once, with its first version', async () => {
    const agent = await server.agent(editor, { scopes: editing });
    const answer = await create(agent.token, { title: 'Bicycle leasing', body: 'Ask for a velocipede.' });
    expect(answer.errors).toEqual([]);
    const document = {
      ...{ title: 'Bicycle leasing', classification: 'INTERNAL', version: 1, owner: editor.name },
      collection: { key: 'hr' },
    };
    expect(answer.data).toMatchObject({ createDocument: { document } });
    expect(await searched('velocipede')).toEqual(['Bicycle leasing']);
    const [row] = await server.database.read.select(documents, eq('title', 'Bicycle leasing'));
    const history = await versionsOf(editor.token, row?.id ?? '');
    const changedBy = `${editor.name} through ${agent.name}`;
    expect(history.data).toMatchObject({
      document: {
        versions: { totalCount: 1, nodes: [{ version: 1, classification: 'INTERNAL', changedBy }] },
      },
    });
  });

  test.each([
    ['an empty title', { title: ' ' }, 'BAD_USER_INPUT'],
    ['a long title', { title: 'x'.repeat(301) }, 'BAD_USER_INPUT'],
    ['an empty text', { body: '\n' }, 'BAD_USER_INPUT'],
    ['a control character', { body: 'a\u0007b' }, 'BAD_USER_INPUT'],
    ['an unknown classification', { classification: 'SECRET' }, 'BAD_USER_INPUT'],
    ['an unknown collection', { collection: 'nowhere' }, 'NOT_FOUND'],
    ['what is no collection key', { collection: 'hr ' }, 'NOT_FOUND'],
  ])('%s changes nothing', async (_, input, code) => {
    const before = await everything();
    expect(codes(await create(editor.token, input))).toEqual([code]);
    expect(await everything()).toBe(before);
  });

  test('outside the boundary of documents:write nothing is made', async () => {
    const writer = await server.person({ scopes: reading });
    await server.giveRole(writer.id, {
      scopes: ['documents:write'],
      boundary: within(['hr'], ['public', 'internal']),
    });
    const before = await everything();
    expect(codes(await create(writer.token, { collection: 'finance' }))).toEqual(['NOT_FOUND']);
    expect(codes(await create(writer.token, { classification: 'RESTRICTED' }))).toEqual(['NOT_FOUND']);
    expect(await everything()).toBe(before);
    expect(codes(await create(writer.token, {}))).toEqual([]);
  });

  test('without the scope it is refused, and without a token too', async () => {
    const agent = await server.agent(editor, { scopes: editing }, { scopes: reading });
    const answer = await create(agent.token, {});
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      layer: 'delegation',
      missingScopes: ['documents:write'],
    });
    expect(codes(await create('nobody', {}))).toEqual(['UNAUTHENTICATED']);
  });

  test('the same key gives the first answer, another input is a conflict', async () => {
    const idempotencyKey = key();
    const first = await create(editor.token, { title: 'Once' }, idempotencyKey);
    const before = await everything();
    expect((await create(editor.token, { title: 'Once' }, idempotencyKey)).data).toEqual(first.data);
    expect(codes(await create(editor.token, { title: 'Twice' }, idempotencyKey))).toEqual(['CONFLICT']);
    expect(await everything()).toBe(before);
  });
});

describe('updateDocument', () => {
  test('keeps the version before, and search finds the new text only', async () => {
    const id = await created({ title: 'Canteen', body: 'Soup of pumpkins.' });
    const answer = await update(editor.token, { id, body: 'Soup of lentils.' });
    expect(answer.data).toMatchObject({ updateDocument: { document: { title: 'Canteen', version: 2 } } });
    expect(await searched('pumpkin')).toEqual([]);
    expect(await searched('lentil')).toEqual(['Canteen']);
    const history = await versionsOf(editor.token, id);
    expect(history.data).toMatchObject({
      document: { versions: { nodes: [{ version: 2 }, { version: 1 }] } },
    });
  });

  test('another version is a conflict, and nothing changes', async () => {
    const id = await created({ title: 'Keys', body: 'The key is at the desk.' });
    expect(codes(await update(editor.token, { id, title: 'Locks', expectedVersion: 2 }))).toEqual([
      'CONFLICT',
    ]);
    expect(codes(await update(editor.token, { id }))).toEqual(['BAD_USER_INPUT']);
    expect(await server.database.read.byId(documents, id)).toMatchObject({ title: 'Keys', version: 1 });
  });

  test('outside the boundary it is not there', async () => {
    const id = await created({ title: 'Board', classification: 'RESTRICTED', body: 'Minutes.' });
    const writer = await server.person({ scopes: editing, boundary: within('all', ['public', 'internal']) });
    expect(codes(await update(writer.token, { id, body: 'Mine.' }))).toEqual(['NOT_FOUND']);
    expect(await server.database.read.byId(documents, id)).toMatchObject({ body: 'Minutes.', version: 1 });
  });
});

describe('classification and history', () => {
  test('what is withdrawn is gone from reading, search and history', async () => {
    const id = await created({ title: 'Relocation', classification: 'PUBLIC', body: 'We move to Gouda.' });
    const outsider = await server.person({ scopes: editing, boundary: within('all', ['public']) });
    expect(await searched('Gouda', outsider.token)).toEqual(['Relocation']);
    expect((await classify(editor.token, { id, classification: 'RESTRICTED' })).errors).toEqual([]);
    expect(await searched('Gouda', outsider.token)).toEqual([]);
    expect((await versionsOf(outsider.token, id)).data).toEqual({ document: null });
    const kept = await server.database.read.select(passages, eq('documentId', id));
    expect(kept.map((row) => [row.classification, row.version])).toEqual([['restricted', 2]]);
  });

  test('a version that was restricted stays so when the document is opened', async () => {
    const id = await created({ title: 'Pay', classification: 'RESTRICTED', body: 'Names.' });
    await update(editor.token, { id, body: 'No names.' });
    await classify(editor.token, { id, classification: 'PUBLIC', expectedVersion: 2 });
    const outsider = await server.person({ scopes: editing, boundary: within('all', ['public']) });
    const versions = { totalCount: 1, nodes: [{ version: 3, classification: 'PUBLIC' }] };
    expect((await versionsOf(outsider.token, id)).data).toMatchObject({ document: { versions } });
  });

  test('a narrower right to history counts at the place that the document has now', async () => {
    const id = await created({ title: 'Merger', classification: 'PUBLIC', body: 'Rumours.' });
    await classify(editor.token, { id, classification: 'CONFIDENTIAL' });
    const person = await server.person({ scopes: reading });
    await server.giveRole(person.id, {
      scopes: ['documents:read_history'],
      boundary: within('all', ['public']),
    });
    const answer = await versionsOf(person.token, id);
    expect(answer.data).toEqual({ document: { title: 'Merger', versions: null } });
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['documents:read_history'],
    });
  });

  test('the document must be inside documents:classify before and after', async () => {
    const person = await server.person({ scopes: [...reading, 'documents:write'] });
    const boundary = within('all', ['public', 'internal']);
    await server.giveRole(person.id, { scopes: ['documents:classify'], boundary });
    const open = await created({ title: 'Open', classification: 'INTERNAL' });
    const closed = await created({ title: 'Closed', classification: 'RESTRICTED' });
    expect(codes(await classify(person.token, { id: open, classification: 'RESTRICTED' }))).toEqual([
      'NOT_FOUND',
    ]);
    expect(codes(await classify(person.token, { id: closed, classification: 'PUBLIC' }))).toEqual([
      'NOT_FOUND',
    ]);
    expect(codes(await classify(person.token, { id: open, classification: 'PUBLIC' }))).toEqual([]);
    const now = await Promise.all([open, closed].map((id) => server.database.read.byId(documents, id)));
    expect(now.map((row) => row?.classification)).toEqual(['public', 'restricted']);
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documents } from '../../src/domains/knowledge/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { editing, importPage, startKnowledge } from '../support/knowledge.js';
import type { PersonFixture, TestServer } from '../support/server.js';

let server: TestServer;
let editor: PersonFixture;

beforeAll(async () => {
  server = await startKnowledge();
  editor = await server.person({ scopes: editing });
});
afterAll(() => server.stop());

describe('import', () => {
  const page = {
    path: 'import/é page with spaces.md',
    collection: 'imported',
    classification: 'internal' as const,
    title: 'Imported',
    body: 'The first text.',
  };

  test('is idempotent, keeps versions, and makes the collection', async () => {
    expect(await importPage(server, page)).toBe('created');
    expect(await importPage(server, page)).toBe('unchanged');
    expect(await importPage(server, { ...page, body: 'The second text.' })).toBe('updated');
    const [row] = await server.database.read.select(documents, eq('collection', 'imported'));
    expect(row).toMatchObject({ version: 2, body: 'The second text.', ownerName: null });
    const history = await server.query(
      editor.token,
      'query ($id: ID!) { document(id: $id) { versions { nodes { version changedBy } } } }',
      { id: row?.id },
    );
    const nodes = [2, 1].map((version) => ({ version, changedBy: 'import' }));
    expect(history.data).toEqual({ document: { versions: { nodes } } });
    const answer = await server.query(editor.token, '{ collection(key: "imported") { name } }');
    expect(answer.data).toEqual({ collection: { name: 'Imported' } });
  });

  test('never lowers a classification', async () => {
    const mine = { ...page, path: 'import/raised.md', title: 'Raised' };
    expect(await importPage(server, mine)).toBe('created');
    const [row] = await server.database.read.select(documents, eq('title', 'Raised'));
    const answer = await server.query(
      editor.token,
      `mutation ($id: ID!) {
        setDocumentClassification(id: $id, classification: RESTRICTED, expectedVersion: 1, idempotencyKey: "raise") {
          document { version }
        }
      }`,
      { id: row?.id },
    );
    expect(answer.data).toEqual({ setDocumentClassification: { document: { version: 2 } } });
    expect(await importPage(server, mine)).toBe('unchanged');
    expect(await importPage(server, { ...mine, body: 'Changed.' })).toBe('updated');
    expect(await server.database.read.byId(documents, row?.id ?? '')).toMatchObject({
      classification: 'restricted',
      version: 3,
    });
  });

  test('takes a text of 1 MiB, and no longer one', async () => {
    const body = 'A line about bookkeeping, once more.\n\n'.repeat(40_000).slice(0, 1_048_576).trimEnd();
    const long = { ...page, path: 'import/long.md', title: 'Long' };
    expect(await importPage(server, { ...long, body })).toBe('created');
    const answer = await server.query(editor.token, '{ search(query: "bookkeeping") { nodes { snippet } } }');
    expect((answer.data as { search: { nodes: unknown[] } }).search.nodes).toHaveLength(20);
    await expect(importPage(server, { ...long, body: 'é'.repeat(524_289) })).rejects.toThrow('1 MiB');
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { importCommand } from '../../src/cli/commands/import.js';
import { InputRefused } from '../../src/operator/input-faults.js';
import { collections, documents, documentVersions, passages } from '../../src/domains/knowledge/tables.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { Files } from '../support/files.js';
import { contents, everything, importFolder } from '../support/importing.js';
import { recordsOf } from '../support/records.js';
import { TestServer, type PersonFixture } from '../support/server.js';

const pages = {
  'Travel & Leave/leave.md':
    '---\ntitle: Leave\nclassification: public\n---\n\n## Sick leave\n\nTell your lead.\n',
  'Travel & Leave/deep/by train.md': '# Going by train\n\nSecond class. {% page "/leave/" %}\n',
  'welcome.md': 'Hello.\n',
  '.hidden/draft.md': '# A draft\n',
  'notes.txt': 'No document.\n',
};

let server: TestServer;
let person: PersonFixture;
let files: Files;

const run = (more: object = {}) =>
  importFolder(server, files.folder, { source: 'pages', as: person.name, ...more });
const titles = async () =>
  (await server.database.read.select(documents, all()))
    .map((row) => [row.collection, row.title, row.classification, row.version])
    .sort();

beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['documents:read', 'collections:read'] });
});
beforeEach(() => {
  files = new Files(pages);
  return () => {
    files.remove();
  };
});
afterAll(() => server.stop());

describe('import documents', () => {
  test('a dry run tells what would be done, and leaves nothing', async () => {
    const before = await everything(server);
    expect(await run({ as: undefined, dryRun: true })).toMatchObject({ created: 3, operationId: null });
    expect(await everything(server)).toEqual(before);
  });

  test('every page arrives in the collection of its folder, and can be found', async () => {
    const report = await run();
    expect(report).toMatchObject({ documents: 3, created: 3, updated: 0, unchanged: 0, vanished: [] });
    expect(await titles()).toEqual([
      ['general', 'Welcome', 'internal', 1],
      ['travel-leave', 'Going by train', 'internal', 1],
      ['travel-leave', 'Leave', 'public', 1],
    ]);
    expect(await server.database.read.count(collections)).toBe(2);
    const found = await server.query(
      person.token,
      '{ search(query: "sick") { nodes { citation { title } } } }',
    );
    expect(found.data).toEqual({ search: { nodes: [{ citation: { title: 'Leave' } }] } });
  });

  test('the record names person, operator, source and documents', async () => {
    const [record] = await recordsOf(server.database, 'command');
    expect(record).toMatchObject({
      outcome: 'succeeded',
      chain: { person: { name: person.name }, agents: [] },
      operation: { name: 'import documents' },
      resources: [{ type: 'Document', action: 'create', count: 3 }],
      detail: { operator: expect.any(String), source: 'pages', counts: { created: 3, vanished: 0 } },
    });
  });

  test('again, nothing changes', async () => {
    const before = await contents(server);
    expect(await run()).toMatchObject({ created: 0, updated: 0, unchanged: 3 });
    expect(await contents(server)).toEqual(before);
  });

  test('a changed page gets a version, and one that is gone is reported and stays', async () => {
    files.write('welcome.md', 'Hello again.\n');
    files.remove('Travel & Leave/leave.md');
    files.remove('Travel & Leave/deep/by train.md');
    expect(await run()).toMatchObject({
      documents: 1,
      updated: 1,
      vanished: [
        { path: null, title: 'Going by train' },
        { path: null, title: 'Leave' },
      ],
    });
    const row = await server.database.read.one(documents, eq('title', 'Welcome'));
    expect(row).toMatchObject({ version: 2, body: 'Hello again.' });
    const versions = await server.database.read.select(documentVersions, eq('documentId', row?.id));
    expect(versions.map(({ version, changedBy }) => [version, changedBy]).sort()).toEqual([
      [1, person.name],
      [2, person.name],
    ]);
    expect(await server.database.read.select(passages, eq('documentId', row?.id))).toMatchObject([
      { version: 2 },
    ]);
    expect(await server.database.read.count(documents)).toBe(3);
  });

  test('every fault is told with file and line, and nothing is changed', async () => {
    files.write('welcome.md', 'Hello once more.\n');
    files.write('a/level.md', '---\ntitle: A\nclassification: hidden\n---\nText\n');
    files.write('a/yaml.md', '---\ntitle: [A\n---\nText\n');
    files.write('a/empty.md', '');
    files.write('a/long.md', 'long '.repeat(300_000));
    files.write('???/none.md', 'Text');
    const before = await everything(server);
    const error: unknown = await run().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputRefused);
    expect((error as InputRefused).message.split('\n')).toEqual([
      'Nothing was imported: 4 faults.',
      '???/none.md:1: No collection can be named after "???".',
      'a/level.md:3: classification: "hidden" is no classification; it is one of the words public, internal, confidential, restricted.',
      'a/long.md:1: The file is larger than 1 MiB.',
      expect.stringMatching(/^a\/yaml\.md:\d: front matter: /),
    ]);
    expect(await everything(server)).toEqual(before);
  });
});

describe('the command', () => {
  let out: string;
  beforeEach(() => {
    out = '';
    vi.stubEnv('DATABASE_URL', server.databaseUrl);
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    return () => {
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
    };
  });
  const command = (...words: string[]) => importCommand().parseAsync(words, { from: 'user' });

  test('answers people in lines', async () => {
    await command(
      'documents',
      files.folder,
      '--source',
      'words',
      '--collection',
      'Open House',
      '--as',
      person.name,
    );
    expect(out).toMatch(/^3 documents of words:\n {2}created +3\n(.*\n){3}Audit record: [0-9A-Z]{26}\n$/);
    expect(await titles()).toContainEqual(['open-house', 'Welcome', 'internal', 1]);
  });

  test('answers programs in JSON, refusals included', async () => {
    await command(
      'documents',
      files.folder,
      '--dry-run',
      '--json',
      '--source',
      'more',
      '--classification',
      'public',
    );
    expect(JSON.parse(out)).toEqual({
      command: 'import documents',
      dryRun: true,
      ...{
        source: 'more',
        documents: 3,
        created: 3,
        updated: 0,
        unchanged: 0,
        vanished: [],
        skipped: [],
        warnings: [],
      },
      operationId: null,
    });
    out = '';
    files.write('mapping.yaml', 'source: a\nentities: { customer: { file: a, key: b, fields: {} } }\n');
    const words = ['business', files.folder, '--mapping', files.path('mapping.yaml'), '--dry-run', '--json'];
    await expect(command(...words)).rejects.toBeInstanceOf(InputRefused);
    expect(JSON.parse(out)).toMatchObject({
      error: {
        code: 'BAD_USER_INPUT',
        faults: [{ file: 'mapping.yaml', line: 2, column: 'entities.customer' }],
      },
    });
  });

  test.each([
    [['documents', 'DIR', '--classification', 'secret', '--dry-run'], 'is no classification'],
    [['documents', 'DIR/none', '--dry-run'], 'cannot be read as a folder'],
    [['documents', 'DIR'], 'Name the person who answers for this'],
    [['business', 'DIR', '--mapping', 'DIR/none.yaml', '--dry-run'], 'cannot be read: ENOENT'],
  ])('%j is refused: %s', async (words, reason) => {
    await expect(command(...words.map((word) => word.replace('DIR', files.folder)))).rejects.toThrow(reason);
  });
});

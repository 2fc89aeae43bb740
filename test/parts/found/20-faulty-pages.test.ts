// databases: sqlite, mariadb
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { importCommand } from '../../../src/cli/commands/import.js';
import { InputRefused } from '../../../src/operator/input-faults.js';
import { Files } from '../../support/files.js';
import { contents, everything, importFolder } from '../../support/importing.js';
import { recordsOf } from '../../support/records.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

const pages = {
  'a/good.md': '---\ntitle: Good\nclassification: public\n---\n\nA zebra.\n',
  'a/empty.md': '',
  'a/blank.md': '\ufeff \n\n',
  'b/bell.md': '# Bell\n\nOne.\nTwo \u0007.\n',
  'b/level.md': '---\n# who\nclassification: [restricted]\n---\nText.\n',
  'b/sub dir/ü.md': '# Over\n\nA zebra too.\n',
};
let server: TestServer;
let person: PersonFixture;
let files: Files;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['collections:read', 'documents:read'] });
});
beforeEach(() => {
  files = new Files(pages);
});
afterEach(() => {
  files.remove();
});
afterAll(() => server.stop());

const run = (more: object = {}) =>
  importFolder(server, files.folder, { source: 'pages', as: person.name, ...more });

describe('20 an import takes what is good, tells what is not, and keeps where documents came from', () => {
  test('without the option, faults refuse all of it, each with its line, and empty pages do not', async () => {
    const before = await everything(server);
    const error: unknown = await run().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputRefused);
    expect((error as InputRefused).faults.map(({ file, line }) => [file, line])).toEqual([
      ['b/bell.md', 4],
      ['b/level.md', 3],
    ]);
    expect(await everything(server)).toEqual(before);
  });

  test('a dry run with it tells the same and changes nothing', async () => {
    const before = await everything(server);
    expect(await run({ as: undefined, dryRun: true, skipFaulty: true })).toMatchObject({
      documents: 2,
      created: 2,
      operationId: null,
      skipped: [
        { file: 'b/bell.md', line: 4 },
        { file: 'b/level.md', line: 3 },
      ],
    });
    expect(await everything(server)).toEqual(before);
  });

  test('with it the rest is taken, and what was left is listed and recorded', async () => {
    const report = await run({ skipFaulty: true, baseUrl: 'https://handbook.example.com/pages' });
    expect(report).toMatchObject({ documents: 2, created: 2, vanished: [] });
    expect(report.skipped).toMatchObject([
      { file: 'b/bell.md', line: 4, reason: expect.stringContaining('U+0007') },
      { file: 'b/level.md', line: 3, reason: expect.stringContaining('classification') },
    ]);
    expect(report.warnings).toEqual([
      { file: 'a/blank.md', line: 1, reason: 'The page is empty and was left out.' },
      { file: 'a/empty.md', line: 1, reason: 'The page is empty and was left out.' },
    ]);
    expect((await recordsOf(server.database, 'command')).at(-1)).toMatchObject({
      outcome: 'succeeded',
      resources: [{ type: 'Document', action: 'create', count: 2 }],
      detail: { leftOut: { skipped: 2, warnings: 2 } },
    });
  });

  test('a citation names the path and the address, and so does the document', async () => {
    const answer = await server.query(
      person.token,
      `{ search(query: "zebra") { nodes { citation { title sourcePath sourceUrl } document { sourcePath sourceUrl } } } }`,
    );
    const { nodes } = (answer.data as { search: { nodes: { citation: object; document: object }[] } }).search;
    const from = (sourcePath: string, sourceUrl: string) => ({ sourcePath, sourceUrl });
    const good = from('a/good.md', 'https://handbook.example.com/pages/a/good.md');
    const over = from('b/sub dir/ü.md', 'https://handbook.example.com/pages/b/sub%20dir/%C3%BC.md');
    expect(nodes).toHaveLength(2);
    expect(nodes).toContainEqual({ citation: { title: 'Good', ...good }, document: good });
    expect(nodes).toContainEqual({ citation: { title: 'Over', ...over }, document: over });
  });

  test('a new address changes no version, and a page that became faulty stays as it was', async () => {
    files.write('a/good.md', '---\ntitle: Good\nclassification: none\n---\n');
    const report = await run({ skipFaulty: true, baseUrl: 'https://example.com/{page}/' });
    expect(report).toMatchObject({ documents: 1, updated: 1, vanished: [] });
    const answer = await server.query(
      person.token,
      '{ documents(orderBy: { title: ASC }) { nodes { title version sourceUrl } } }',
    );
    expect(answer.data).toEqual({
      documents: {
        nodes: [
          { title: 'Good', version: 1, sourceUrl: 'https://handbook.example.com/pages/a/good.md' },
          { title: 'Over', version: 1, sourceUrl: 'https://example.com/b/sub%20dir/%C3%BC/' },
        ],
      },
    });
    const before = await contents(server);
    expect(await run({ skipFaulty: true, baseUrl: 'https://example.com/{page}/' })).toMatchObject({
      unchanged: 1,
    });
    expect(await contents(server)).toEqual(before);
  });

  test('where nothing is left to take, nothing is imported', async () => {
    files.remove('a');
    files.remove('b/sub dir');
    const before = await everything(server);
    await expect(run({ skipFaulty: true })).rejects.toBeInstanceOf(InputRefused);
    files.remove('b');
    files.write('c/empty.md', '\n');
    await expect(run({ skipFaulty: true })).rejects.toThrow('c/empty.md:1: The page is empty');
    expect(await everything(server)).toEqual(before);
  });

  test('the command tells what was left beside its answer', async () => {
    vi.stubEnv('DATABASE_URL', server.databaseUrl);
    let [out, err] = ['', ''];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
    const words = [
      'documents',
      files.folder,
      '--source',
      'told',
      '--skip-faulty',
      '--as',
      person.name,
      '--json',
    ];
    await importCommand().parseAsync(words, { from: 'user' });
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    expect(JSON.parse(out)).toMatchObject({
      created: 2,
      skipped: [{ line: 4 }, { line: 3 }],
      warnings: [{}, {}],
    });
    expect(err).toMatch(
      /Left out: b\/bell\.md:4: .*\nLeft out: b\/level\.md:3: .*\nWarning: a\/blank\.md:1: /,
    );
  });

  const handbook = join(
    process.env.BEHALF_TEST_DATA ?? join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'data'),
    'handbook',
  );
  test.skipIf(!existsSync(handbook))(
    'a handbook of real pages has no fault (in the folder that BEHALF_TEST_DATA names)',
    async () => {
      expect(await importFolder(server, handbook, { dryRun: true })).toMatchObject({
        documents: 247,
        skipped: [],
      });
    },
  );
});

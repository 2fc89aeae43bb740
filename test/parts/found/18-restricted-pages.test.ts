// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Files } from '../../support/files.js';
import { everything, importFolder } from '../../support/importing.js';
import { TestServer, everywhere, type PersonFixture } from '../../support/server.js';

const hidden = {
  'hr/comment.md': '---\n# top\nclassification: restricted\n---\nA walrus.\n',
  'hr/quoted.md': '---\n"classification": "restricted"\n---\nA walrus.\n',
  'hr/blank.md': '\r\n---\r\n\r\nClassification: restricted\r\n---\r\nA walrus.\r\n',
  'hr/foreign.md': '---\ngröße: 1\nclassification: restricted\n---\nA walrus.\n',
};
let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({
    scopes: ['documents:read'],
    boundary: { ...everywhere, classification: ['public'] },
  });
});
afterAll(() => server.stop());

describe('18 what its author restricted is never public', () => {
  test('pages in any spelling are out of reach, and found by who may see them', async () => {
    const files = new Files(hidden);
    await importFolder(server, files.folder, { source: 'hidden', as: person.name, classification: 'public' });
    const query = '{ documents { totalCount } search(query: "walrus") { nodes { snippet } } }';
    expect((await server.query(person.token, query)).data).toEqual({
      documents: { totalCount: 0 },
      search: { nodes: [] },
    });
    const board = await server.person({ scopes: ['documents:read'] });
    expect((await server.query(board.token, query)).data).toMatchObject({ documents: { totalCount: 4 } });
    files.remove();
  });

  test.each([
    ['TOML', '+++\nclassification = "restricted"\n+++\nText.\n'],
    ['JSON', '{ "classification": "restricted" }\nText.\n'],
    ['no closing fence', '---\nclassification: restricted\nText.\n'],
    ['a list', '---\nclassification:\n  - restricted\n---\nText.\n'],
  ])('%s is refused with file and line, and nothing is imported', async (_, text) => {
    const files = new Files({ 'hr/page.md': text, 'hr/other.md': '# Other\n' });
    const before = await everything(server);
    const run = importFolder(server, files.folder, { as: person.name, classification: 'public' });
    await expect(run).rejects.toThrow(/^Nothing was imported: 1 fault\.\nhr\/page\.md:[13]: /);
    expect(await everything(server)).toEqual(before);
    files.remove();
  });
});

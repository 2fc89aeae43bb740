// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, describe, test } from 'vitest';
import { Files } from '../../support/files.js';
import { importFolder } from '../../support/importing.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let person: PersonFixture;
const files = new Files({ 'a/one.md': 'One.\n', 'a/other-page.markdown': 'Two.\n', 'a/c.MARKDOWN': '# C\n' });
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['collections:read', 'documents:read'] });
});
afterAll(async () => {
  files.remove();
  await server.stop();
});

describe('20 no Markdown file is left out without a word', () => {
  test('.markdown is as good as .md', async () => {
    const baseUrl = 'https://pages.example.com/{page}/';
    expect(await importFolder(server, files.folder, { source: 'p', as: person.name, baseUrl })).toMatchObject(
      { documents: 3, created: 3, skipped: [] },
    );
    const { data } = await server.query(person.token, '{ documents { nodes { title sourceUrl } } }');
    expect(data.documents.nodes).toEqual(
      expect.arrayContaining([
        { title: 'Other page', sourceUrl: 'https://pages.example.com/a/other-page/' },
        { title: 'C', sourceUrl: 'https://pages.example.com/a/c/' },
      ]),
    );
  });
});

// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputRefused } from '../../../src/operator/input-faults.js';
import { Files } from '../../support/files.js';
import { everything, importFolder } from '../../support/importing.js';
import { TestServer, everywhere, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['collections:read', 'documents:read'] });
});
afterAll(() => server.stop());

describe('19 folders of any script are collections, and no two are one', () => {
  test('their documents are found, and a boundary names them', async () => {
    const files = new Files({ '人事/a.md': '# One\n\nAbacus.\n', 'Йога/b.md': '# Two\n\nAbacus.\n' });
    await importFolder(server, files.folder, { source: 'scripts', as: person.name });
    const ask = async (token: string) =>
      (
        await server.query(
          token,
          `{ collections { nodes { key name } } collection(key: "人事") { name }
             search(query: "abacus", collection: "人事") { nodes { citation { title } } } }`,
        )
      ).data as unknown;
    const found = { nodes: [{ citation: { title: 'One' } }] };
    expect(await ask(person.token)).toEqual({
      collections: {
        nodes: [
          { key: 'йога', name: 'Йога' },
          { key: '人事', name: '人事' },
        ],
      },
      collection: { name: '人事' },
      search: found,
    });
    const boundary = { ...everywhere, collection: ['人事'] };
    const inside = await server.person({ scopes: ['collections:read', 'documents:read'], boundary });
    expect(await ask(inside.token)).toMatchObject({
      collections: { nodes: [{ key: '人事' }] },
      search: found,
    });
    const outside = await server.person({
      scopes: ['collections:read', 'documents:read'],
      boundary: { ...everywhere, collection: ['йога'] },
    });
    expect(await ask(outside.token)).toMatchObject({ collection: null, search: { nodes: [] } });
    files.remove();
  });

  test('two that come to one key are refused with both names, in one import and in two, and nothing is changed', async () => {
    const files = new Files({ 'C++/a.md': '# A\n', 'C#/b.md': '# B\n', 'Java/c.md': '# C\n' });
    const run = () => importFolder(server, files.folder, { source: 'languages', as: person.name });
    const before = await everything(server);
    const refusal = async () => {
      const error: unknown = await run().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InputRefused);
      return (error as InputRefused).faults;
    };
    expect((await refusal()).map(({ file, line }) => [file, line])).toEqual([
      ['C#/b.md', 1],
      ['C++/a.md', 1],
    ]);
    for (const { reason } of await refusal()) expect(reason).toMatch(/"C#".*"C\+\+"|"C\+\+".*"C#"/);
    expect(await everything(server)).toEqual(before);
    files.remove('C#');
    expect(await run()).toMatchObject({ created: 2 });
    expect(await run()).toMatchObject({ unchanged: 2 });
    files.remove('C++');
    files.write('C#/b.md', '# B\n');
    const after = await everything(server);
    expect((await refusal())[0]?.reason).toMatch(/"C#" and "C\+\+"/);
    expect(await everything(server)).toEqual(after);
    files.remove();
  });
});

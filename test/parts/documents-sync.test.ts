// databases: sqlite, mariadb
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { documentsCommand } from '../../src/cli/commands/documents.js';
import { syncDocuments, type SyncOptions, type SyncReport } from '../../src/cli/documents-sync.js';
import { sha256Hex } from '../../src/core/digest.js';
import { all } from '../../src/store/sql/condition.js';
import { trustedDocuments, type TrustedDocumentRow } from '../../src/store/tables/documents.js';
import { codes } from '../support/administration.js';
import { Files } from '../support/files.js';
import { recordsOf } from '../support/records.js';
import { TestServer, type PersonFixture } from '../support/server.js';

const pages = {
  'products.graphql': 'query Products { products { totalCount } }\n',
  'tickets/open.graphql':
    'query OpenTickets { tickets { ...Page } } fragment Page on TicketConnection { totalCount }',
  '.drafts/draft.graphql': 'no document',
  'readme.txt': 'no document',
};

let server: TestServer;
let keeper: PersonFixture;
let files: Files;

beforeAll(async () => {
  server = await TestServer.start();
  keeper = await server.person({ scopes: ['operations:register', 'products:read', 'tickets:read'] });
});
beforeEach(() => {
  files = new Files(pages);
});
afterEach(() => {
  files.remove();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
afterAll(() => server.stop());

const sync = (more: Partial<SyncOptions> = {}): Promise<SyncReport> => {
  const { database, clock, ids } = server;
  const options = { folder: files.folder, as: keeper.name, prune: false, dryRun: false, ...more };
  return syncDocuments({ database, clock, ids, progress: () => undefined }, options);
};
const rows = (): Promise<TrustedDocumentRow[]> => server.database.read.select(trustedDocuments, all());
const standing = async (): Promise<string[]> =>
  (await rows()).flatMap((row) => (row.retiredAt === null ? [row.name] : [])).sort();
const records = async () => (await recordsOf(server.database, 'command')).length;

/** The command as it is typed; what it writes, and why it ends. */
async function typed(...words: string[]): Promise<{ out: string; error: unknown }> {
  vi.stubEnv('DATABASE_URL', server.databaseUrl);
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const error = await documentsCommand()
    .parseAsync(words, { from: 'user' })
    .then(
      () => undefined,
      (cause: unknown) => cause,
    );
  vi.restoreAllMocks();
  return { out, error };
}

test('a dry run tells what would be done, and leaves nothing', async () => {
  const before = await records();
  expect(await sync({ as: undefined, dryRun: true })).toMatchObject({ created: 2, operationId: null });
  expect(await rows()).toEqual([]);
  expect(await records()).toBe(before);
});

test('every file becomes a document that runs by the name of its operation and the hash of its bytes', async () => {
  const report = await sync();
  expect(report).toMatchObject({ documents: 2, created: 2, replaced: 0, unchanged: 0, retired: [] });
  expect(await standing()).toEqual(['OpenTickets', 'Products']);
  const hash = sha256Hex(pages['products.graphql']);
  for (const documentId of ['Products', `sha256:${hash}`]) {
    const answer = await server.post(keeper.token, JSON.stringify({ documentId }));
    expect(answer.data).toEqual({ products: { totalCount: 0 } });
  }
  const record = (await recordsOf(server.database, 'command')).find(
    (one) => one.operationId === report.operationId,
  );
  expect(record).toMatchObject({
    ...{ outcome: 'succeeded', operation: { name: 'documents sync' } },
    chain: { person: { name: keeper.name } },
    detail: { counts: { created: 2, replaced: 0, unchanged: 0, retired: 0 } },
  });
  expect(record?.changes).toHaveLength(2);
});

test('again it changes what has changed alone, and keeps what has no file unless it prunes', async () => {
  files.write('products.graphql', 'query Products { products { totalCount } } # more\n');
  files.remove('tickets/open.graphql');
  expect(await sync()).toMatchObject({ created: 0, replaced: 1, unchanged: 0, withoutFile: ['OpenTickets'] });
  expect(await standing()).toEqual(['OpenTickets', 'Products']);
  expect(await sync({ prune: true })).toMatchObject({
    unchanged: 1,
    retired: ['OpenTickets'],
    withoutFile: [],
  });
  expect(await standing()).toEqual(['Products']);
  const gone = await server.post(keeper.token, JSON.stringify({ documentId: 'OpenTickets' }));
  expect(codes(gone)).toEqual(['NOT_FOUND']);
});

test('every fault of every file is told with its place, and nothing is registered', async () => {
  files.write('a.graphql', 'query A {\n  products { nme }\n}');
  files.write('b.graphql', 'query B {');
  files.write('c.graphql', 'query C { viewer { scopes } } query D { viewer { scopes } }');
  files.write('d.graphql', '{ viewer { scopes } }');
  files.write('e.graphql', pages['products.graphql']);
  const [before, told] = [await rows(), await records()];
  const { out, error } = await typed('sync', files.folder, '--as', keeper.name, '--json');
  expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
  const message = error instanceof Error ? error.message : '';
  expect(message).toContain('Nothing was registered: 5 faults.');
  expect(message).toMatch(/a\.graphql:2: column 14: Cannot query field "nme"/);
  for (const file of ['b.graphql:1', 'c.graphql: ', 'd.graphql: Give', 'products.graphql: e.graphql has'])
    expect(message).toContain(file);
  const faults = (JSON.parse(out) as { error: { faults: { file: string; line?: number }[] } }).error.faults;
  expect(faults.map(({ file }) => file)).toEqual(
    ['a', 'b', 'c', 'd', 'products'].map((name) => `${name}.graphql`),
  );
  expect(faults[0]).toMatchObject({ line: 2 });
  expect(await rows()).toEqual(before);
  // Nobody has begun anything yet that a record could tell of.
  expect(await records()).toBe(told);
});

test('nobody without the scope registers anything, and the refusal is recorded', async () => {
  const other = await server.person({ scopes: ['operations:read'] });
  const before = await rows();
  files.write('new.graphql', 'query New { products { totalCount } }');
  await expect(sync({ as: other.name })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(sync({ as: undefined })).rejects.toThrow('--as USER');
  await expect(sync({ as: 'nobody' })).rejects.toThrow('There is no user nobody.');
  expect(await rows()).toEqual(before);
  const last = (await recordsOf(server.database, 'command')).at(-1);
  expect(last).toMatchObject({ outcome: 'refused', chain: { person: { name: other.name } } });
});

test('a folder that is none, or has nothing, is told', async () => {
  await expect(sync({ folder: files.path('none') })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  files.remove('products.graphql');
  files.remove('tickets');
  await expect(sync()).rejects.toThrow('There is no *.graphql file');
});

test('list and report tell it in words and as JSON', async () => {
  const listed = JSON.parse((await typed('list', '--json')).out) as { name: string; hash: string }[];
  expect(listed.map(({ name }) => name)).toEqual(await standing());
  expect((await typed('list')).out).toMatch(
    /^name +kind +registered +hash\nProducts +query .*sha256:[0-9a-f]{64}\n$/,
  );

  const watched = await server.agent(keeper, { scopes: ['products:read'], documents: 'logged' });
  await server.query(watched.token, 'query Seen { products { totalCount } }');
  const { out } = await typed('report', '--json', '--since', '1h');
  expect(JSON.parse(out)).toMatchObject([{ operationName: 'Seen', ran: 1, refused: 0, registeredAs: null }]);
  expect((await typed('report')).out).toMatch(/Seen +1 +0 .*no +sha256:/);
});

test('the examples can be registered as they are', async () => {
  const report = await sync({ folder: 'examples/operations', dryRun: true });
  expect(report).toMatchObject({ documents: 2, created: 2 });
});

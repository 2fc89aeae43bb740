// databases: sqlite
import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Database } from '../../src/store/sql/database.js';
import { CommandLine } from '../support/command-line.js';
import { targetOf } from '../support/database.js';
import { recordsOf } from '../support/records.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const identifier = 'https://mcp.example.com/mcp';
let cli: CommandLine;
beforeAll(async () => {
  cli = await CommandLine.open();
  await cli.ok(['migrate']);
  await cli.ok(['user', 'create', 'admin', '--admin', '--password-file', 'admin.txt']);
});
afterAll(() => cli.close());

const as = ['--as', 'admin'];
const adding = (...more: string[]): string[] => [
  ...['resource', 'add', 'company-mcp', '--identifier', identifier, ...more, ...as],
];
const list = () => cli.json<Record<string, unknown>[]>(['resource', 'list']);

test('a resource is added, listed and removed, each change with a record', async () => {
  const told = await cli.ok(adding('--scope', 'tickets:read', 'customers:read', '--secret-file', 'mcp.txt'));
  const secret = readFileSync(cli.path('mcp.txt'), 'utf8').trim();
  expect(secret).toMatch(/^bhs_/);
  expect(statSync(cli.path('mcp.txt')).mode & 0o777).toBe(0o600);
  expect(told).not.toContain(secret);
  const [one] = await list();
  expect(one).toMatchObject({
    ...{ name: 'company-mcp', identifier, scopes: ['tickets:read', 'customers:read'] },
    authMethod: 'client_secret_basic',
  });
  expect(told).toContain(one?.clientId);
  await cli.ok(['resource', 'remove', 'company-mcp', ...as]);
  expect(await list()).toEqual([]);
  const database = await Database.open(targetOf(`sqlite:${cli.path('data/behalf.sqlite')}`), migrations, 1);
  const records = (await recordsOf(database, 'command')).filter(({ operation }) =>
    operation?.name?.startsWith('resource'),
  );
  await database.close();
  expect(records.map(({ operation, outcome }) => [operation?.name, outcome])).toEqual([
    ['resource add', 'succeeded'],
    ['resource remove', 'succeeded'],
  ]);
  expect(JSON.stringify(records)).not.toContain(secret);
});

test('an unknown scope and an unknown name are refused, and change nothing', async () => {
  const refused = await cli.run(adding('--scope', 'world:rule'));
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no scope `world:rule`')]);
  const gone = await cli.run(['resource', 'remove', 'company-mcp', ...as]);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('behalf resource list')]);
  expect(await list()).toEqual([]);
});

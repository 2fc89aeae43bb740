// databases: sqlite
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CommandLine } from '../support/command-line.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const as = ['--as', 'admin'];
const agent = ['--task', 'Answer tickets', '--owner', 'admin', '--role', 'support-agent'];
let cli: CommandLine;

beforeAll(async () => {
  cli = await CommandLine.open();
  await cli.ok(['migrate']);
  await cli.ok(['user', 'create', 'admin', '--admin', '--password-file', 'admin.txt']);
});
afterAll(() => cli.close());

const list = (...more: string[]) => cli.json<Record<string, unknown>[]>(['client', 'list', ...more]);

test('clients are created, shown, stopped and started', async () => {
  const uri = ['--redirect-uri', 'http://127.0.0.1/callback'];
  await cli.ok([
    'client',
    'create',
    'desk',
    ...uri,
    '--agent',
    'desk',
    ...agent,
    '--scope',
    'tickets:read',
    ...as,
  ]);
  const own = ['--redirect-uri', 'com.example.reports:/callback'];
  await cli.ok(['client', 'create', 'reports', ...own, '--own-tool', '--scope', 'analytics:sales', ...as]);
  expect(await list()).toMatchObject([
    { clientId: 'reports', agent: null, ownTool: true, scopes: ['analytics:sales'], status: 'active' },
    { clientId: 'desk', agent: 'desk', ownTool: false, scopes: ['tickets:read'], status: 'active' },
  ]);
  expect(await cli.ok(['client', 'show', 'reports'])).toContain(
    'redirect URI: com.example.reports:/callback',
  );
  expect(await cli.ok(['client', 'show', 'desk'])).toContain('redirect URI: http://127.0.0.1/callback');
  await cli.ok(['client', 'stop', 'desk', ...as]);
  expect(await list('--status', 'stopped')).toMatchObject([{ clientId: 'desk' }]);
  await cli.ok(['client', 'start', 'desk', ...as]);
  expect(await list('--status', 'stopped')).toEqual([]);
});

test('rules for hosts are added, listed and removed', async () => {
  const scope = ['--scope', 'tickets:read', '--owner', 'admin'];
  await cli.ok(['client', 'add-rule', 'app.example', '--role', 'support-agent', ...scope, ...as]);
  expect(await cli.json(['client', 'list-rules'])).toEqual([
    { host: 'app.example', role: 'support-agent', scopes: ['tickets:read'], owner: 'admin' },
  ]);
  await cli.ok(['client', 'remove-rule', 'app.example', ...as]);
  expect(await cli.json(['client', 'list-rules'])).toEqual([]);
});

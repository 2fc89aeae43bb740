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
  expect(await cli.json(['client', 'show', 'desk'])).toMatchObject({ agent: 'desk', requests: [] });
  await cli.ok(['client', 'stop', 'desk', ...as]);
  expect(await list('--status', 'stopped')).toMatchObject([{ clientId: 'desk' }]);
  await cli.ok(['client', 'start', 'desk', ...as]);
  expect(await list('--status', 'stopped')).toEqual([]);
});

test('clients are changed, after a dry run and with agreement where their tokens end', async () => {
  const uri = ['--redirect-uri', 'http://127.0.0.1/callback'];
  const ceiling = ['--scope', 'tickets:read', 'customers:read'];
  await cli.ok(['client', 'create', 'phone', ...uri, '--own-tool', ...ceiling, ...as]);
  const update = (version: number, ...more: string[]): string[] => [
    ...['client', 'update', 'phone', '--expected-version', String(version), ...more, ...as],
  ];
  const shown = (): Promise<Record<string, unknown>> => cli.json(['client', 'show', 'phone']);
  const first = await shown();
  const narrower = update(1, '--scope', 'tickets:read', '--name', 'Phone');
  const changes = {
    name: { from: 'phone', to: 'Phone' },
    scopes: { from: ['tickets:read', 'customers:read'], to: ['tickets:read'] },
  };
  expect(await cli.json([...narrower, '--dry-run'])).toEqual({
    ...{ clientId: 'phone', dryRun: true, changes, tokensEnd: true },
  });
  for (const [args, told] of [
    [narrower, 'Say --yes if its tokens may end.'],
    [update(7, '--name', 'Phone'), 'has changed'],
    [update(1), 'Say what to change'],
    [update(1, '--scope', 'world:rule'), 'no scope `world:rule`'],
    [update(1, '--notification-endpoint', 'https://app.example/'), 'give it keys'],
    [['client', 'update', 'phone', '--expected-version', '1', '--name', 'x'], '--as USER'],
    [['client', 'update', 'nobody', '--expected-version', '1', '--name', 'x', ...as], 'no client nobody'],
  ] as const)
    expect(await cli.run(args)).toMatchObject({
      ...{ code: 1, stdout: '', stderr: expect.stringContaining(told) as string },
    });
  expect(await shown()).toEqual(first);
  expect(await cli.json([...narrower, '--yes'])).toEqual({
    ...{ clientId: 'phone', command: 'client update', changes, tokensEnd: true, version: 2 },
  });
  expect(await shown()).toMatchObject({ name: 'Phone', scopes: ['tickets:read'], version: 2 });
  // An update that ends no token needs no agreement.
  expect(await cli.ok(update(2, '--no-scope', ...uri, 'https://phone.example/'))).toContain(
    'scopes: tickets:read → none of its own',
  );
  expect(await shown()).toMatchObject({
    ...{ scopes: null, redirectUris: ['http://127.0.0.1/callback', 'https://phone.example/'] },
  });
});

test('clients and agents are authenticated by certificates, and their tokens are bound', async () => {
  const uri = ['--redirect-uri', 'http://127.0.0.1/callback'];
  const bound = ['--token-binding', 'certificate', '--certificate-name', 'san_dns=kiosk.example'];
  await cli.ok([
    'client',
    'create',
    'kiosk',
    ...uri,
    '--own-tool',
    '--scope',
    'analytics:sales',
    ...bound,
    ...as,
  ]);
  expect(await cli.ok(['client', 'show', 'kiosk'])).toContain(
    'the name in its certificates: san_dns=kiosk.example',
  );
  expect((await list()).find(({ clientId }) => clientId === 'kiosk')).toMatchObject({
    ...{ authMethod: 'tls_client_auth', tokenBinding: 'certificate' },
    certificateName: { kind: 'san_dns', value: 'kiosk.example' },
  });
  await cli.ok([
    'agent',
    'create',
    'bot',
    ...agent,
    '--token-binding',
    'dpop',
    '--secret-file',
    'bot.txt',
    ...as,
  ]);
  const name = ['--certificate-name', 'san_uri=spiffe://acme.example/bot'];
  const bind = ['agent', 'bind-certificate', 'bot', ...name, ...as];
  expect(await cli.json([...bind, '--dry-run'])).toEqual({ name: 'bot', dryRun: true, ended: [] });
  expect(await cli.json(bind)).toEqual({ name: 'bot', authMethod: 'tls_client_auth', ended: [] });
  expect(await cli.json(['agent', 'secrets'])).toEqual([]);
  for (const options of [[], ['--certificate-name', 'san_dns=*.example'], ['--certificate-name', 'cn']])
    expect((await cli.run(['agent', 'bind-certificate', 'bot', ...options, ...as])).code).not.toBe(0);
});

test('a client with a scope or a resource that there is not is refused, and one with this server’s is made', async () => {
  const create = (clientId: string, ...more: string[]) =>
    cli.run([
      'client',
      'create',
      clientId,
      '--redirect-uri',
      'https://x.example/',
      '--own-tool',
      ...more,
      ...as,
    ]);
  const known = await list();
  for (const [more, told] of [
    [['--scope', 'world:rule'], 'no scope `world:rule`'],
    [['--scope', 'tickets:read', '--resource', 'https://no.example/'], 'no resource `https://no.example/`'],
  ] as const)
    expect(await create('bad', ...more)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(told) as string,
    });
  expect(await list()).toEqual(known);
  const resource = `${cli.url}/graphql`;
  const made = await create('good', '--scope', 'tickets:read', '--resource', resource);
  expect([made.code, made.stderr]).toEqual([0, '']);
  expect(await cli.ok(['client', 'show', 'good'])).toContain(`resources: ${resource}`);
  expect(await cli.ok(['client', 'show', 'desk'])).toContain('resources: those of this server');
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

// databases: sqlite
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Database } from '../../src/store/sql/database.js';
import { CommandLine } from '../support/command-line.js';
import { targetOf } from '../support/database.js';
import { recordsOf } from '../support/records.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const issuer = 'https://sts.example.com';
let cli: CommandLine;
beforeAll(async () => {
  cli = await CommandLine.open();
  await cli.ok(['migrate']);
  await cli.ok(['user', 'create', 'admin', '--admin', '--password-file', 'admin.txt']);
  const provider = ['provider', 'add', 'company', '--issuer', 'https://login.example.com'];
  await cli.ok([...provider, '--client-id', 'behalf', '--as', 'admin'], 'the client secret\n');
  await cli.ok(['provider', 'link', 'company', 'admin', '00u1', '--as', 'admin']);
  const agent = ['agent', 'create', 'helper', '--role', 'support-agent', '--task', 'Answer tickets'];
  await cli.ok([...agent, '--owner', 'admin', '--as', 'admin', '--secret-file', 'secret.txt']);
});
afterAll(() => cli.close());

const as = ['--as', 'admin'];
const adding = (...more: string[]): string[] => [
  ...['issuer', 'add', 'company', '--issuer', issuer, '--provider', 'company', ...more, ...as],
];
const list = () => cli.json<Record<string, unknown>[]>(['issuer', 'list']);

test('an issuer is added, mapped, listed, unmapped and removed, each with a record', async () => {
  await cli.ok(adding('--dialect', 'act', '--actors', '2', '--max-age', '5m', '--audience', 'api://behalf'));
  await cli.ok(['issuer', 'map', 'company', '0oa1', 'helper', ...as]);
  expect(await list()).toEqual([
    {
      ...{ name: 'company', issuer, provider: 'company', dialect: 'act', userClaim: null },
      ...{ accepts: ['access_token', 'id-jag'], audiences: ['api://behalf'], maxAgeSeconds: 300 },
      ...{ actorsMax: 2, trustedBy: 'admin', agents: [{ actor: '0oa1', agent: 'helper' }] },
    },
  ]);
  expect(await cli.ok(['issuer', 'list'])).toContain('company: 0oa1 is helper');
  await cli.ok(['issuer', 'unmap', 'company', '0oa1', ...as]);
  await cli.ok(['provider', 'unlink', 'company', '00u1', ...as]);
  await cli.ok(['issuer', 'remove', 'company', ...as]);
  expect(await list()).toEqual([]);
  const database = await Database.open(targetOf(`sqlite:${cli.path('data/behalf.sqlite')}`), migrations, 1);
  const records = (await recordsOf(database, 'command')).filter(({ operation }) =>
    /issuer|unlink/.test(operation?.name ?? ''),
  );
  await database.close();
  expect(
    records.map(({ operation, outcome, chain }) => [operation?.name, outcome, chain?.person?.name]),
  ).toEqual(
    ['issuer add', 'issuer map', 'issuer unmap', 'provider unlink', 'issuer remove'].map((name) => [
      name,
      'succeeded',
      'admin',
    ]),
  );
});

test.each<[string, string[], string]>([
  ['a dialect that is not known', ['--dialect', 'nested'], 'must be one of act'],
  ['a dialect without its claim', ['--dialect', 'agent-in-sub'], 'names the claim of the person'],
  ['a claim without its dialect', ['--user-claim', 'obo'], 'names the claim of the person'],
  ['a claim that the agent has', ['--dialect', 'agent-in-sub', '--user-claim', 'sub'], 'not `sub`'],
  ['a type that is not known', ['--accept', 'saml2'], 'Accept at least one of'],
  ['more actors than a chain has', ['--actors', '7'], 'from 1 to 6'],
  ['tokens of more than a day', ['--max-age', '2d'], 'from 1 to 86400'],
  ['an audience with a space', ['--audience', 'a b'], 'An audience has'],
])('%s is refused, and trusts nobody', async (_name, options, reason) => {
  const refused = await cli.run(adding(...options));
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(reason)]);
  expect(await list()).toEqual([]);
});

test('an issuer without TLS, without a provider, and one that is not there, are refused', async () => {
  const plain = await cli.run(adding('--issuer', 'http://sts.example.com'));
  expect([plain.code, plain.stderr]).toEqual([1, expect.stringContaining('https://')]);
  const alone = await cli.run(adding('--provider', 'nobody'));
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('no provider nobody')]);
  const lost = await cli.run(['issuer', 'map', 'nobody', '0oa1', 'helper', ...as]);
  expect([lost.code, lost.stderr]).toEqual([1, expect.stringContaining('no issuer nobody')]);
  expect(await list()).toEqual([]);
});

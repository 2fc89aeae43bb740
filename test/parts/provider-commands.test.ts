// databases: sqlite
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Database } from '../../src/store/sql/database.js';
import { CommandLine } from '../support/command-line.js';
import { companySecret, CompanyProvider } from '../support/company-provider.js';
import { targetOf } from '../support/database.js';
import { recordsOf } from '../support/records.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cli: CommandLine;
let acme: CompanyProvider;
beforeAll(async () => {
  acme = await CompanyProvider.start([]);
  cli = await CommandLine.open();
  await cli.ok(['migrate']);
  await cli.ok(['user', 'create', 'admin', '--admin', '--password-file', 'admin.txt']);
});
afterAll(async () => {
  await cli.close();
  await acme.stop();
});

const adding = (issuer: string, ...more: string[]): string[] => [
  ...['provider', 'add', 'acme', '--issuer', issuer, '--client-id', 'behalf', '--label', 'Acme'],
  ...[...more, '--as', 'admin'],
];
const list = () => cli.json<{ name: string; groups: unknown; people: number }[]>(['provider', 'list']);

test('a provider is added, tried, mapped, linked and removed; its secret is shown nowhere', async () => {
  const said = [await cli.ok([...adding(acme.issuer), '--create-users'], `${companySecret}\n`)];
  expect(said[0]).toContain(`${cli.url}/oauth/callback/acme`);
  said.push(await cli.ok(['provider', 'test', 'acme']));
  expect(said[1]).toContain('has all that signing in needs');
  said.push(await cli.ok(['provider', 'map', 'acme', 'Customer care', 'support-rep', '--as', 'admin']));
  said.push(await cli.ok(['provider', 'link', 'acme', 'admin', '00u1', '--as', 'admin']));
  writeFileSync(cli.path('header.txt'), 'Bearer the-header-of-the-transmitter\n');
  const signals = ['provider', 'signals', 'acme', '--as', 'admin'];
  said.push(await cli.ok([...signals, '--audience', 'us', '--authorization-file', 'header.txt']));
  expect(said.at(-1)).toContain(`${cli.url}/oauth/security_events`);
  expect((await cli.run(signals)).code).not.toBe(0);
  said.push(await cli.ok(['provider', 'list']));
  expect(await list()).toMatchObject([
    {
      name: 'acme',
      mayCreateUsers: true,
      people: 1,
      signals: { issuer: acme.issuer, audience: 'us' },
      groups: [{ group: 'Customer care', role: 'support-rep', inForce: true }],
    },
  ]);
  said.push(await cli.ok(['provider', 'unmap', 'acme', 'Customer care', 'support-rep', '--as', 'admin']));
  said.push(await cli.ok([...signals, '--off']));
  said.push(await cli.ok(['provider', 'unlink', 'acme', '00u1', '--as', 'admin']));
  said.push(await cli.ok(['provider', 'remove', 'acme', '--as', 'admin']));
  expect(await list()).toEqual([]);
  const database = await Database.open(targetOf(`sqlite:${cli.path('data/behalf.sqlite')}`), migrations, 1);
  const records = (await recordsOf(database, 'command')).filter(({ operation }) =>
    operation?.name?.startsWith('provider'),
  );
  await database.close();
  expect(
    records.map(({ operation, outcome, chain }) => [operation?.name, outcome, chain?.person?.name]),
  ).toEqual(
    ['add', 'map', 'link', 'signals', 'unmap', 'signals', 'unlink', 'remove'].map((name) => [
      `provider ${name}`,
      'succeeded',
      'admin',
    ]),
  );
  expect(JSON.stringify([said, records])).not.toContain(companySecret);
});

test('metadata of another issuer, and a provider out of reach, are told', async () => {
  await cli.ok(adding(`${acme.issuer}/`), `${companySecret}\n`);
  const other = await cli.run(['provider', 'test', 'acme']);
  expect([other.code, other.stdout]).toEqual([
    1,
    expect.stringContaining(`calls itself ${acme.issuer}: add the provider under this issuer`),
  ]);
  await cli.ok(['provider', 'remove', 'acme', '--as', 'admin']);
  await cli.ok(adding('http://127.0.0.1:9'), `${companySecret}\n`);
  const lost = await cli.run(['provider', 'test', 'acme']);
  expect([lost.code, lost.stderr]).toEqual([1, expect.stringContaining('cannot be read')]);
});

test('what is typed cannot steer the terminal on which an error repeats it', async () => {
  const hostile = 'x\u001b[31m\u001b]0;title\u0007\u202e';
  for (const args of [
    ['user', 'disable', hostile, '--as', 'admin'],
    ['provider', 'test', hostile],
    ['delegation', 'show', hostile],
    [hostile],
  ]) {
    const { code, stdout, stderr } = await cli.run(args);
    expect(code).not.toBe(0);
    expect(stderr).toContain('x�[31m');
    // eslint-disable-next-line no-control-regex -- what a terminal would obey
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  }
});

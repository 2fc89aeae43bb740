// databases: sqlite, mariadb
import { statSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { listAgents, listUsers } from '../../src/cli/operator/list-accounts.js';
import { makeProgram } from '../../src/cli/program.js';
import { Database } from '../../src/store/sql/database.js';
import { CommandLine } from '../support/command-line.js';
import { freshDatabaseUrl, targetOf, testDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { freePort } from '../support/free-port.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const open = async (url: string, known = migrations): Promise<Database> => {
  const target = targetOf(url);
  return Database.open(target, known, 2);
};

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

interface Record {
  readonly kind: string;
  readonly outcome: string;
  readonly chain: { readonly person: { readonly name: string } } | null;
  readonly operation: { readonly name: string } | null;
  readonly detail: { readonly operator?: string };
  readonly changes: readonly unknown[];
}

let fresh: FreshDatabase;
let cli: CommandLine;
beforeAll(async () => {
  fresh = await freshDatabaseUrl();
  cli = await CommandLine.open({ DATABASE_URL: fresh.url });
});
afterAll(async () => {
  await cli.close();
  await fresh.drop();
});

/** Accounts and agents as they stand. */
const state = async () => {
  const database = await open(fresh.url);
  const users = await listUsers(database.read);
  const agents = await listAgents(database.read);
  await database.close();
  return { users, agents };
};

const records = async (...filter: string[]): Promise<Record[]> =>
  (await cli.ok(['audit', 'search', ...filter, '--json']))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record);

describe('what keeps a command from starting is told in words:', () => {
  test('all settings at fault at once, without their values', async () => {
    const ended = await cli.run(['start'], {
      PORT: 'many',
      BEHALF_POOL_SIZE: '1',
      DATABASE_URL: 'secret-value',
    });
    expect(ended).toMatchObject({ code: 78, stdout: '' });
    for (const name of ['PORT', 'BEHALF_POOL_SIZE', 'DATABASE_URL']) expect(ended.stderr).toContain(name);
    expect(ended.stderr).not.toMatch(/secret-value|\n {4}at /);
  });

  test('a database that is not there', async () => {
    const missing =
      testDatabase() === 'sqlite'
        ? 'sqlite:nowhere/behalf.sqlite'
        : fresh.url.replace(/\/[^/]*$/, '/nowhere');
    const ended = await cli.run(['user', 'list'], { DATABASE_URL: missing });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/^There is no database .*nowhere.*`behalf migrate`/);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    await expect(readdir(cli.path('nowhere'))).rejects.toThrow('ENOENT');
  });

  test('a database that does not answer, without its password', async () => {
    const url = `mysql://someone:hidden-word@127.0.0.1:${String(await freePort())}/behalf`;
    const ended = await cli.run(['start'], { DATABASE_URL: url });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/does not answer \(ECONNREFUSED\)\. Start it, or correct DATABASE_URL\.\n$/);
    expect(ended.stderr).not.toContain('hidden-word');
  });

  test('a database that is behind on migrations', async () => {
    const behind = await freshDatabaseUrl();
    const database = await open(behind.url, migrations.slice(0, 2));
    await database.migrate();
    await database.close();
    for (const command of [['start'], ['user', 'list'], ['seed']]) {
      const ended = await cli.run(command, { DATABASE_URL: behind.url });
      expect(ended.code).toBe(1);
      expect(ended.stderr).toMatch(
        /lacks \d+ of this version's migrations \(Audit.*Run `behalf migrate`\.\n$/,
      );
    }
    await behind.drop();
  });
});

describe('help', () => {
  const commands = makeProgram().commands;
  const leaves = commands.flatMap((each) =>
    each.commands.length === 0 ? [each.name()] : each.commands.map((sub) => `${each.name()} ${sub.name()}`),
  );
  const groups = commands.flatMap((each) => (each.commands.length === 0 ? [] : [each.name()]));

  const helpOf = async (path: string): Promise<string> => {
    let told = '';
    const program = makeProgram();
    for (const each of [
      program,
      ...program.commands,
      ...program.commands.flatMap((group) => group.commands),
    ]) {
      each.exitOverride().configureOutput({ writeOut: (text) => (told += text) });
    }
    const words = [...path.split(' ').filter((word) => word !== ''), '--help'];
    const ended = program.parseAsync(words, { from: 'user' });
    await expect(ended).rejects.toMatchObject({ exitCode: 0 });
    return told;
  };

  test.each(leaves)('of `behalf %s` has an example', async (path) => {
    const told = await helpOf(path);
    expect(told).toContain(`$ behalf ${path}`);
    expect(told).toContain('--json');
  });

  test.each(['', ...groups])('of `behalf %s` names its commands', async (path) => {
    expect(await helpOf(path)).toMatch(/Commands:[^]*\$ behalf/);
  });

  test('exits with 0, and the version too', async () => {
    expect(await cli.ok(['user', 'create', '--help'])).toContain('$ behalf user create');
    expect(await cli.ok(['--version'])).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('of what does not exist is an error that says where to look', async () => {
    const ended = await cli.run(['user', 'created']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("unknown command 'created'");
  });
});

describe('people and agents at the terminal', () => {
  test('migrate makes the database once, and records it', async () => {
    expect((await cli.json<{ migrations: string[] }>(['migrate'])).migrations).toHaveLength(
      migrations.length,
    );
    expect(await cli.json(['migrate'])).toEqual({ migrations: [] });
    expect((await records('--operation-name', 'migrate')).map((record) => record.outcome)).toEqual([
      'succeeded',
    ]);
  });

  test('the first account is an administrator, whose password nobody else can read', async () => {
    const early = await cli.run(['user', 'create', 'rosa']);
    expect(early).toMatchObject({ code: 1, stdout: '' });
    expect(early.stderr).toContain('behalf user create NAME --admin');

    const file = cli.path('admin.txt');
    const out = await cli.ok(['user', 'create', 'admin', '--admin', '--password-file', file]);
    const password = (await readFile(file, 'utf8')).trim();
    expect(password).toMatch(/^[a-z0-9]{5}(-[a-z0-9]{5}){3}$/);
    expect(modeOf(file)).toBe('600');
    expect(out).not.toContain(password);

    const second = await cli.run(['user', 'create', 'eve', '--admin']);
    expect(second).toMatchObject({ code: 1, stderr: 'Name the person who decides this: `--as USER`.\n' });
    const [record] = await records('--operation-name', 'user create');
    expect(record).toMatchObject({ kind: 'command', outcome: 'succeeded', chain: null });
    expect(record?.detail.operator).toMatch(/./);
    expect(JSON.stringify(record)).not.toMatch(new RegExp(`${password}|scrypt`));
  });

  test('a password that cannot be kept is not made', async () => {
    const args = ['user', 'create', 'nobody', '--as', 'admin', '--password-file', cli.path('admin.txt')];
    const ended = await cli.run(args);
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toContain('is there already');
    expect((await state()).users.map((user) => user.name)).toEqual(['admin']);
  });

  test('an administrator makes accounts and agents with roles, and the record names both people', async () => {
    const rosa = ['user', 'create', 'rosa', '--display-name', 'Rosa Lind', '--role', 'support-rep'];
    expect(await cli.json([...rosa, '--as', 'admin'])).toMatchObject({
      name: 'rosa',
      mustChangePassword: true,
    });
    const secretFile = cli.path('bot.secret');
    await cli.ok([
      ...['agent', 'create', 'bot', '--task', 'Answer tickets', '--owner', 'rosa', '--role', 'support-agent'],
      ...['--secret-file', secretFile, '--as', 'admin'],
    ]);
    expect(modeOf(secretFile)).toBe('600');
    expect(await cli.json(['user', 'list'])).toMatchObject([
      { name: 'admin', roles: ['administrator'] },
      { name: 'rosa', displayName: 'Rosa Lind', roles: ['support-rep'], status: 'active' },
    ]);
    expect(await cli.json(['agent', 'list'])).toMatchObject([
      { name: 'bot', owner: 'rosa', roles: ['support-agent'] },
    ]);
    const [record] = await records('--operation-name', 'agent create');
    expect(record).toMatchObject({ outcome: 'succeeded', chain: { person: { name: 'admin' } } });
    const secret = (await readFile(secretFile, 'utf8')).trim();
    expect(secret).toMatch(/^bhs_/);
    expect(JSON.stringify(record)).not.toContain(secret);
  });

  test('each change and its reverse', async () => {
    await cli.ok(['user', 'assign', 'rosa', 'analyst', '--as', 'admin']);
    await cli.ok(['user', 'disable', 'rosa', '--as', 'admin']);
    await cli.ok(['agent', 'stop', 'bot', '--as', 'admin']);
    await cli.ok(['agent', 'assign', 'bot', 'finance-agent', '--as', 'admin']);
    expect(await state()).toMatchObject({
      users: [{ name: 'admin' }, { status: 'disabled', roles: ['analyst', 'support-rep'] }],
      agents: [{ status: 'stopped', roles: ['finance-agent', 'support-agent'] }],
    });

    await cli.ok(['user', 'enable', 'rosa', '--as', 'admin']);
    await cli.ok(['user', 'unassign', 'rosa', 'analyst', '--as', 'admin']);
    await cli.ok(['agent', 'start', 'bot', '--as', 'admin']);
    await cli.ok(['agent', 'unassign', 'bot', 'finance-agent', '--as', 'admin']);
    expect(await state()).toMatchObject({
      users: [{ name: 'admin' }, { status: 'active', roles: ['support-rep'] }],
      agents: [{ status: 'active', roles: ['support-agent'] }],
    });
    const rotated = await cli.json<{ secret: string }>(['agent', 'rotate-secret', 'bot', '--as', 'admin']);
    expect(rotated.secret).toMatch(/^bhs_/);
    const reset = await cli.json<{ password: string }>(['user', 'reset-password', 'rosa', '--as', 'admin']);
    expect(reset.password).toHaveLength(23);
  });

  test.each([
    ['nobody is named', ['user', 'disable', 'rosa'], 'Name the person who decides this'],
    ['the person is unknown', ['user', 'disable', 'rosa', '--as', 'eve'], 'There is no user eve.'],
    ['the person has no right', ['user', 'disable', 'admin', '--as', 'rosa'], 'users:manage'],
    ['it would be for oneself', ['user', 'assign', 'admin', 'analyst', '--as', 'admin'], 'to themselves'],
    [
      'no administrator would be left',
      ['user', 'disable', 'admin', '--as', 'admin'],
      'no active administrator',
    ],
    ['the role is for agents', ['user', 'assign', 'rosa', 'support-agent', '--as', 'admin'], 'for agents'],
    ['the name is taken', ['user', 'create', 'rosa', '--as', 'admin'], 'of this name already'],
    ['the agent is unknown', ['agent', 'stop', 'robot', '--as', 'admin'], 'There is no agent robot.'],
  ])('where %s nothing is changed', async (_, args, message) => {
    const before = await state();
    const ended = await cli.run(args);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toMatch(/\n {4}at /);
    expect(await state()).toEqual(before);
  });

  test('a refusal leaves a record', async () => {
    expect(await records('--person', 'rosa', '--outcome', 'refused')).toMatchObject([
      { kind: 'command', operation: { name: 'user disable' }, changes: [] },
    ]);
    const line = await cli.ok(['audit', 'search', '--error-code', 'FORBIDDEN', '--person', 'rosa']);
    expect(line).toMatch(/rosa \(operator .+\) {2}command user disable {2}refused: FORBIDDEN\n$/);
  });

  test('the demo company goes only into an empty database', async () => {
    const ended = await cli.run(['seed']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('not empty');
    await expect(readdir(cli.path('data'))).rejects.toThrow('ENOENT');
  });
});

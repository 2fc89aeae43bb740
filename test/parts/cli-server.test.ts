// databases: sqlite, mariadb
import { existsSync, statSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { execFile, spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { demoTicketNumber } from '../../src/demo/generate-business.js';
import { FormClient } from '../../src/cli/sign-in/form-client.js';
import { gather } from '../support/child-output.js';
import { builtCommand, CommandLine, type Serving } from '../support/command-line.js';
import { freshDatabaseUrl, testDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const viewer = '{ viewer { person { name } agents { name } } }';
interface Viewer {
  readonly viewer: {
    readonly person: { readonly name: string };
    readonly agents: readonly { name: string }[];
  };
}

describe('a company at the terminal', () => {
  let fresh: FreshDatabase;
  let cli: CommandLine;
  let server: Serving;
  let delegation: string;
  beforeAll(async () => {
    fresh = await freshDatabaseUrl();
    cli = await CommandLine.open({ DATABASE_URL: fresh.url });
    await cli.ok(['migrate']);
    await cli.ok(['seed']);
    server = await cli.start();
  });
  afterAll(async () => {
    await cli.close();
    await fresh.drop();
  });

  const login = (name: string, input = '') =>
    cli.run(['login', '--user', name, '--password-file', 'data/first-passwords.txt'], {}, input);
  const token = async (): Promise<string> => (await cli.ok(['token'])).trim();

  test('seed keeps every secret in a file for its owner alone, and does not seed twice', async () => {
    for (const file of ['first-passwords.txt', 'demo-agents/helpdesk-assistant.secret']) {
      expect(statSync(cli.path('data', file)).mode & 0o777).toBe(0o600);
    }
    const before = await readFile(cli.path('data/first-passwords.txt'), 'utf8');
    expect(await cli.run(['seed'])).toMatchObject({ code: 1 });
    expect(await readFile(cli.path('data/first-passwords.txt'), 'utf8')).toBe(before);
  });

  test('nobody is signed in at first, and the error says what to do', async () => {
    const ended = await cli.run(['token']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toBe(`Nobody is signed in at ${cli.url}. Run \`behalf login\`.\n`);
  });

  test('login without a browser gives tokens that the server accepts, each time a fresh one', async () => {
    expect((await login('rosa.lind')).stdout).toContain(`Rosa Lind (rosa.lind) is signed in at ${cli.url}.`);
    const [first, second] = [await token(), await token()];
    expect(first).not.toBe(second);
    expect(await cli.query<Viewer>(second, viewer)).toEqual({
      viewer: { person: { name: 'rosa.lind' }, agents: [] },
    });
    expect(statSync(await signInFile()).mode & 0o777).toBe(0o600);
  });

  const signInFile = async (): Promise<string> => {
    const files = await readdir(cli.path('config/behalf'));
    return cli.path('config/behalf', files.find((name) => name.endsWith('.json')) ?? '');
  };

  test('a sign-in with the name of before is found where it is of this server, and sent to no other', async () => {
    const file = await signInFile();
    const earlier = cli.path('config/behalf', `http-127.0.0.1-${cli.env.PORT ?? ''}.json`);
    await rename(file, earlier);
    await cli.query(await token(), viewer);
    expect([existsSync(earlier), existsSync(file)]).toEqual([false, true]);

    const own = await readFile(file, 'utf8');
    const foreign = JSON.stringify({ ...(JSON.parse(own) as object), server: 'http://127.0.0.1--1' });
    for (const place of [earlier, file]) {
      await rm(file, { force: true });
      await writeFile(place, foreign);
      expect((await cli.run(['token'])).stderr).toContain('Nobody is signed in');
      expect(await readFile(place, 'utf8')).toBe(foreign);
    }
    await rm(earlier);
    await writeFile(file, own, { mode: 0o600 });
    await cli.query(await token(), viewer);
  });

  test('several commands at once do not spoil the sign-in', async () => {
    const tokens = await Promise.all([token(), token(), token()]);
    expect(new Set(tokens).size).toBe(3);
    await cli.query(await token(), viewer);
  });

  test('a wrong password is told as such', async () => {
    const ended = await cli.run(['login', '--user', 'rosa.lind'], {}, 'not the password\n');
    expect(ended).toMatchObject({ code: 1, stderr: 'The user name or the password is wrong.\n' });
  });

  test('the administrator chooses a new password, and the first one is good no more', async () => {
    const nobody = await login('admin');
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain('there is nobody to type it');
    const short = await login('admin', 'short\nshort\n');
    expect(short.stderr).toContain('Use at least 12 characters.');
    const chosen = 'a long and new password';
    expect((await login('admin', `${chosen}\n${chosen}\n`)).code).toBe(0);
    expect(await cli.query<Viewer>(await token(), viewer)).toMatchObject({
      viewer: { person: { name: 'admin' } },
    });
    expect((await login('admin')).stderr).toContain('wrong');
  });

  test('login with a browser brings the answer back to the waiting command', async () => {
    const child = cli.spawn(['login']);
    const [stdout, stderr] = [gather(child, 'stdout'), gather(child, 'stderr')];
    await expect
      .poll(() => /https?:\S+\/oauth\/authorize\S+/.exec(stderr.text)?.[0], { timeout: 10_000 })
      .toBeTruthy();
    const url = /http:\S+\/oauth\/authorize\S+/.exec(stderr.text)?.[0] ?? '';
    const redirectUri = new URL(url).searchParams.get('redirect_uri') ?? '';
    const browser = new FormClient(cli.url, redirectUri);
    const page = await browser.open(url);
    if (page.kind !== 'page') throw new Error('There was no page to sign in.');
    const passwords = await readFile(cli.path('data/first-passwords.txt'), 'utf8');
    const password = /^rosa\.lind: (.*)$/m.exec(passwords)?.[1] ?? '';
    const returned = await browser.submit(page.page, { username: 'rosa.lind', password });
    if (returned.kind !== 'returned') throw new Error('The sign-in did not return.');
    const landed = await fetch(`${redirectUri}?${returned.params.toString()}`);
    expect(landed.url).toBe(`${cli.url}/oauth/signed-in`);
    expect(await landed.text()).toContain('You are signed in');
    expect(((await once(child, 'close')) as [number])[0]).toBe(0);
    expect(stdout.text).toContain('Rosa Lind (rosa.lind) is signed in');
  });

  test('an agent gets a token under a delegation, and `explain` tells what it may', async () => {
    const made = await cli.query<{ delegate: { delegation: { id: string } } }>(
      await token(),
      `mutation { delegate(idempotencyKey: "1", input: { agent: "helpdesk-assistant", purpose: "Answer it",
        task: "ticket:${demoTicketNumber}", scopes: ["tickets:read", "orders:read"] }) { delegation { id } } }`,
    );
    delegation = made.delegate.delegation.id;
    const secretFile = 'data/demo-agents/helpdesk-assistant.secret';
    const args = ['--agent', 'helpdesk-assistant', '--delegation', delegation, '--secret-file', secretFile];
    const agents = (await cli.ok(['token', ...args])).trim();
    expect(await cli.query<Viewer>(agents, viewer)).toEqual({
      viewer: { person: { name: 'rosa.lind' }, agents: [{ name: 'helpdesk-assistant' }] },
    });

    const about = ['explain', '--delegation', delegation];
    const all = await cli.json<{ effective: { scope: string }[]; layers: { layer: string }[] }>(about);
    expect(all.effective.map(({ scope }) => scope)).toEqual(['orders:read', 'tickets:read']);
    expect(all.layers.map(({ layer }) => layer)).toEqual(['person', 'agent', 'delegation']);
    const deciding = async (scope: string) => cli.json([...about, '--scope', scope]);
    expect(await deciding('tickets:read')).toMatchObject({ allow: true });
    expect(await deciding('tickets:reply')).toMatchObject({ reason: 'missing_scope', layer: 'delegation' });
    expect(await deciding('refunds:issue')).toMatchObject({ reason: 'hidden', layer: 'agent' });
    expect(await cli.ok([...about, '--scope', 'tickets:reply'])).toMatch(/^refused by delegation: /);
    expect(await cli.json(['explain', '--user', 'audra.quist', '--scope', 'tickets:read'])).toMatchObject({
      allow: false,
      layer: 'person',
    });
  });

  test('the audit tail shows sign-ins and delegated work, plain where it is no terminal', async () => {
    const lines = await cli.ok(['audit', 'tail', '--limit', '200']);
    expect(lines).toMatch(/rosa\.lind {2}sign in {2}succeeded/);
    expect(lines).toMatch(/admin {2}password change {2}succeeded/);
    expect(lines).toMatch(/rosa\.lind → helpdesk-assistant {2}ticket:T-4021 {2}query {2}succeeded/);
    expect(lines).toMatch(/nobody \(operator .+\) {2}command seed /);
    expect(lines).not.toContain('\u001b');
    const found = await cli.ok(['audit', 'search', '--delegation', delegation, '--json', '--since', '1h']);
    for (const line of found.trim().split('\n')) expect(line).toContain(delegation);
  });

  test('the audit tail follows', async () => {
    const child = cli.spawn(['audit', 'tail', '--follow', '--limit', '1', '--operation-name', 'Followed']);
    const told = gather(child, 'stdout');
    const rosas = await token();
    await expect
      .poll(
        async () => {
          await cli.query(rosas, `query Followed ${viewer}`);
          return told.text;
        },
        { timeout: 10_000, interval: 300 },
      )
      .toMatch(/query Followed {2}succeeded\n/);
    child.kill('SIGINT');
    const lines = told.text.trim().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
  });

  test('a sign-in that has been ended says so, and is forgotten', async () => {
    await cli.ok(['user', 'disable', 'rosa.lind', '--as', 'admin']);
    expect((await cli.run(['token'])).stderr).toContain(
      'The sign-in of rosa.lind has ended. Run `behalf login`.',
    );
    expect((await cli.run(['token'])).stderr).toContain('Nobody is signed in');
  });

  test('a signal drains the server, whatever connections are open', async () => {
    const agent = new Agent({ keepAlive: true });
    const [response] = (await once(request(`${cli.url}/healthz`, { agent }).end(), 'response')) as [
      { resume(): void },
    ];
    response.resume();
    const busy = await cli.run(['start']);
    expect(busy).toMatchObject({ code: 1 });
    expect(busy.stderr).toContain('Something listens on');
    expect(await server.end('SIGTERM')).toBe(0);
    agent.destroy();
    const ended = await cli.run(['login', '--user', 'rosa.lind']);
    expect(ended.stderr).toContain(`No server answers at ${cli.url} (ECONNREFUSED).`);
  });
});

const npmStart = (): void => {
  let cli: CommandLine;
  beforeAll(async () => {
    cli = await CommandLine.open();
  });
  afterAll(() => cli.close());

  test('makes the demo company, tells where things are, and what it says to try works', async () => {
    const server = await cli.start('--demo');
    const told = server.stdout();
    for (const part of [`${cli.url}/graphql`, 'sqlite:data/behalf.sqlite', 'data/first-passwords.txt']) {
      expect(told).toContain(part);
    }
    const command = told
      .slice(told.indexOf('npx'))
      .replaceAll('npx behalf', `${process.execPath} ${builtCommand}`);
    const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd: cli.folder, env: cli.env });
    expect(stdout).toContain(demoTicketNumber);
    expect(await server.end('SIGINT')).toBe(0);
  });

  test('seeds once', async () => {
    const before = await readFile(cli.path('data/first-passwords.txt'), 'utf8');
    const users = await cli.ok(['user', 'list']);
    const server = await cli.start('--demo');
    expect(await server.end()).toBe(0);
    expect(await readFile(cli.path('data/first-passwords.txt'), 'utf8')).toBe(before);
    expect(await cli.ok(['user', 'list'])).toBe(users);
  });

  test('ends with the shell that npm ends', async () => {
    const shell = spawn('sh', ['-c', `'${process.execPath}' '${builtCommand}' start --demo; true`], {
      cwd: cli.folder,
      env: { ...cli.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(shell.stdout, 'close');
    await once(shell.stdout, 'data');
    shell.kill('SIGTERM');
    // The pipe closes when the last process that holds it has ended.
    await ended;
    await expect(fetch(cli.url)).rejects.toThrow();
  });

  test('never overwrites passwords, and then makes nothing', async () => {
    const other = await CommandLine.open();
    await promisify(execFile)('mkdir', [other.path('data')]);
    await promisify(execFile)('touch', [other.path('data/first-passwords.txt')]);
    const ended = await other.run(['start', '--demo']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('first-passwords.txt is there already');
    expect(existsSync(other.path('data/demo-agents'))).toBe(false);
    expect(await other.json(['user', 'list'])).toEqual([]);
    await other.close();
  });

  test('never loads the demo company into another database', async () => {
    const other = await CommandLine.open({ DATABASE_URL: 'sqlite:mine.sqlite' });
    const server = await other.start('--demo');
    expect(server.stdout()).toContain('The demo company was not loaded');
    expect(await server.end()).toBe(0);
    expect(await other.json(['user', 'list'])).toEqual([]);
    expect(existsSync(other.path('data'))).toBe(false);
    await other.close();
  });
};

// It makes its own SQLite file and takes no other database: there is nothing of it to run on the second one.
if (testDatabase() === 'sqlite') describe('`npm start`', npmStart);

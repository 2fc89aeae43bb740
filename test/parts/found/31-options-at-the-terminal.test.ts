// databases: sqlite, mariadb
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeProgram } from '../../../src/cli/program.js';
import { eq } from '../../../src/store/sql/condition.js';
import { users, type UserRow } from '../../../src/store/tables/identity.js';
import { hashPassword } from '../../../src/core/passwords.js';
import { CommandLine } from '../../support/command-line.js';
import { TestServer, type PersonFixture } from '../../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let server: TestServer;
let person: PersonFixture;
let cli: CommandLine;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['customers:read'] });
  cli = await CommandLine.open({ DATABASE_URL: server.databaseUrl, TZ: 'America/New_York' });
  expect((await server.query(person.token, '{ customers { nodes { id } } }')).errors).toEqual([]);
});
afterAll(async () => {
  await cli.close();
  await server.stop();
});

describe('31 at the terminal', () => {
  test('what is mistyped is refused with exit code 1, and nothing is found for it', async () => {
    for (const option of ['--outcome=suceeded', '--kind=graphqls', '--since=1', '--error-code=NOPE']) {
      const ended = await cli.run(['audit', 'search', option]);
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toMatch(/argument '.*' is invalid/);
    }
    const upsideDown = await cli.run(['audit', 'search', '--since', '2026-03-02', '--until', '2026-03-01']);
    expect(upsideDown).toMatchObject({ code: 1, stdout: '' });
    expect(upsideDown.stderr).toContain('exchange --since and --until');
    const role = await cli.run(['documents', 'report', '--role', 'suport-agent']);
    expect(role).toMatchObject({ code: 1, stdout: '', stderr: 'There is no role suport-agent.\n' });
  });

  test('times without an offset are UTC, as the records tell them, wherever the terminal is', async () => {
    const [record] = (
      await cli.ok(['audit', 'search', '--outcome', 'SUCCEEDED', '--kind', 'graphql', '--json'])
    )
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { at: string; operationId: string });
    const at = record?.at.replace('Z', '') ?? '';
    const after = new Date(Date.parse(record?.at ?? '') + 1).toISOString().replace('Z', '');
    const find = (...options: string[]) =>
      cli.ok(['audit', 'search', '--kind', 'graphql', '--json', ...options]);
    expect(await find('--since', at, '--until', after)).toContain(record?.operationId);
    expect(await find('--since', after)).toBe('');
  });

  test('a password that begins with # signs in from a file with a byte order mark', async () => {
    const password = '#fig-tree-and-9-owls';
    const name = 'rosa.lind';
    await server.database.transaction(async (tx) => {
      const passwordHash = await hashPassword(password);
      await tx.update(users, eq<UserRow>('id', person.id), { name, passwordHash });
    });
    const file = cli.path('password.txt');
    for (const text of [`\ufeff${password}\r\n`, `${password}\n`, `\ufeff# people\n${name}: ${password}\n`]) {
      writeFileSync(file, text);
      const words = ['login', '--server', server.url, '--user', name, '--password-file', file];
      expect(await cli.run(words)).toMatchObject({ code: 0 });
    }
    const piped = await cli.run(['login', '--server', server.url, '--user', name], {}, `\ufeff${password}\n`);
    expect(piped.code).toBe(0);
  });

  test('the help names every word that can be given', () => {
    const audit = makeProgram().commands.find((each) => each.name() === 'audit');
    const help = audit?.commands.map((each) => each.helpInformation()).join('\n');
    for (const word of ['succeeded', 'password_change', 'UTC']) expect(help).toContain(word);
  });
});

// databases: sqlite, mariadb
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { builtCommand, CommandLine } from '../support/command-line.js';
import { freshDatabaseUrl, testDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const path = /^## To the first answer\n(.*?)^## /ms.exec(readme)?.[1] ?? '';
const blocksOf = (language: string): string[] =>
  [...path.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((found) => found[1] ?? '');

let fresh: FreshDatabase | undefined;
let cli: CommandLine;

/** On SQLite as `npm start` does; on MariaDB, where that loads no company, by the commands that make the same one. */
beforeAll(async () => {
  if (testDatabase() === 'sqlite') {
    cli = await CommandLine.open();
    await cli.start('--demo');
    return;
  }
  fresh = await freshDatabaseUrl();
  cli = await CommandLine.open({ DATABASE_URL: fresh.url });
  await cli.ok(['migrate']);
  await cli.ok(['seed']);
  await cli.start();
});
afterAll(async () => {
  await cli.close();
  await fresh?.drop();
});

/**
 * As the README has it, in one shell, but for two things: the server's port is a free one (`PORT` says it to the
 * commands, and the URL is replaced), and `npx behalf` is the command that was built.
 */
async function paste(blocks: readonly string[]): Promise<string[]> {
  const script = blocks.join(`echo '${boundary}'\n`);
  const here = script
    .replaceAll('http://127.0.0.1:4000', cli.url)
    .replaceAll('npx behalf', `'${process.execPath}' '${builtCommand}'`);
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', here], {
    cwd: cli.folder,
    env: cli.env,
  });
  expect(stderr).toBe('');
  return stdout.split(`${boundary}\n`);
}
const boundary = '-- next block --';

/** The answers of `ask`, one a line. */
const answersIn = (output = ''): unknown[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

test('what the README has one paste after `npm start` leads to an answer, a refusal, the end of the task, and the record', async () => {
  const blocks = blocksOf('sh');
  expect(blocks).toHaveLength(5);
  const [signedIn, handedOver, asked, takenBack, record = ''] = await paste(blocks);
  expect(signedIn).toContain('Rosa Lind (rosa.lind) is signed in');
  expect(handedOver).toBe('');

  const name = 'Maison Delorme Coworking SAS';
  const subject = expect.stringContaining('grinders arrived broken') as string;
  const [first, more] = answersIn(asked);
  expect(first).toMatchObject({ data: { ticketByNumber: { subject, customer: { name } } } });
  expect(first).not.toHaveProperty('errors');
  expect(more).toMatchObject({
    data: { customers: { nodes: [{ name, email: null }] } },
    errors: [
      {
        extensions: {
          ...{ code: 'FORBIDDEN', layer: 'delegation', missingScopes: ['customers:read_contact'] },
          hint: 'Ask Rosa Lind for a delegation that includes customers:read_contact.',
        },
      },
    ],
  });

  const [revoked, after] = answersIn(takenBack);
  expect(revoked).toMatchObject({ data: { revokeDelegation: { delegation: { status: 'REVOKED' } } } });
  expect(after).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  expect(after).not.toHaveProperty('data');

  const withoutTimes = record.replaceAll(/^\S+ \S+ {2}/gm, '');
  expect(withoutTimes).toBe(blocksOf('text').join());
});

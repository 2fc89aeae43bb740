// databases: sqlite, mariadb
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Response } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { chromiumPath, launchChromium, Tab } from '../support/chromium.js';
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
  cli = await CommandLine.open({ DATABASE_URL: fresh.url, BEHALF_EXPLORER: 'true' });
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

const inBrowser = /^## The same in the browser\n(.*?)^## /ms.exec(readme)?.[1] ?? '';
/** What the steps say in code, in their order. */
const said = [...inBrowser.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, text]) => text ?? '');
const operation = /```graphql\n(.*?)```/s.exec(inBrowser)?.[1]?.replaceAll(/^ {3}/gm, '') ?? '';

test('a newcomer clones, starts and comes to an agent’s first answer in ten commands or fewer', () => {
  const lines = blocksOf('sh').flatMap((block) => block.split('\n'));
  const first = lines.findIndex((line) => line.startsWith('ask "$TOKEN"'));
  const pasted = lines.slice(0, first + 1).filter((line) => /^(?:npx|ask|pick|[A-Z]+=)/.test(line));
  expect(['git clone …', 'npm ci', 'npm start', ...pasted]).toHaveLength(10);
});

// Skipped where the machine has no Chromium; `.ci/run` installs one, and fails over a skipped test.
test.skipIf(chromiumPath === undefined)(
  'what the README has for the browser leads, in a Chromium, to what the agent itself gets, and to its end',
  async () => {
    const [, user = '', , purpose = '', task = '', ticketsRead, customersRead, customer = ''] = said;
    const browser = await launchChromium();
    const tab = await Tab.open(browser, { viewport: { width: 1280, height: 800 } });
    const { page } = tab;
    await page.goto(`${cli.url}/account`);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.fill('#username', user);
    await page.fill('#password', passwordOf(user));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Hand over a task' }).click();
    await page.getByRole('link', { name: 'Helpdesk Assistant' }).click();
    await page.fill('#purpose', purpose);
    await page.fill('#task', task);
    for (const scope of [ticketsRead, customersRead])
      await page.check(`[name=scope][value="${scope ?? ''}"]`);
    await page.fill('#customers', customer);
    await page.getByRole('button', { name: 'Hand over' }).click();
    await page.getByRole('heading', { level: 1, name: purpose }).waitFor();
    const delegation = page.url().split('/').at(-1) ?? '';
    await page.getByRole('link', { name: 'See what it sees' }).click();

    const explored = async (): Promise<Explored> => {
      await page.locator('.graphiql-query-editor .CodeMirror').click();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(operation);
      // GraphiQL has read the operation's name once its tab has it.
      await page.locator('.graphiql-tab-active').getByText('AskForMore').waitFor();
      const answer = page.waitForResponse(
        (response) => response.url().endsWith('/graphql/explorer') && sent(response).includes('AskForMore'),
      );
      await page.locator('.graphiql-execute-button').click();
      return (await answer).json() as Promise<Explored>;
    };
    const seen = await explored();
    const file = cli.path('data', 'demo-agents', 'helpdesk-assistant.secret');
    const as = ['--agent', 'helpdesk-assistant', '--delegation', delegation, '--secret-file', file];
    const token = (await cli.ok(['token', ...as])).trim();
    expect(without(seen)).toEqual(without(await askAs(token)));
    expect(seen).toMatchObject({
      data: { customers: { nodes: [{ name: 'Maison Delorme Coworking SAS', email: null }] } },
      errors: [{ extensions: { code: 'FORBIDDEN', missingScopes: ['customers:read_contact'] } }],
    });
    await page.getByText('Maison Delorme').waitFor();
    await tab.keepPicture('explorer', 'light');

    const account = await page.context().newPage();
    await account.goto(`${cli.url}/account`);
    const card = account.getByRole('article').filter({ has: account.locator(`a[href$="${delegation}"]`) });
    await card.getByRole('link', { name: /^Take back/ }).click();
    await account.getByRole('button', { name: 'Take back' }).click();
    await account.getByText('This task is taken back').waitFor();
    const refused = { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };
    expect([await explored(), await askAs(token)]).toMatchObject([refused, refused]);
    await browser.close();
  },
);

interface Explored {
  readonly data?: unknown;
  readonly errors?: readonly { readonly extensions: Readonly<Record<string, unknown>> }[];
}

/** Without the ids of the operation. */
const without = (answer: Explored): unknown =>
  JSON.parse(JSON.stringify(answer, (key, value: unknown) => (key === 'operationId' ? undefined : value)));

const sent = (response: Response): string => response.request().postData() ?? '';

function passwordOf(user: string): string {
  const lines = readFileSync(cli.path('data', 'first-passwords.txt'), 'utf8').split('\n');
  return lines.find((line) => line.startsWith(`${user}: `))?.slice(user.length + 2) ?? '';
}

async function askAs(token: string): Promise<Explored> {
  const response = await fetch(`${cli.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: operation, operationName: 'AskForMore' }),
  });
  return (await response.json()) as Explored;
}

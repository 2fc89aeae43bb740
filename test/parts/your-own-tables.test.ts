// databases: mariadb
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Database } from '../../src/store/sql/database.js';
import { builtCommand, CommandLine } from '../support/command-line.js';
import { freshDatabaseUrl, targetOf } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const root = join(import.meta.dirname, '..', '..');
const sakila = join(process.env.BEHALF_TEST_DATA ?? join(root, '..', 'shared', 'data'), 'sakila');
const page = readFileSync(join(root, 'docs/your-own-tables.md'), 'utf8');
const blocksOf = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((found) => found[1] ?? '');

describe.runIf(existsSync(sakila))('the guide (in the folder that BEHALF_TEST_DATA names)', () => {
  let fresh: FreshDatabase;
  let cli: CommandLine;
  beforeAll(async () => {
    fresh = await freshDatabaseUrl();
    cli = await CommandLine.open();
    for (const name of ['schema', 'data'])
      writeFileSync(
        cli.path(`sakila-${name}.sql`),
        readFileSync(join(sakila, `${name}.sql`), 'utf8').replaceAll(/\bsakila\b/g, databaseOf(fresh)),
      );
  });
  afterAll(async () => {
    await onDatabase(fresh, async (database) => {
      await database.transaction((tx) => tx.affecting(`DROP USER IF EXISTS ${accountOf(fresh)}`, []));
    });
    await cli.close();
    await fresh.drop();
  });

  test('what one pastes leads to an agent that works in one store, on a server with the printed grants alone', async () => {
    const blocks = blocksOf('sh');
    const outputs = await paste(blocks, fresh, cli);
    const of = (command: string): string =>
      outputs[blocks.findIndex((block) => block.includes(command))] ?? '';

    expect(of('behalf check')).toContain('company can be served: CustomerRow, Film, Inventory, Rental,');
    expect(of('behalf apply')).toContain('4 new, 0 changed, 0 gone, 0 unchanged.');
    expect(of('/readyz')).toBe('{"ready":true,"problems":[]}\n');
    const [listed, returned] = jsonLines(of('tee rentals.json'));
    expect(listed).toMatchObject({ data: { rentals: { totalCount: 7923 } } });
    expect(returned).toMatchObject({
      data: { returnRental: { rental: { returnDate: '2006-03-01T09:30:00Z' } } },
    });
    const [unregistered, elsewhere] = jsonLines(of('customerRows'));
    expect(unregistered).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN', layer: 'agent' } }] });
    expect(elsewhere).toMatchObject({ data: null, errors: [{ extensions: { code: 'NOT_FOUND' } }] });
    expect(of('audit search').replaceAll(/^\S+ \S+ {2}/gm, '')).toBe(blocksOf('text').join());

    await onDatabase(fresh, async ({ read }) => {
      const back = "SELECT rental_id AS id FROM rental WHERE return_date = '2006-03-01 09:30:00'";
      const [latest] = (listed as { data: { rentals: { nodes: { id: string }[] } } }).data.rentals.nodes;
      const id = Buffer.from(latest?.id ?? '', 'base64url').toString();
      expect(await read.query(back)).toEqual([{ id: Number(JSON.parse(id)) }]);
    });
  });
});

const databaseOf = (fresh: FreshDatabase): string => new URL(fresh.url).pathname.slice(1);
const accountOf = (fresh: FreshDatabase): string => `'${databaseOf(fresh)}'@'%'`;

async function onDatabase(fresh: FreshDatabase, work: (database: Database) => Promise<void>): Promise<void> {
  const database = await Database.open(targetOf(fresh.url), migrations, 1);
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

const boundary = '-- next block --';

/** As the page has it, in one shell, but for where the database and the server are, and for the command that was built. */
async function paste(blocks: readonly string[], fresh: FreshDatabase, cli: CommandLine): Promise<string[]> {
  const { username, password, host, hostname, port } = new URL(fresh.url);
  const script = `set -e -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n${blocks.join(`echo '${boundary}'\n`)}`;
  const here = script
    .replaceAll('mysql://root:secret@', `mysql://${username}:${password}@`)
    .replaceAll('127.0.0.1:3306/sakila', `${host}/${databaseOf(fresh)}`)
    .replace(
      '--host=127.0.0.1 --port=3306 --user=root --password=secret',
      `--host=${hostname} --port=${port} --user=${username} --password=${password}`,
    )
    .replaceAll("'behalf_server'@'%'", accountOf(fresh))
    .replaceAll('mysql://behalf_server:', `mysql://${databaseOf(fresh)}:`)
    .replaceAll('http://127.0.0.1:4000', cli.url)
    .replaceAll('npx behalf', `'${process.execPath}' '${builtCommand}'`);
  const { stdout } = await promisify(execFile)('bash', ['-c', here], { cwd: cli.folder, env: cli.env });
  return stdout.split(`${boundary}\n`);
}

/** The answers of `ask`, one a line. */
const jsonLines = (output: string): unknown[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

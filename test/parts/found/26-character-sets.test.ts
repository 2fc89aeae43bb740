// databases: sqlite, mariadb
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterEach, describe, expect, test } from 'vitest';
import { startDemoServer } from '../../../examples/demo/server.js';
import { tellStory } from '../../../examples/demo/story.js';
import { placeRecords } from '../../../src/audit/outbox/sequencer.js';
import { auditOutbox } from '../../../src/store/tables/audit.js';
import { prefixed } from '../../../src/store/tables/table.js';
import { CommandLine } from '../../support/command-line.js';
import { freshDatabaseUrl, testDatabase } from '../../support/database.js';
import { forgetful, startMariaDb } from '../../support/mariadb.js';
import { memoryFolder } from '../../support/memory-folder.js';
import { metric } from '../../support/metrics.js';
import { misfound, recordIndexer, unindexed } from '../../support/records.js';
import { TestServer } from '../../support/server.js';

describe('26 a job that fails shows, and is tried less and less often', () => {
  let server: TestServer;
  afterEach(() => server.stop());

  const failures = (): Promise<number> => metric(server.url, 'behalf_chore_failures{chore="record_index"}');

  test('in /readyz by a code, and in the metrics by name; the server stays ready, and it goes when the job succeeds', async () => {
    server = await TestServer.start({ indexEveryMs: 20 });
    const index = prefixed(testDatabase() === 'sqlite' ? 'audit_terms' : 'audit_index');
    const rename = (from: string, to: string): Promise<number> =>
      server.database.transaction((tx) => tx.affecting(`ALTER TABLE ${from} RENAME TO ${to}`, []));
    await rename(index, 'elsewhere');
    const { token } = await server.person({ scopes: ['customers:read'] });
    expect((await server.query(token, '{ viewer { scopes } }')).errors).toEqual([]);
    await expect.poll(failures).toBeGreaterThan(1);
    const ready = await fetch(`${server.url}/readyz`);
    const body = (await ready.json()) as { ready: boolean; problems: { code: string }[] };
    expect([ready.status, body.ready, body.problems.map(({ code }) => code)]).toEqual([
      200,
      true,
      ['chores_failing'],
    ]);
    expect(JSON.stringify(body)).not.toMatch(/audit|elsewhere|SQL|table/i);
    await rename('elsewhere', index);
    await expect.poll(failures, { timeout: 20_000 }).toBe(0);
    expect(await unindexed(server.database)).toEqual([]);
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ ready: true, problems: [] });
  });

  test('a fault of the whole index costs a bounded number of transactions, and sets no record aside', async () => {
    server = await TestServer.start({ indexEveryMs: 86_400_000 });
    const { token } = await server.person({ scopes: ['customers:read'] });
    for (let time = 0; time < 3; time += 1) await server.query(token, '{ viewer { scopes } }');
    const { database } = server;
    const many = 200;
    await database.transaction((tx) =>
      tx.insert(
        auditOutbox,
        Array.from({ length: many }, () => ({ recordId: server.ids.next() })),
      ),
    );
    await placeRecords(database);
    const lines: unknown[] = [];
    let transactions = 0;
    let isBroken = true;
    const broken = Object.assign(new Error('broken'), {
      driverError: { code: 'ER_CANT_AGGREGATE_2COLLATIONS' },
    });
    const indexer = recordIndexer(
      {
        read: database.read,
        transaction: (work) => {
          transactions += 1;
          return database.transaction(async (tx) => {
            const result = await work(tx);
            if (isBroken) throw broken;
            return result;
          });
        },
      },
      { error: (line: unknown) => lines.push(line) },
    );
    await expect(indexer.run()).rejects.toBe(broken);
    expect(transactions).toBeLessThan(150);
    expect(lines).toEqual([]);
    isBroken = false;
    await indexer.run();
    expect(await unindexed(database)).toEqual([]);
  });
});

const onMysql = (): void => {
  /** The same for the same story: what is made anew each time is named by its place. */
  const comparable = (value: unknown): string => {
    const names = new Map<string, string>();
    const named = (text: string): string =>
      names.get(text) ?? (names.set(text, `#${String(names.size)}`), `#${String(names.size - 1)}`);
    return JSON.stringify(value, null, 1)
      .replaceAll(/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g, named)
      .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'uuid')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'digest')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
      .replaceAll(/"(at|tookMs|durationMs|ms)": [\d."]+/g, '"$1": 0')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'host');
  };

  /** The whole demo, the index that its records got, and what searches miss. */
  async function told(
    databaseUrl: string,
  ): Promise<{ story: string; records: string[]; misfound: string[]; left: unknown[] }> {
    const server = await startDemoServer({ databaseUrl, parts: { indexEveryMs: 86_400_000 } });
    try {
      const { ok, steps, records } = await tellStory(server);
      expect(ok).toBe(true);
      const other = await TestServer.start({ indexEveryMs: 86_400_000 }, {}, { databaseUrl });
      const { database } = other;
      await recordIndexer(database, {
        error: (line: unknown) => expect.unreachable(JSON.stringify(line)),
      }).run();
      const found = {
        story: comparable(steps),
        // Statements of one operation are answered as they come.
        records: records.map(({ operationName, outcome, resources }) =>
          JSON.stringify([
            operationName,
            outcome,
            resources.map(({ type, action, count }) => `${type} ${action} ${String(count)}`).sort(),
          ]),
        ),
        misfound: await misfound(database),
        left: await unindexed(database),
      };
      await other.stop();
      return found;
    } finally {
      await server.close();
    }
  }

  test('the whole story is the same over every default character set and collation of server and database', async () => {
    const usual = await freshDatabaseUrl();
    const expected = await told(usual.url);
    expect([expected.misfound, expected.left]).toEqual([[], []]);
    await usual.drop();
    const options = [
      ...['--character-set-server=latin1', '--collation-server=latin1_swedish_ci'],
      '--skip-character-set-client-handshake',
    ];
    const mariaDb = await startMariaDb([...forgetful, ...options], memoryFolder());
    try {
      for (const [name, charset] of Object.entries({
        of_server: '',
        latin1: 'CHARACTER SET latin1 COLLATE latin1_german1_ci',
        general: 'CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
        utf16: 'CHARACTER SET utf16',
      })) {
        const connection = await createConnection(mariaDb.url);
        await connection.query(`CREATE DATABASE ${name} ${charset}`);
        await connection.end();
        expect([name, await told(`${mariaDb.url}/${name}`)]).toEqual([name, expected]);
      }
    } finally {
      await mariaDb.stop();
    }
  }, 300_000);

  test('every table and every column of text has one character set and collation, its own', async () => {
    const server = await TestServer.start();
    const rows = await server.database.read.query(
      'SELECT t.TABLE_NAME AS name, t.TABLE_COLLATION AS ofTable, c.COLUMN_NAME AS columnName, c.COLLATION_NAME AS ofColumn ' +
        'FROM information_schema.TABLES t LEFT JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA ' +
        'AND c.TABLE_NAME = t.TABLE_NAME AND c.COLLATION_NAME IS NOT NULL WHERE t.TABLE_SCHEMA = DATABASE()',
    );
    await server.stop();
    const other = rows.filter(
      ({ name, ofTable, ofColumn }) =>
        name !== prefixed('migrations') &&
        [ofTable, ofColumn ?? ofTable].some((one) => one !== 'utf8mb4_nopad_bin'),
    );
    expect(rows.length).toBeGreaterThan(100);
    expect(other).toEqual([]);
  });

  test('`migrate` names the columns whose text somebody has converted, and what to do', async () => {
    const fresh = await freshDatabaseUrl();
    const cli = await CommandLine.open({ DATABASE_URL: fresh.url });
    try {
      expect(await cli.run(['migrate'])).toMatchObject({ code: 0 });
      const connection = await createConnection(fresh.url);
      await connection.query(
        'ALTER TABLE behalf_collections CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
      );
      await connection.end();
      const ended = await cli.run(['migrate']);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toMatch(/behalf_collections\.key \(utf8mb4_general_ci\)/);
      expect(ended.stderr).toMatch(
        /ALTER TABLE `behalf_collections` CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin/,
      );
    } finally {
      await cli.close();
      await fresh.drop();
    }
  });
};

if (testDatabase() === 'mariadb') describe('26 text is alike whatever the database’s defaults are', onMysql);

test('26 no column of a JSON_TABLE takes the character set of the database', () => {
  const files = ['src', 'migrations'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const unnamed = files
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => /VARCHAR\(\d+\) (?!CHARACTER SET utf8mb4)/.test(readFileSync(file, 'utf8')));
  expect(unnamed).toEqual([]);
});

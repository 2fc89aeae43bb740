// databases: sqlite, mariadb
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { Database } from '../../src/store/sql/database.js';
import { Adopted } from '../support/adopted.js';
import { CommandLine } from '../support/command-line.js';
import { freshDatabaseUrl, targetOf } from '../support/database.js';
import { recordsOf } from '../support/records.js';
import { everywhere, TestServer, type PersonFixture } from '../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Each has the name of a table of ours without its prefix. */
const theirs = ['agents', 'customers', 'documents', 'migrations', 'orders', 'roles', 'users'];
const statements = [
  'CREATE TABLE customers (id INTEGER PRIMARY KEY, region VARCHAR(40) NOT NULL, title VARCHAR(40) NOT NULL)',
  'CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total INTEGER NOT NULL, FOREIGN KEY (customer_id) REFERENCES customers (id))',
  'CREATE TABLE documents (id INTEGER PRIMARY KEY, body VARCHAR(40) NOT NULL)',
  'CREATE TABLE users (login VARCHAR(40) NOT NULL PRIMARY KEY, since INTEGER NOT NULL)',
  'CREATE TABLE roles (id INTEGER PRIMARY KEY, label VARCHAR(40) NOT NULL)',
  'CREATE TABLE agents (id INTEGER PRIMARY KEY, label VARCHAR(40) NOT NULL)',
  // As another program keeps its own.
  'CREATE TABLE migrations (id INTEGER PRIMARY KEY, migration VARCHAR(100) NOT NULL, batch INTEGER NOT NULL)',
  // SQLite has one set of names for the indexes of all tables.
  'CREATE INDEX ix_customers_region_id ON customers (region, id)',
  "INSERT INTO customers VALUES (1, 'Canada', 'Ann & sons'), (2, 'Australia', 'Bob'), (3, 'Canada', 'Cid')",
  'INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20), (3, 3, 30), (4, 1, 40)',
  "INSERT INTO documents VALUES (1, 'A plan')",
  "INSERT INTO users VALUES ('root', 2020)",
  "INSERT INTO roles VALUES (1, 'boss')",
  "INSERT INTO agents VALUES (7, 'James')",
  "INSERT INTO migrations VALUES (1, '0001_Identity1700000000001', 1)",
];

describe('a database that has tables of others under our names', () => {
  let adopted: Adopted;
  let before: unknown;

  beforeAll(async () => {
    adopted = await Adopted.beforeMigration(statements);
    before = await rows();
    await adopted.cli.ok(['migrate']);
    await adopted.cli.ok(['seed']);
  });
  afterAll(() => adopted.drop());

  const rows = (): Promise<unknown> =>
    adopted.inDatabase(({ read }) =>
      Promise.all(theirs.map((name) => read.query(`SELECT * FROM ${name} ORDER BY 1`))),
    );

  test('takes ours beside them, all with the prefix, once', async () => {
    const names = await adopted.inDatabase((database) => database.tableNames());
    expect(names.filter((name) => !name.startsWith('behalf_'))).toEqual(theirs);
    for (const name of theirs) expect(names).toContain(`behalf_${name}`);
    expect(await adopted.cli.json(['migrate'])).toEqual({ migrations: [] });
    expect(await rows()).toEqual(before);
  });

  test('serves the demo company, whose names are without the prefix in records and answers', async () => {
    const server = await TestServer.start({}, {}, { databaseUrl: adopted.fresh.url });
    try {
      const person = await server.person({ scopes: ['customers:read', 'orders:read'] });
      const query = '{ customers(first: 1) { totalCount nodes { id orders { totalCount } } } }';
      const { data, errors } = await server.query(person.token, query);
      expect(errors).toEqual([]);
      expect((data.customers as { totalCount: number }).totalCount).toBeGreaterThan(100);
      const records = JSON.stringify([data, await recordsOf(server.database)]);
      expect(records).toContain('"type":"Customer"');
      expect(records).not.toContain('behalf_');
    } finally {
      await server.stop();
    }
    expect(await rows()).toEqual(before);
  });

  test('has them adopted and read inside a boundary, and only theirs', async () => {
    const { written } = await adopted.cli.json<{ written: string[] }>(['adopt', '--out', 'company']);
    expect(written.sort()).toEqual(theirs.map((name) => `${name}.graphql`));
    const typeOf = (table: string): string =>
      /^type (\w+)$/m.exec(readFileSync(`${adopted.folder}/schema/${table}.graphql`, 'utf8'))?.[1] ?? '';
    const scopeOf = (table: string): string =>
      /@rows\(scope: "(\S+)"/.exec(readFileSync(`${adopted.folder}/schema/${table}.graphql`, 'utf8'))?.[1] ??
      '';
    const listOf = (table: string): string =>
      /list: "(\w+)"/.exec(readFileSync(`${adopted.folder}/schema/${table}.graphql`, 'utf8'))?.[1] ?? '';
    adopted.decide({ [typeOf('customers')]: 'region', [typeOf('orders')]: 'customer.region' });
    await adopted.cli.ok(['check', 'company']);
    const server = await adopted.start();
    try {
      const ask = async (person: PersonFixture): Promise<Record<string, unknown>> => {
        const lists = theirs.map((table) => `${table}: ${listOf(table)} { totalCount nodes { id } }`);
        const { data, errors } = await server.query(person.token, `{ ${lists.join(' ')} }`);
        expect(errors).toEqual([]);
        return Object.fromEntries(
          Object.entries(data as Record<string, { totalCount: number; nodes: unknown[] }>).map(
            ([name, { totalCount, nodes }]) => [name, [totalCount, nodes.length]],
          ),
        );
      };
      const scopes = theirs.map(scopeOf);
      const canadian = await server.person({ scopes, boundary: { ...everywhere, store: ['Canada'] } });
      const others = { agents: [1, 1], documents: [1, 1], migrations: [1, 1], roles: [1, 1], users: [1, 1] };
      expect(await ask(canadian)).toEqual({ ...others, customers: [2, 2], orders: [3, 3] });
      const all = await server.person({ scopes, boundary: { ...everywhere, store: 'all' } });
      expect(await ask(all)).toEqual({ ...others, customers: [3, 3], orders: [4, 4] });
    } finally {
      await server.stop();
    }
    expect(await rows()).toEqual(before);
  });

  test('lets no table of ours be adopted, by a command or by a file', async () => {
    const told = await adopted.cli.run(['adopt', '--out', 'company', '--table', 'behalf_users']);
    expect([told.code, told.stderr]).toEqual([
      1,
      expect.stringContaining(
        'behalf_users cannot be adopted: tables whose names begin with `behalf_` are Behalf’s own.',
      ),
    ]);
    const path = `${adopted.folder}/schema/documents.graphql`;
    const decided = readFileSync(path, 'utf8');
    // Beside a company folder the business domain, whose table one of these is, is not installed.
    for (const table of ['behalf_users', 'behalf_customers', 'behalf_nothing', 'BEHALF_users']) {
      writeFileSync(path, decided.replace('@table(name: "documents"', `@table(name: "${table}"`));
      expect(await adopted.refusal()).toMatch(
        new RegExp(
          `- schema/documents\\.graphql:\\d+: \\w+ cannot be over ${table}: tables whose names begin with \`behalf_\` are Behalf's own\\.`,
        ),
      );
    }
    writeFileSync(path, decided);
  });
});

describe('a database with our tables under their former names', () => {
  const former = [
    'CREATE TABLE migrations (id INTEGER PRIMARY KEY, timestamp BIGINT NOT NULL, name VARCHAR(255) NOT NULL)',
    "INSERT INTO migrations VALUES (1, 1700000000001, 'Identity1700000000001')",
    'CREATE TABLE authority_epoch (id INTEGER PRIMARY KEY)',
    'CREATE TABLE audit_records (id VARCHAR(26) PRIMARY KEY)',
  ];

  test('is not given empty tables beside them: `migrate` says what to do', async () => {
    const fresh = await freshDatabaseUrl();
    const cli = await CommandLine.open({ DATABASE_URL: fresh.url });
    const database = await Database.open(targetOf(fresh.url), migrations, 1);
    try {
      for (const sql of former) await database.transaction((tx) => tx.affecting(sql, []));
      const before = await database.tableNames();
      for (const args of [['migrate'], ['start', '--demo']]) {
        const told = await cli.run(args);
        expect([told.code, told.stderr]).toEqual([
          1,
          expect.stringMatching(
            /under names without `behalf_`.*nothing was changed.*DATABASE_URL.*`behalf import`/,
          ),
        ]);
        expect(await database.tableNames()).toEqual(before);
      }
      // Without one of them it is somebody else's.
      await database.transaction((tx) => tx.affecting('DROP TABLE authority_epoch', []));
      expect(await database.migrate()).toHaveLength(migrations.length);
    } finally {
      await database.close();
      await cli.close();
      await fresh.drop();
    }
  });
});

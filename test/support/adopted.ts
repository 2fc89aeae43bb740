import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from '../../migrations/index.js';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/store/sql/database.js';
import { CommandLine } from './command-line.js';
import { freshDatabaseUrl, migratedDatabaseUrl, targetOf } from './database.js';
import type { FreshDatabase } from './fresh-database.js';
import { TestServer } from './server.js';

const unanswered = 'bounds: [], unbounded: []';
const nowhere = 'unbounded: ["store", "customer", "region", "collection", "classification", "person"]';

/** A company's tables in a database of its own, and the command line over it. */
export class Adopted {
  private constructor(
    readonly fresh: FreshDatabase,
    readonly cli: CommandLine,
  ) {}

  /** @param empty whether the tables are there before those of the server */
  static async of(statements: readonly string[], empty = false): Promise<Adopted> {
    const fresh = await (empty ? freshDatabaseUrl() : migratedDatabaseUrl());
    const database = await Database.open(targetOf(fresh.url), migrations, 1);
    for (const sql of statements) await database.transaction((tx) => tx.affecting(sql, []));
    await database.close();
    return new Adopted(fresh, await CommandLine.open({ DATABASE_URL: fresh.url }));
  }

  get folder(): string {
    return this.cli.path('company');
  }

  /** Answers what `adopt` left open. @param bounds the path of the dimension `store`, by type */
  decide(bounds: Readonly<Record<string, string>> = {}): void {
    const folder = join(this.folder, 'schema');
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8');
      const type = /^type (\w+)$/m.exec(text)?.[1] ?? '';
      const path = bounds[type];
      const answer =
        path === undefined
          ? nowhere
          : `bounds: [{ dimension: "store", path: "${path}" }], ${nowhere.replace('"store", ', '')}`;
      writeFileSync(join(folder, file), text.replace(unanswered, answer));
    }
    writeFileSync(
      join(folder, 'dimensions.graphql'),
      'extend schema @defineDimension(name: "store", description: "The country of a store.")\n',
    );
  }

  edit(file: string, change: (sdl: string) => string): void {
    const path = join(this.folder, 'schema', file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }

  start(): Promise<TestServer> {
    return TestServer.start({}, { BEHALF_COMPANY: this.folder }, { databaseUrl: this.fresh.url });
  }

  /** The columns of a table's primary key, as the database tells them. */
  async keyOf(table: string): Promise<string[]> {
    const target = targetOf(this.fresh.url);
    const database = await Database.open(target, migrations, 1);
    const sql =
      target.dialect === 'sqlite'
        ? `SELECT name AS c FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`
        : `SELECT COLUMN_NAME AS c FROM information_schema.KEY_COLUMN_USAGE
           WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND CONSTRAINT_NAME = 'PRIMARY' ORDER BY ORDINAL_POSITION`;
    const rows = await database.read.query(sql, [table]);
    await database.close();
    return rows.map(({ c }) => String(c));
  }

  /** Why the server does not start. Empty where it does. */
  async refusal(): Promise<string> {
    const config = readConfig({
      DATABASE_URL: this.fresh.url,
      BEHALF_COMPANY: this.folder,
      BEHALF_LOG_LEVEL: 'silent',
    });
    return createApp(config).then(
      async (app) => {
        await app.close();
        return '';
      },
      (error: unknown) => String(error),
    );
  }

  async drop(): Promise<void> {
    await this.cli.close();
    await this.fresh.drop();
  }
}

/** Stores and their staff, with names and types of every kind. */
export const staffTables: readonly string[] = [
  `CREATE TABLE stores (id INTEGER PRIMARY KEY, country VARCHAR(40) NOT NULL)`,
  `CREATE TABLE \`staff members\` (\`staff no\` INTEGER PRIMARY KEY, store_id INTEGER NOT NULL, first_name VARCHAR(40) NOT NULL,
        Salary DECIMAL(9,2), place POINT, joined DATE NOT NULL, FOREIGN KEY (store_id) REFERENCES stores (id))`,
  'CREATE TABLE loose (a INTEGER)',
  'CREATE TABLE customer (no INTEGER PRIMARY KEY, region VARCHAR(20) NOT NULL)',
  "INSERT INTO stores VALUES (1, 'Canada'), (2, 'Australia')",
  "INSERT INTO `staff members` VALUES (1, 1, 'Ann', 10.5, NULL, '2020-01-01'), (2, 2, 'Bob', NULL, NULL, '2021-01-01')",
];

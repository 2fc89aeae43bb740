import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandLine } from './command-line.js';
import { Company } from './company.js';
import { freshDatabaseUrl, migratedDatabaseUrl } from './database.js';
import type { FreshDatabase } from './fresh-database.js';

const unanswered = 'bounds: [], unbounded: []';
const nowhere = 'unbounded: ["store", "customer", "region", "collection", "classification", "person"]';

/** A company's tables, and the command line over them, whose folder has that of the company as `company`. */
export class Adopted extends Company {
  private constructor(
    fresh: FreshDatabase,
    readonly cli: CommandLine,
  ) {
    super(fresh, {}, cli.path('company'));
  }

  static override async of(statements: readonly string[]): Promise<Adopted> {
    return Adopted.over(await migratedDatabaseUrl(), statements);
  }

  /** As `of`; Behalf's own tables are not there yet. */
  static async beforeMigration(statements: readonly string[]): Promise<Adopted> {
    return Adopted.over(await freshDatabaseUrl(), statements);
  }

  private static async over(fresh: FreshDatabase, statements: readonly string[]): Promise<Adopted> {
    const adopted = new Adopted(fresh, await CommandLine.open({ DATABASE_URL: fresh.url }));
    await adopted.run(...statements);
    return adopted;
  }

  /** Answers what `adopt` left open. @param bounds the path of the dimension `store`, by type */
  decide(bounds: Readonly<Record<string, string>> = {}): void {
    for (const file of readdirSync(this.path('schema'))) {
      const text = readFileSync(this.path(join('schema', file)), 'utf8');
      const type = /^type (\w+)$/m.exec(text)?.[1] ?? '';
      const path = bounds[type];
      const answer =
        path === undefined
          ? nowhere
          : `bounds: [{ dimension: "store", path: "${path}" }], ${nowhere.replace('"store", ', '')}`;
      this.write(join('schema', file), text.replace(unanswered, answer));
    }
    this.write(
      'schema/dimensions.graphql',
      'extend schema @defineDimension(name: "store", description: "The country of a store.")\n',
    );
  }

  /** The columns of a table's primary key, as the database tells them. */
  async keyOf(table: string): Promise<string[]> {
    const rows = await this.inDatabase(({ dialect, read }) =>
      read.query(
        dialect === 'sqlite'
          ? `SELECT name AS c FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`
          : `SELECT COLUMN_NAME AS c FROM information_schema.KEY_COLUMN_USAGE
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND CONSTRAINT_NAME = 'PRIMARY' ORDER BY ORDINAL_POSITION`,
        [table],
      ),
    );
    return rows.map(({ c }) => String(c));
  }

  override async drop(): Promise<void> {
    await super.drop();
    await this.cli.close();
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

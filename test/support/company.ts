import { migrations } from '../../migrations/index.js';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/store/sql/database.js';
import { migratedDatabaseUrl, targetOf } from './database.js';
import { Files } from './files.js';
import type { FreshDatabase } from './fresh-database.js';
import { TestServer } from './server.js';

/** A company's folder, and its tables in a database of their own. */
export class Company extends Files {
  protected constructor(
    readonly fresh: FreshDatabase,
    files: Readonly<Record<string, string>> = {},
    folder?: string,
  ) {
    super(files, folder);
  }

  /** @param files by their paths in the folder, such as `schema/film.graphql` */
  static async of(
    statements: readonly string[],
    files: Readonly<Record<string, string>> = {},
  ): Promise<Company> {
    const company = new Company(await migratedDatabaseUrl(), files);
    await company.run(...statements);
    return company;
  }

  /** Runs statements as some other program would. */
  async run(...statements: readonly string[]): Promise<void> {
    await this.inDatabase(async (database) => {
      for (const sql of statements) await database.transaction((tx) => tx.affecting(sql, []));
    });
  }

  async inDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await Database.open(targetOf(this.fresh.url), migrations, 1);
    return work(database).finally(() => database.close());
  }

  start(
    settings: Readonly<Record<string, string>> = {},
    parts: Parameters<typeof TestServer.start>[0] = {},
  ): Promise<TestServer> {
    return TestServer.start(
      parts,
      { BEHALF_COMPANY: this.folder, ...settings },
      { databaseUrl: this.fresh.url },
    );
  }

  /** Why a server does not start; empty where it does. */
  async refusal(settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const config = readConfig({
      DATABASE_URL: this.fresh.url,
      BEHALF_COMPANY: this.folder,
      BEHALF_LOG_LEVEL: 'silent',
      ...settings,
    });
    try {
      const app = await createApp(config);
      await app.close();
      return '';
    } catch (error) {
      return String(error);
    }
  }

  async drop(): Promise<void> {
    this.remove();
    await this.fresh.drop();
  }
}

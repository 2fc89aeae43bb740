import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { migrations } from '../../migrations/index.js';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/store/sql/database.js';
import { migratedDatabaseUrl, targetOf } from './database.js';
import type { FreshDatabase } from './fresh-database.js';
import { TestServer } from './server.js';

/** A company's tables in a database of its own, beside a folder with its schema. */
export class Company {
  private constructor(
    readonly folder: string,
    readonly fresh: FreshDatabase,
  ) {}

  /** @param files by their paths in the folder, such as `schema/film.graphql` */
  static async of(
    statements: readonly string[],
    files: Readonly<Record<string, string>> = {},
  ): Promise<Company> {
    const company = new Company(mkdtempSync(join(tmpdir(), 'company-')), await migratedDatabaseUrl());
    for (const [path, text] of Object.entries(files)) company.write(path, text);
    await company.run(...statements);
    return company;
  }

  write(path: string, text: string): void {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  /** Runs statements as some other program would. */
  async run(...statements: readonly string[]): Promise<void> {
    const database = await Database.open(targetOf(this.fresh.url), migrations, 1);
    for (const sql of statements) await database.transaction((tx) => tx.affecting(sql, []));
    await database.close();
  }

  start(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
    return TestServer.start(
      {},
      { BEHALF_COMPANY: this.folder, ...settings },
      { databaseUrl: this.fresh.url },
    );
  }

  /** Why a server does not start; empty where it does. */
  async refusal(): Promise<string> {
    const config = readConfig({
      DATABASE_URL: this.fresh.url,
      BEHALF_COMPANY: this.folder,
      BEHALF_LOG_LEVEL: 'silent',
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
    await this.fresh.drop();
    rmSync(this.folder, { recursive: true });
  }
}

import type { Command } from 'commander';
import { ensureShippedRoles } from '../admin/bootstrap.js';
import { readConfig, type Config } from '../config.js';
import type { Database } from '../store/database.js';
import { changeAlone } from './operator/change.js';
import { openDatabase } from './operator/open-database.js';
import { command, type JsonOption } from './terminal/command.js';
import { answer, progress } from './terminal/output.js';

export const migrateCommand = (): Command =>
  command('migrate', 'make the database, or bring it up to this version', '').action(migrate);

async function migrate({ json }: JsonOption): Promise<void> {
  const config = readConfig(process.env);
  const database = await openDatabase(config, 'any');
  try {
    const done = await migrateWithRecord(database);
    answer(json, { migrations: done }, () =>
      done.length === 0
        ? 'Nothing to do: the database is up to date.'
        : ['Done:', ...done.map((name) => `  ${name}`)],
    );
  } finally {
    await database.close();
  }
}

/** Runs what is pending, adds the shipped roles that this version brings, and records both. */
export async function migrateWithRecord(database: Database): Promise<string[]> {
  if ((await database.pendingMigrations()).length === 0) return [];
  progress('Migrating the database');
  try {
    const done = await database.migrate();
    await changeAlone(database, { command: 'migrate', detail: { migrations: done } }, ensureShippedRoles);
    return done;
  } finally {
    progress('');
  }
}

/** Opens the database of the settings and brings it up to date. */
export async function openMigrated(config: Config): Promise<Database> {
  const database = await openDatabase(config, 'any');
  try {
    await migrateWithRecord(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

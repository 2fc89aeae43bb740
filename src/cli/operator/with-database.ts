import { readConfig } from '../../config.js';
import type { Database } from '../../store/sql/database.js';
import { openDatabase } from './open-database.js';

/** Runs `work` with the database of the settings, which must be migrated. */
export async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(readConfig(process.env));
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

import { ensureShippedRoles } from '../admin/bootstrap.js';
import { readConfig, type Config } from '../config.js';
import { allTables } from '../domains/all-tables.js';
import type { Database } from '../store/sql/database.js';
import { misfitText } from '../store/sql/text-check.js';
import { changeAlone } from '../operator/recorded-change.js';
import { openDatabase } from './operator/open-database.js';
import type { JsonOption } from './terminal/command.js';
import { currencyLines, unlistedCurrencies, type UnlistedCurrency } from './unlisted-currencies.js';
import { CommandError } from '../core/command-error.js';
import { answer, note, progress } from './terminal/output.js';

/** `behalf migrate` */
export async function migrate({ json }: JsonOption): Promise<void> {
  const config = readConfig(process.env);
  const database = await openDatabase(config, 'any');
  try {
    const { done, currencies } = await migrateWithRecord(database);
    await checkText(database, config);
    answer(json, { migrations: done, ...(currencies.length > 0 && { currencies }) }, () => [
      ...(done.length === 0
        ? ['Nothing to do: the database is up to date.']
        : ['Done:', ...done.map((name) => `  ${name}`)]),
      ...currencyLines(currencies),
    ]);
  } finally {
    await database.close();
  }
}

/** Throws where text columns have been converted: boundaries would then hold rows that they do not name. */
async function checkText({ read }: Database, config: Config): Promise<void> {
  const tables = allTables({ smallestCell: config.BEHALF_SMALLEST_CELL });
  const { collation, columns } = await misfitText(read, tables);
  if (columns.length === 0) return;
  const named = columns.map(({ table, column, collation: other }) => `${table}.${column} (${other})`);
  const mends = [...new Set(columns.map(({ table }) => table))].map(
    (table) => `ALTER TABLE \`${table}\` CONVERT TO CHARACTER SET utf8mb4 COLLATE ${collation};`,
  );
  throw new CommandError(
    `The database is migrated, but some text does not compare by its bytes: ${named.join(', ')}. ` +
      `Back up, end all servers, then run: ${mends.join(' ')}`,
  );
}

export interface Migrated {
  /** The names of the migrations that ran. */
  readonly done: readonly string[];
  readonly currencies: readonly UnlistedCurrency[];
}

/** Runs pending migrations, adds this version's new shipped roles, and records both. */
async function migrateWithRecord(database: Database): Promise<Migrated> {
  const isPending = (await database.pendingMigrations()).length > 0;
  if (isPending) progress('Migrating the database');
  try {
    const done = isPending ? await database.migrate() : [];
    const currencies = await unlistedCurrencies(database.read);
    const detail = { migrations: done, ...(currencies.length > 0 && { currencies }) };
    if (isPending) await changeAlone(database, { command: 'migrate', detail }, ensureShippedRoles);
    return { done, currencies };
  } finally {
    progress('');
  }
}

/** Opens the database of the settings and migrates it. */
export async function openMigrated(config: Config): Promise<Database> {
  const database = await openDatabase(config, 'any');
  try {
    const { currencies } = await migrateWithRecord(database);
    for (const line of currencyLines(currencies)) note(line);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

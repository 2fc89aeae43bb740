import { grantStatements } from '../adopt/grants.js';
import { composeCompany } from '../compose/company.js';
import { readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { readCompanySchema } from '../graphql/schema/sdl.js';
import { isOwnTable } from '../store/tables/table.js';
import { openDatabase } from './operator/open-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer } from './terminal/output.js';

export interface GrantsOptions extends JsonOption {
  readonly account: string;
}

/** `behalf grants` */
export async function grants(folder: string, { account, json }: GrantsOptions): Promise<void> {
  const config = readConfig({ ...process.env, BEHALF_COMPANY: folder });
  if (config.database.dialect !== 'mysql')
    throw new CommandError('SQLite has no accounts: `behalf grants` is for a mysql:// DATABASE_URL.');
  const database = await openDatabase(config);
  try {
    await composeCompany(folder, config, database);
    const { types } = readCompanySchema(folder, config.domains);
    const names = await database.tableNames();
    const tables = await database.describe(
      types.map(({ table }) => table).filter((name) => !isOwnTable(name)),
    );
    const statements = grantStatements({
      types,
      tables,
      own: names.filter(isOwnTable),
      database: config.database.database,
      account,
    });
    answer(json, { statements }, () => statements);
  } finally {
    await database.close();
  }
}

import { missingIndexes } from '../adopt/missing-indexes.js';
import { policyFaults } from '../company/policy.js';
import { readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { readCompanySchema } from '../graphql/schema/sdl.js';
import { isOwnTable } from '../store/tables/table.js';
import { openDatabase } from './operator/open-database.js';
import { servedCompany } from './operator/served-company.js';
import type { JsonOption } from './terminal/command.js';
import { answer } from './terminal/output.js';

export interface CheckOptions extends JsonOption {
  readonly database?: string;
}

/** `behalf check` */
export async function check(folder: string, { json, database: url }: CheckOptions): Promise<void> {
  const target = url === undefined ? {} : { DATABASE_URL: url };
  const config = readConfig({ ...process.env, ...target, BEHALF_COMPANY: folder });
  const database = await openDatabase(config, url === undefined ? 'migrated' : 'there');
  try {
    const schema = await servedCompany(folder, config, database);
    const faults = await policyFaults(folder, schema);
    if (faults.length > 0) throw new CommandError(`${folder} cannot be applied:\n- ${faults.join('\n- ')}`);
    const { types } = readCompanySchema(folder, config.domains);
    const own = types.filter(({ table }) => !isOwnTable(table));
    const tables = await database.describe(own.map(({ table }) => table));
    const warnings = missingIndexes(own, tables, schema.policy.rows);
    const names = own.map(({ name }) => name).sort();
    answer(json, { types: names, warnings }, () => [
      `${folder} can be served: ${names.length === 0 ? 'no type is over a table of your own' : names.join(', ')}.`,
      ...warnings.map((warning) => `  slow with many rows: ${warning}`),
    ]);
  } finally {
    await database.close();
  }
}

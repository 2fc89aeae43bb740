import { composeCompany } from '../../compose/company.js';
import { composeSchema, type ComposedSchema } from '../../compose/schema.js';
import { readConfig } from '../../config.js';
import type { Database } from '../../store/sql/database.js';

/** The schema that a server with the settings of the environment serves. */
export function servedSchema(database: Database): Promise<ComposedSchema> {
  const config = readConfig(process.env);
  const { BEHALF_COMPANY: company } = config;
  return company === undefined
    ? Promise.resolve(composeSchema(config, {}))
    : composeCompany(company, config, database);
}

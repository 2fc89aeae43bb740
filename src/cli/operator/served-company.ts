import { composeCompany } from '../../compose/company.js';
import type { ComposedSchema, SchemaConfig } from '../../compose/schema.js';
import { CommandError } from '../../core/command-error.js';
import type { Database } from '../../store/sql/database.js';

/**
 * The schema of a company folder. Throws `CommandError` for a folder that cannot be served.
 * @param outcome what the refusal means for the command, before its reason
 */
export async function servedCompany(
  folder: string,
  config: SchemaConfig,
  database: Database,
  outcome = '',
): Promise<ComposedSchema> {
  try {
    return await composeCompany(folder, config, database);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${outcome}${folder} cannot be served. ${message}`, { cause: error });
  }
}

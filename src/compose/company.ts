import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { faultList } from '../core/fault.js';
import { allTables } from '../domains/all-tables.js';
import { readOwnCode } from '../domains/code/index.js';
import { foreignNames, foreignTables } from '../domains/declared/foreign-tables.js';
import { companyFiles, readCompanyFiles } from '../graphql/schema/sdl.js';
import type { Database } from '../store/sql/database.js';
import { companyFaults } from './company-faults.js';
import { composeSchema, type ComposedSchema, type SchemaConfig } from './schema.js';

/**
 * The schema that ships together with that of a company folder, over the tables that the database has now. Throws for a
 * folder without `schema`, for types that do not fit their tables, and for what is undecided, all with file and line.
 */
export async function composeCompany(
  folder: string,
  config: SchemaConfig,
  database: Database,
): Promise<ComposedSchema> {
  if (!existsSync(join(folder, 'schema')))
    throw new Error(`BEHALF_COMPANY: ${folder} has no folder \`schema\` with *.graphql files.`);
  const read = readCompanyFiles(folder, config.domains);
  const { sdl, types } = read;
  const tables = allTables({ smallestCell: config.BEHALF_SMALLEST_CELL, installed: config.domains });
  const descriptions = await database.describe(foreignNames(types));
  const foreign = foreignTables(types, descriptions, database.dialect);
  const code = await readOwnCode(folder, companyFiles(folder), foreign, types, descriptions);
  const { dialect } = database;
  const faults = companyFaults({ read, tables, foreign, descriptions, code: code.faults, dialect });
  if (faults.length > 0) throw new Error(faultList('The schema is faulty', faults));
  return composeSchema(config, { sdl, types, foreign, ...(code.own !== undefined && { own: code.own }) });
}

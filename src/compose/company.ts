import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { allTables } from '../domains/all-tables.js';
import type { TypeDeclaration } from '../domains/declared/declaration.js';
import { readOwnCode } from '../domains/code/index.js';
import { foreignFaults, foreignNames, foreignTables } from '../domains/declared/foreign-tables.js';
import { companyFiles, readCompanySchema } from '../graphql/schema/sdl.js';
import type { Database } from '../store/sql/database.js';
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
  const { sdl, types } = readCompanySchema(folder, config.domains);
  const own = allTables({ smallestCell: config.BEHALF_SMALLEST_CELL, installed: config.domains });
  const descriptions = await database.describe(foreignNames(types, own));
  const foreign = foreignTables(types, descriptions, database.dialect);
  const code = await readOwnCode(folder, companyFiles(folder), foreign);
  const schema = placed(types, () => composeSchema(config, { sdl, types, foreign, own: code }));
  const faults = foreignFaults(types, descriptions, foreign, schema.policy.rows, database.dialect);
  if (faults.length > 0) throw new Error(`The schema does not fit the tables:\n- ${faults.join('\n- ')}`);
  return schema;
}

function placed(types: readonly TypeDeclaration[], compose: () => ComposedSchema): ComposedSchema {
  try {
    return compose();
  } catch (error) {
    throw error instanceof Error ? withPlaces(error, types) : error;
  }
}

/** Adds file and line to each fault that begins with a type or a field of it. */
function withPlaces(error: Error, types: readonly TypeDeclaration[]): Error {
  const byName = new Map(types.map((type) => [type.name, type]));
  const [head = '', ...faults] = error.message.split('\n- ');
  const placed = faults.map((fault) => {
    const [, name = '', field] = /^(\w+)(?:\.(\w+))?/.exec(fault) ?? [];
    const type = byName.get(name);
    const place = type?.fields.find((one) => one.name === field)?.place ?? type?.place;
    return place === undefined ? fault : `${place}: ${fault}`;
  });
  return new Error([head, ...placed].join('\n- '), { cause: error });
}

import { readConfig } from '../../config.js';
import { readCompanySchema, readSchemaFiles } from '../../graphql/schema/sdl.js';

/** The SDL that a server with the settings of the environment serves. */
export function servedSdl(): string {
  const { BEHALF_COMPANY: company, domains } = readConfig(process.env);
  return (company === undefined ? readSchemaFiles(domains) : readCompanySchema(company, domains)).sdl;
}

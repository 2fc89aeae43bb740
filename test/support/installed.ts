import { buildSchema, isEnumType } from 'graphql';
import { administration } from '../../src/admin/index.js';
import type { Domain } from '../../src/delegation/resolver-context.js';
import { allTables } from '../../src/domains/all-tables.js';
import { declared } from '../../src/domains/declared/resolvers.js';
import { domains } from '../../src/domains/index.js';
import { readSchemaFiles } from '../../src/graphql/schema/sdl.js';
import { catalog, rules } from './administration.js';

/** The domains as a server has them, what is made of the schema's types included. */
export function installedDomains(): readonly Domain[] {
  const { sdl, types } = readSchemaFiles();
  const enums = Object.values(buildSchema(sdl).getTypeMap()).filter(isEnumType);
  const settings = { smallestCell: 5 };
  const made = declared({
    types,
    tables: allTables(settings),
    enums: new Set(enums.map(({ name }) => name)),
  });
  return [made, administration(catalog, rules), ...domains(settings)];
}

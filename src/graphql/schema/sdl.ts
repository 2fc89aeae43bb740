import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expandSdl, type ExpandedSdl } from '../../domains/declared/expand.js';

/** The folder of the SDL files, searched upwards from this file: it works from the sources and from the build. */
export function schemaFolder(from = dirname(fileURLToPath(import.meta.url))): string {
  const here = join(from, 'schema');
  if (existsSync(join(here, 'base.graphql'))) return here;
  const parent = dirname(from);
  if (parent === from) throw new Error('The folder `schema` with the SDL files is missing.');
  return schemaFolder(parent);
}

/** The file of the directives that map types to tables. They are no part of the public schema. */
const mappingFile = 'mapping.graphql';

/**
 * The SDL files, in the order of their names, with everything that is made of their types.
 * @param names the files to read, without `.graphql`; all unless said
 */
export function readSchemaFiles(folder = schemaFolder(), names?: readonly string[]): ExpandedSdl {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const files = readdirSync(folder).filter((file) => file.endsWith('.graphql') && file !== mappingFile);
  const wanted = names?.map((name) => `${name}.graphql`) ?? files;
  return expandSdl(
    wanted.sort().map((file) => ({ name: file, text: read(file) })),
    read(mappingFile),
  );
}

/** The whole SDL as one text. */
export const readSdl = (folder = schemaFolder()): string => readSchemaFiles(folder).sdl;

/** The SDL of some of the shipped files, beside the one that every schema needs. */
export const readSchemaParts = (...names: readonly string[]): ExpandedSdl =>
  readSchemaFiles(schemaFolder(), ['base', ...names]);

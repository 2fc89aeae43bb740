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

/**
 * The SDL files, in the order of their names, with everything that their mappings say made.
 * @param names the files to read, without `.graphql`; all unless said
 */
export const readSchemaFiles = (folder = schemaFolder(), names?: readonly string[]): ExpandedSdl =>
  expandSdl(
    readdirSync(folder)
      .filter(
        (file) => file.endsWith('.graphql') && (names?.includes(file.replace(/\.graphql$/, '')) ?? true),
      )
      .sort()
      .map((file) => ({ name: file, text: readFileSync(join(folder, file), 'utf8') })),
  );

/** The whole SDL as one text. */
export const readSdl = (folder = schemaFolder()): string => readSchemaFiles(folder).sdl;

/** The SDL of some of the shipped files, beside those that every schema needs. */
export const readSchemaParts = (...names: readonly string[]): ExpandedSdl =>
  readSchemaFiles(schemaFolder(), ['base', 'mapping', ...names]);

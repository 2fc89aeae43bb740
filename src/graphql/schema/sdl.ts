import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the SDL files, searched upwards from this file: it works from the sources and from the build. */
export function schemaFolder(from = dirname(fileURLToPath(import.meta.url))): string {
  const here = join(from, 'schema');
  if (existsSync(join(here, 'base.graphql'))) return here;
  const parent = dirname(from);
  if (parent === from) throw new Error('The folder `schema` with the SDL files is missing.');
  return schemaFolder(parent);
}

/** All SDL files as one text, in the order of their names. */
export function readSdl(folder = schemaFolder()): string {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  definedBy,
  typesIn,
  withoutAbsentValues,
  withoutDimensions,
} from '../../domains/declared/company-definitions.js';
import {
  expandSdl,
  readSdl as readFiles,
  type ExpandedSdl,
  type ReadSdl,
} from '../../domains/declared/expand.js';
import type { SdlFile } from '../../domains/declared/sdl-files.js';

/** The file of the directives that map types to tables. They are no part of the public schema. */
const mappingFile = 'mapping.graphql';

/** The file of what only a company's own types use. */
const companyFile = 'company.graphql';

/** The folder of the SDL files, searched upwards from this file: it works from the sources and from the build. */
export function schemaFolder(from = dirname(fileURLToPath(import.meta.url))): string {
  const here = join(from, 'schema');
  if (existsSync(join(here, 'base.graphql'))) return here;
  const parent = dirname(from);
  if (parent === from) throw new Error('The folder `schema` with the SDL files is missing.');
  return schemaFolder(parent);
}

/** The SDL files of a folder, in the order of their names. @param prefix of their names in faults */
function filesIn(folder: string, prefix = ''): SdlFile[] {
  const names = readdirSync(folder).filter((name) => name.toLowerCase().endsWith('.graphql'));
  return names
    .sort()
    .map((name) => ({ name: prefix + name, text: readFileSync(join(folder, name), 'utf8') }));
}

const expanded = (files: readonly SdlFile[], folder: string): ExpandedSdl =>
  expandSdl(files, readFileSync(join(folder, mappingFile), 'utf8'));

/** The files that belong to a shipped domain: without it, they are left out. */
const domainFiles = ['knowledge', 'business'];

const shippedFiles = (folder: string, domains: readonly string[] = domainFiles): SdlFile[] =>
  filesIn(folder).filter(({ name }) => {
    if (name === mappingFile || name === companyFile) return false;
    const part = name.replace(/\.graphql$/, '');
    return !domainFiles.includes(part) || domains.includes(part);
  });

/** The SDL that ships, with everything that is made of its types. @param domains those that are installed */
export const readSchemaFiles = (domains?: readonly string[], folder = schemaFolder()): ExpandedSdl =>
  expanded(shippedFiles(folder, domains), folder);

/** The whole SDL that ships as one text. */
export const readSdl = (folder = schemaFolder()): string => readSchemaFiles(undefined, folder).sdl;

/** The SDL of some of the shipped files, by their names without `.graphql`, beside the one that every schema needs. */
export function readSchemaParts(...names: readonly string[]): ExpandedSdl {
  const folder = schemaFolder();
  const wanted = ['base', ...names].map((name) => `${name}.graphql`);
  return expanded(
    filesIn(folder).filter(({ name }) => wanted.includes(name)),
    folder,
  );
}

/** The types that a company's own types use beside those that ship. */
export const companyTypes = (folder = schemaFolder()): SdlFile => ({
  name: companyFile,
  text: readFileSync(join(folder, companyFile), 'utf8'),
});

/** The scopes of all domains that ship, whether or not they are installed: shipped roles hold them. */
export const shippedScopes = (folder = schemaFolder()): ReadonlySet<string> =>
  new Set(filesIn(folder).flatMap(({ text }) => definedBy('defineScope', text).map(({ name }) => name)));

/** The SDL files of a company folder. */
export const companyFiles = (company: string): SdlFile[] => filesIn(join(company, 'schema'), 'schema/');

/**
 * The SDL of the installed domains together with that in a company folder's `schema`. A dimension that the company
 * defines does not apply to types that ship. Throws where the company's files are faulty.
 */
export function readCompanySchema(company: string, domains: readonly string[]): ExpandedSdl {
  const { sdl, types, faults } = readCompanyFiles(company, domains);
  faults.check();
  return { sdl, types };
}

/** As `readCompanySchema`, for faulty files too. */
export function readCompanyFiles(company: string, domains: readonly string[]): ReadSdl {
  const folder = schemaFolder();
  const shipped = shippedFiles(folder, domains);
  const own = companyFiles(company).map((file) => ({ ...file, isOwn: true as const }));
  const dimensions = (files: readonly SdlFile[]): string[] =>
    files.flatMap(({ text }) => definedBy('defineDimension', text).map(({ name }) => name));
  const known = new Set(dimensions(shipped));
  const added = dimensions(own).filter((name) => !known.has(name));
  const present = new Set(shipped.flatMap(({ text }) => typesIn(text)));
  const files = shipped.map((file) => ({
    ...file,
    text: withoutAbsentValues(withoutDimensions(file.text, added), present),
  }));
  return readFiles(
    [...files, companyTypes(folder), ...own],
    readFileSync(join(folder, mappingFile), 'utf8'),
    shippedScopes(folder),
  );
}

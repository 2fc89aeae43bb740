import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export const benchFolder = at('.');
/** The build of this checkout. */
export const ownDist = at('../dist');
/** Databases and results of runs; not under version control. */
export const workFolder = at('../data/bench');
export const resultsFolder = at('../data/bench/results');
/** Where modules were in earlier builds, which a run may measure beside this one. */
const formerPaths = {
  'src/store/sql/database.js': 'src/store/database.js',
  'src/domains/knowledge/query-terms.js': 'src/domains/knowledge/query.js',
  'src/domains/knowledge/index-tokens.js': 'src/domains/knowledge/tokenize.js',
};
/** Imports a module of a build by its path of now. */
export function importOf(dist, path) {
  const isThere = existsSync(join(dist, path));
  return import(pathToFileURL(join(dist, isThere ? path : (formerPaths[path] ?? path))).href);
}
export const docsFolder = at('../docs');

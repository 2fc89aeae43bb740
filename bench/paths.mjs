import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export const benchFolder = at('.');
export const projectFolder = at('..');
/** Databases and results of runs; not under version control. */
export const workFolder = at('../data/bench');
export const resultsFolder = at('../data/bench/results');
/** The SDL that belongs to a build. */
export const schemaOf = (dist) => join(dist, '../schema');
export const docsFolder = at('../docs');
